/* Published vectors of FNV-1a-64, XXH64 and SHA-256; streaming in any cut equals one call. */
#include "core/hash.h"
#include "harness/check.h"
#include "../../engine/core/sha256.c" /* its static parts, to hold the plain code to the SHA instructions */

#include <string.h>

static void check_sha(const char *text, size_t repeat, const char *want)
{
    mb_sha256 s;
    uint8_t digest[32];
    char hex[65];
    mb_sha256_init(&s);
    for (size_t i = 0; i < repeat; i++) {
        mb_sha256_update(&s, text, strlen(text));
    }
    mb_sha256_final(&s, digest);
    mb_hex(hex, digest, sizeof digest);
    CHECK_MSG(strcmp(hex, want) == 0, "got %s", hex);
}

TEST(known_values)
{
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, "", 0), 0xcbf29ce484222325u);
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, "a", 1), 0xaf63dc4c8601ec8cu);
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, "foobar", 6), 0x85944171f73967e8u);
    CHECK_EQ(mb_hash64("", 0), 0xef46db3751d8e999u);
    CHECK_EQ(mb_hash64("a", 1), 0xd24ec4f1a98c6e5bu);
    CHECK_EQ(mb_hash64("abc", 3), 0x44bc2cf5ad770999u);
    CHECK_EQ(mb_hash64("Nobody inspects the spammish repetition", 39), 0xfbcea83c8a378bf1u);
    check_sha("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sha("aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Any way to cut 300 bytes in three gives the value of one call. */
TEST(streaming)
{
    uint8_t data[300], whole[32], parts[32];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 37 + 11);
    }
    uint64_t want = mb_hash64(data, sizeof data);
    mb_sha256 s;
    mb_sha256_init(&s);
    mb_sha256_update(&s, data, sizeof data);
    mb_sha256_final(&s, whole);
    int bad = 0;
    for (size_t a = 0; a <= sizeof data; a += 7) {
        for (size_t b = a; b <= sizeof data; b += 5) {
            mb_xxh64 x;
            mb_xxh64_init(&x);
            mb_sha256_init(&s);
            const size_t cut[4] = {0, a, b, sizeof data};
            for (int i = 0; i < 3; i++) {
                mb_xxh64_update(&x, data + cut[i], cut[i + 1] - cut[i]);
                mb_sha256_update(&s, data + cut[i], cut[i + 1] - cut[i]);
            }
            mb_sha256_final(&s, parts);
            bad += mb_xxh64_digest(&x) != want || memcmp(whole, parts, 32) != 0;
        }
    }
    CHECK_MSG(bad == 0, "%d cuts differ", bad);
}

TEST(plain_equals_fast)
{
    uint8_t data[640];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * i + 3 * i);
    }
    uint32_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    blocks(a, data, sizeof data / MB_BLOCK);
    blocks_plain(b, data, sizeof data / MB_BLOCK);
    CHECK(memcmp(a, b, sizeof a) == 0);
}
