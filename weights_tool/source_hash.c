/* Which file is it? The hash that publishers state, too. */
#include "source.h"

#include "core/hash.h"

#define PIECE ((size_t)1 << 20)

bool source_sha256(char hex[65], const source *s, bool (*go_on)(void *user, size_t bytes), void *user)
{
    mb_sha256 h;
    uint8_t digest[32];
    mb_sha256_init(&h);
    for (size_t i = source_kind(s) == SOURCE_SHARDED ? 1 : 0; i < source_file_count(s); i++) {
        size_t bytes;
        const uint8_t *p = source_file_data(s, i, &bytes);
        for (size_t at = 0; at < bytes; at += PIECE) {
            size_t n = bytes - at < PIECE ? bytes - at : PIECE;
            mb_sha256_update(&h, p + at, n);
            if (go_on != NULL && !go_on(user, n)) {
                return false;
            }
        }
    }
    mb_sha256_final(&h, digest);
    mb_hex(hex, digest, sizeof digest);
    return true;
}
