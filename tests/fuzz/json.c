/* Fuzz target: any bytes as JSON: skipped as a whole, and walked as an index of shards would be. */
#include "core/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* One level in: keys, and strings, numbers and all else behind them. */
static void walk(mb_json_reader *r)
{
    char key[64], text[64];
    size_t length;
    uint64_t u;
    double d;
    if (!mb_json_enter(r, '{')) {
        return;
    }
    while (mb_json_next_key(r, key, sizeof key, &length)) {
        if (length >= sizeof key || strlen(key) > length) {
            abort();
        }
        char kind = mb_json_peek(r);
        if (kind == '"') {
            (void)mb_json_get_string(r, text, sizeof text, &length);
        } else if (kind == '0' && length % 2 == 0) {
            (void)mb_json_get_u64(r, &u);
        } else if (kind == '0') {
            (void)mb_json_get_number(r, &d);
        } else if (kind == '[' && mb_json_enter(r, '[')) {
            while (mb_json_next_item(r) && mb_json_skip(r)) {
            }
        } else if (!mb_json_skip(r)) {
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_json_reader r;
    mb_json_read_init(&r, (const char *)bytes, n);
    bool whole = mb_json_skip(&r) && mb_json_finish(&r);
    if (!whole && r.problem == NULL) {
        abort();
    }
    mb_json_read_init(&r, (const char *)bytes, n);
    walk(&r);
    return 0;
}
