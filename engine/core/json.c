/* The JSON writer: text in a growing buffer. Commas come by themselves: `filled` has a bit for each open level, whether
 * something stands there already. An allocation that fails is remembered, and mb_json_text gives NULL at the end. */
#include "core/json.h"

#include "core/alloc.h"
#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MB_JSON_DEPTH 60 /* of the writer's nesting: our own reports have less than ten */

void mb_json_init(mb_json *j)
{
    *j = (mb_json){0};
}

void mb_json_dispose(mb_json *j)
{
    mb_free(j->text);
    *j = (mb_json){0};
}

/* Appends; after a failed allocation nothing more is, and mb_json_text tells. */
static void put(mb_json *j, const char *text, size_t n)
{
    size_t need;
    if (j->failed || !mb_add_size(&need, j->n, n) || !mb_add_size(&need, need, 1)) {
        j->failed = true;
        return;
    }
    if (need > j->capacity) {
        size_t capacity = j->capacity < 128 ? 256 : j->capacity * 2;
        capacity = capacity < need ? need : capacity;
        char *p = mb_realloc_array(j->text, capacity, 1);
        if (p == NULL) {
            j->failed = true;
            return;
        }
        j->text = p;
        j->capacity = capacity;
    }
    if (n > 0) {
        memcpy(j->text + j->n, text, n);
    }
    j->n += n;
    j->text[j->n] = '\0';
}

/* The comma before a value or key, where one is due. */
static void separate(mb_json *j)
{
    uint64_t bit = (uint64_t)1 << j->depth;
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth > 0 && (j->filled & bit) != 0) {
        put(j, ",", 1);
    }
    j->filled |= bit;
}

/* Opens an object or array as the next value. */
static void begin(mb_json *j, char open, bool array)
{
    separate(j);
    put(j, &open, 1);
    if (j->depth >= MB_JSON_DEPTH) {
        j->failed = true;
        return;
    }
    j->depth++;
    uint64_t bit = (uint64_t)1 << j->depth;
    j->filled &= ~bit;
    j->arrays = array ? j->arrays | bit : j->arrays & ~bit;
}

void mb_json_begin_object(mb_json *j)
{
    begin(j, '{', false);
}

void mb_json_begin_array(mb_json *j)
{
    begin(j, '[', true);
}

void mb_json_end(mb_json *j)
{
    if (j->depth == 0) {
        j->failed = true;
        return;
    }
    put(j, (j->arrays >> j->depth & 1) != 0 ? "]" : "}", 1);
    j->depth--;
}

/* Control characters, quotes and backslashes escaped; bytes that are no UTF-8 replaced, so that any text gives valid
 * JSON. */
static void put_quoted(mb_json *j, const char *text)
{
    size_t n = strlen(text);
    put(j, "\"", 1);
    for (size_t i = 0; i < n;) {
        int length = mb_utf8_length(text + i, n - i);
        char c = text[i];
        char escape[8];
        if (length == 0) {
            put(j, "\xEF\xBF\xBD", 3); /* U+FFFD */
            i++;
        } else if (c == '"' || c == '\\') {
            put(j, (const char[2]){'\\', c}, 2);
            i++;
        } else if ((unsigned char)c < 0x20 || c == 0x7F) {
            int m = c == '\n'   ? snprintf(escape, sizeof escape, "\\n")
                    : c == '\t' ? snprintf(escape, sizeof escape, "\\t")
                                : snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c & 0xFFu);
            put(j, escape, (size_t)m);
            i++;
        } else {
            put(j, text + i, (size_t)length);
            i += (size_t)length;
        }
    }
    put(j, "\"", 1);
}

void mb_json_key(mb_json *j, const char *key)
{
    separate(j);
    put_quoted(j, key);
    put(j, ":", 1);
    j->after_key = true;
}

void mb_json_string(mb_json *j, const char *value)
{
    separate(j);
    if (value == NULL) {
        put(j, "null", 4);
    } else {
        put_quoted(j, value);
    }
}

static void put_value(mb_json *j, const char *text)
{
    separate(j);
    put(j, text, strlen(text));
}

void mb_json_int(mb_json *j, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    put_value(j, text);
}

void mb_json_uint(mb_json *j, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    put_value(j, text);
}

/* Nine digits tell any two f32 apart. JSON has no NaN or infinity: null. */
void mb_json_number(mb_json *j, double value)
{
    char text[40];
    if (!isfinite(value)) {
        put_value(j, "null");
        return;
    }
    (void)snprintf(text, sizeof text, "%.9g", value);
    char *comma = strchr(text, ','); /* some locales' decimal sign */
    if (comma != NULL) {
        *comma = '.';
    }
    put_value(j, text);
}

void mb_json_bool(mb_json *j, bool value)
{
    put_value(j, value ? "true" : "false");
}

void mb_json_line(mb_json *j)
{
    put(j, "\n", 1);
    j->filled &= ~(uint64_t)1;
}

const char *mb_json_text(const mb_json *j)
{
    if (j->failed) {
        return NULL;
    }
    return j->text != NULL ? j->text : "";
}
