/* F10: any bytes as JSON: skipped as a whole, and walked as an index of shards would be; and text of all kinds through the
 * writer and back. */
#include "core/json.h"
#include "core/text.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>

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
        FUZZ_MUST(length < sizeof key && strlen(key) == length && mb_is_utf8(key, length));
        char kind = mb_json_peek(r);
        if (kind == '"') {
            (void)mb_json_get_string(r, text, sizeof text, &length);
        } else if (kind == '0' && length % 2 == 0) {
            (void)mb_json_get_u64(r, &u);
        } else if (kind == '0') {
            FUZZ_MUST(!mb_json_get_number(r, &d) || !isnan(d));
        } else if (kind == '[' && mb_json_enter(r, '[')) {
            while (mb_json_next_item(r) && mb_json_skip(r)) {
            }
        } else if (!mb_json_skip(r)) {
            return;
        }
    }
}

/* What the writer makes of any text is JSON, and the reader gives the text back where it was sound. */
static void write_and_read(const uint8_t *bytes, size_t n)
{
    char text[257], back[1024];
    size_t length = 0;
    mb_json j;
    mb_json_reader r;
    n = n < sizeof text - 1 ? n : sizeof text - 1;
    memcpy(text, bytes, n);
    text[n] = '\0';
    mb_json_init(&j);
    mb_json_string(&j, text);
    const char *made = mb_json_text(&j);
    FUZZ_MUST(made != NULL);
    mb_json_read_init(&r, made, strlen(made));
    FUZZ_MUST(mb_json_get_string(&r, back, sizeof back, &length) && mb_json_finish(&r));
    FUZZ_MUST(!mb_is_utf8(text, strlen(text)) || strcmp(back, text) == 0);
    mb_json_dispose(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_json_reader r;
    mb_json_read_init(&r, (const char *)bytes, n);
    const bool whole = mb_json_skip(&r) && mb_json_finish(&r);
    FUZZ_MUST(whole || r.problem != NULL);
    mb_json_read_init(&r, (const char *)bytes, n);
    walk(&r);
    write_and_read(bytes, n);
    return 0;
}
