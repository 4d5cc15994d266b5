/* JSON: a writer into memory (reports, JSON Lines) and a strict pull reader (headers of weight files, small settings).
 * Neither depends on the locale. */
#ifndef MB_CORE_JSON_H
#define MB_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- writer: commas and quotes are its business; a failed allocation shows once, in mb_json_text */

typedef struct mb_json {
    char *text;
    size_t n, capacity;
    uint64_t filled; /* bit d: the object or array at depth d has an entry */
    uint64_t arrays; /* bit d: it is an array */
    int depth;
    bool failed, after_key;
} mb_json;

void mb_json_init(mb_json *j);
void mb_json_dispose(mb_json *j);
void mb_json_begin_object(mb_json *j);
void mb_json_begin_array(mb_json *j);
void mb_json_end(mb_json *j); /* of the innermost object or array */
void mb_json_key(mb_json *j, const char *key);
void mb_json_string(mb_json *j, const char *value); /* bad UTF-8 becomes U+FFFD; NULL gives null */
void mb_json_int(mb_json *j, int64_t value);
void mb_json_uint(mb_json *j, uint64_t value);
void mb_json_number(mb_json *j, double value); /* shortest of up to 9 digits; NaN and infinities give null */
void mb_json_bool(mb_json *j, bool value);
void mb_json_line(mb_json *j); /* a line feed: the end of a JSON Lines record */
/* What was written, zero-terminated; NULL if memory ran out. Borrowed until the next call. */
const char *mb_json_text(const mb_json *j);

/* ---- reader: the caller asks for what it expects; the first mismatch sticks in `problem`, and all later calls fail */

typedef struct mb_json_reader {
    const char *start, *at, *end;
    const char *problem; /* NULL: none so far; static text */
    uint64_t filled;
    int depth;
} mb_json_reader;

void mb_json_read_init(mb_json_reader *r, const char *text, size_t bytes);
/* The kind of the next value by its first character: '{' '[' '"' 't' 'f' 'n', '0' for numbers; 0: none. */
char mb_json_peek(mb_json_reader *r);
bool mb_json_enter(mb_json_reader *r, char open); /* '{' or '[' */
/* In an object: the next key (decoded, zero-terminated). False at the end of the object, which is then left, and on a
 * problem. A key longer than the buffer is a problem. */
bool mb_json_next_key(mb_json_reader *r, char *key, size_t capacity, size_t *length);
bool mb_json_next_item(mb_json_reader *r); /* in an array, likewise */
bool mb_json_get_string(mb_json_reader *r, char *dst, size_t capacity, size_t *length);
bool mb_json_get_u64(mb_json_reader *r, uint64_t *value); /* digits only */
bool mb_json_get_number(mb_json_reader *r, double *value);
bool mb_json_skip(mb_json_reader *r);   /* any value, checked all the same */
bool mb_json_finish(mb_json_reader *r); /* nothing but white space (spaces, tabs, line ends) may be left */
/* For the caller's own findings: sets `problem` if there is none yet; false. */
bool mb_json_reject(mb_json_reader *r, const char *problem);

#endif
