/* The JSON reader: RFC 8259 without leniency, iterative, bounded depth, nothing allocated.
 *
 * The caller pulls: mb_json_enter, then mb_json_next_key or mb_json_next_item until it says false, a value read or
 * skipped for each. The first problem stays in the reader and makes every later call false, so a caller checks once, at
 * the end (mb_json_finish). `filled` has a bit for each open level: whether an entry was read there and a comma must
 * follow. */
#include "core/json.h"

#include "core/text.h"

#include <float.h>
#include <string.h>

#define MB_JSON_DEPTH 32

/* Keeps the first problem: later ones follow from it. Always false, so that callers can return it. */
bool mb_json_reject(mb_json_reader *r, const char *problem)
{
    if (r->problem == NULL) {
        r->problem = problem;
    }
    return false;
}

void mb_json_read_init(mb_json_reader *r, const char *text, size_t bytes)
{
    *r = (mb_json_reader){.start = text, .at = text, .end = text + bytes};
}

/* The four characters of RFC 8259, section 2. */
static void skip_space(mb_json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

/* What comes next: its first character, '0' for any number, 0 for none of what JSON has. */
char mb_json_peek(mb_json_reader *r)
{
    skip_space(r);
    if (r->problem != NULL || r->at >= r->end) {
        return 0;
    }
    char c = *r->at;
    if (c == '-' || (c >= '0' && c <= '9')) {
        return '0';
    }
    return memchr("{[\"tfn", c, 6) != NULL ? c : '\0';
}

/* One character that has to be there. */
static bool take(mb_json_reader *r, char c, const char *problem)
{
    skip_space(r);
    if (r->problem != NULL || r->at >= r->end || *r->at != c) {
        return mb_json_reject(r, problem);
    }
    r->at++;
    return true;
}

/* A bit for each level says whether an entry has been read there: then a comma comes first. */
bool mb_json_enter(mb_json_reader *r, char open)
{
    if (!take(r, open, open == '{' ? "an object is expected" : "an array is expected")) {
        return false;
    }
    if (++r->depth > MB_JSON_DEPTH) {
        return mb_json_reject(r, "nested too deeply");
    }
    r->filled &= ~((uint64_t)1 << r->depth);
    return true;
}

/* True: another entry follows (its comma is taken). False: `close` was there and is taken, or a problem. */
static bool next_entry(mb_json_reader *r, char close)
{
    uint64_t bit = (uint64_t)1 << r->depth;
    skip_space(r);
    if (r->problem != NULL || r->at >= r->end) {
        return mb_json_reject(r, "ends in the middle");
    }
    if (*r->at == close) {
        r->at++;
        r->depth--;
        return false;
    }
    if ((r->filled & bit) != 0 && !take(r, ',', "a comma is missing")) {
        return false;
    }
    r->filled |= bit;
    return true;
}

/* Four hexadecimal digits of \u. */
static bool hex4(mb_json_reader *r, uint32_t *value)
{
    *value = 0;
    if (r->end - r->at < 4) {
        return mb_json_reject(r, "ends in the middle of a string");
    }
    for (int i = 0; i < 4; i++) {
        char c = *r->at++;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) {
            return mb_json_reject(r, "bad \\u escape");
        }
        *value = *value * 16 + digit;
    }
    return true;
}

/* The character of a \u escape (or of a surrogate pair) as UTF-8 in `out`. A character 0 is refused, though JSON
 * allows it: strings end with a zero here, and two keys could then compare equal. */
static bool unicode_escape(mb_json_reader *r, char out[4], size_t *n)
{
    uint32_t c, low;
    if (!hex4(r, &c)) {
        return false;
    }
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
            return mb_json_reject(r, "half a surrogate pair");
        }
        r->at += 2;
        if (!hex4(r, &low) || low < 0xDC00 || low > 0xDFFF) {
            return mb_json_reject(r, "half a surrogate pair");
        }
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c == 0 || (c >= 0xDC00 && c <= 0xDFFF)) {
        return mb_json_reject(r, c == 0 ? "a string holds the character 0" : "half a surrogate pair");
    }
    *n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = *n - 1; i > 0; i--, c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3F));
    }
    out[0] = (char)(lead[*n] | c);
    return true;
}

/* One character of a string, decoded. */
static bool string_character(mb_json_reader *r, char out[4], size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned char c = (unsigned char)*r->at;
    if (c == '\\') {
        r->at++;
        if (r->at >= r->end) {
            return mb_json_reject(r, "ends in the middle of a string");
        }
        char e = *r->at++;
        if (e == 'u') {
            return unicode_escape(r, out, n);
        }
        const char *at = e != '\0' ? strchr(from, e) : NULL;
        if (at == NULL) {
            return mb_json_reject(r, "unknown escape in a string");
        }
        out[0] = to[at - from];
        *n = 1;
        return true;
    }
    int length = mb_utf8_length(r->at, (size_t)(r->end - r->at));
    if (c < 0x20 || length == 0) {
        return mb_json_reject(r, c < 0x20 ? "control character in a string" : "a string is not UTF-8");
    }
    *n = (size_t)length;
    memcpy(out, r->at, *n);
    r->at += length;
    return true;
}

/* dst NULL: checked only. */
static bool read_string(mb_json_reader *r, char *dst, size_t capacity, size_t *length)
{
    if (!take(r, '"', "a string is expected")) {
        return false;
    }
    size_t at = 0;
    while (r->at < r->end && *r->at != '"') {
        char c[4];
        size_t n = 0;
        if (!string_character(r, c, &n)) {
            return false;
        }
        if (dst != NULL) {
            if (at + n + 1 > capacity) {
                return mb_json_reject(r, "a string is too long");
            }
            memcpy(dst + at, c, n);
        }
        at += n;
    }
    if (r->at >= r->end) {
        return mb_json_reject(r, "ends in the middle of a string");
    }
    r->at++;
    if (dst != NULL) {
        dst[at] = '\0';
    }
    if (length != NULL) {
        *length = at;
    }
    return true;
}

/* dst gets the decoded text with a zero behind it; capacity counts that zero. `length` may be NULL. */
bool mb_json_get_string(mb_json_reader *r, char *dst, size_t capacity, size_t *length)
{
    return read_string(r, dst, capacity, length);
}

/* Reads the key and its colon; the value comes next and must be read or skipped. */
bool mb_json_next_key(mb_json_reader *r, char *key, size_t capacity, size_t *length)
{
    return next_entry(r, '}') && read_string(r, key, capacity, length) && take(r, ':', "a colon is missing");
}

bool mb_json_next_item(mb_json_reader *r)
{
    return next_entry(r, ']');
}

static bool is_digit(const mb_json_reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Digits alone: no sign, point or exponent, no leading zero. */
bool mb_json_get_u64(mb_json_reader *r, uint64_t *value)
{
    skip_space(r);
    if (r->problem != NULL || !is_digit(r)) {
        return mb_json_reject(r, "a non-negative integer is expected");
    }
    bool zero = *r->at == '0';
    *value = 0;
    int digits = 0;
    for (; is_digit(r); digits++) {
        if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*r->at - '0'), value)) {
            return mb_json_reject(r, "a number is too large");
        }
        r->at++;
    }
    if ((zero && digits > 1) || (r->at < r->end && memchr(".eE", *r->at, 3) != NULL)) {
        return mb_json_reject(r, "a non-negative integer is expected");
    }
    return true;
}

/* Digits at *r into *mantissa as long as they count (19 fill 64 bits), the others into *exponent; how many there were. */
static int read_digits(mb_json_reader *r, uint64_t *mantissa, int *exponent, bool fraction)
{
    int n = 0;
    for (; is_digit(r); r->at++) {
        const bool counts = *mantissa < 1000000000000000000u;
        *mantissa = counts ? *mantissa * 10 + (uint64_t)(*r->at - '0') : *mantissa;
        *exponent += counts ? -(fraction && *exponent > -100000) : (!fraction && *exponent < 100000);
        n += n < 2;
    }
    return n;
}

/* [eE][+-]digits, added to *exponent; false: no digits. */
static bool read_exponent(mb_json_reader *r, int *exponent)
{
    int e = 0;
    r->at++;
    const bool minus = r->at < r->end && *r->at == '-';
    r->at += minus || (r->at < r->end && *r->at == '+');
    if (!is_digit(r)) {
        return false;
    }
    for (; is_digit(r); r->at++) {
        e = e < 100000 ? e * 10 + (*r->at - '0') : e;
    }
    *exponent += minus ? -e : e;
    return true;
}

/* mantissa * 10^exponent. Powers of ten up to 10^22 are exact, so that short numbers are rounded once. */
static double scaled(uint64_t mantissa, int exponent)
{
    double v = (double)mantissa;
    while (exponent != 0 && v > 0 && v <= DBL_MAX) {
        double scale = 1;
        const int far = exponent < 0 ? -exponent : exponent, step = far < 22 ? far : 22;
        for (int i = 0; i < step; i++) {
            scale *= 10;
        }
        v = exponent < 0 ? v / scale : v * scale;
        exponent += exponent < 0 ? step : -step;
    }
    return v;
}

/* Correctly rounded up to 15 digits and exponents within +-22, as settings have; otherwise within a few ulp. strtod is
 * not used, as it follows the locale and needs a closing zero. Digits beyond the nineteenth only shift the point; a number
 * that no double holds is refused, so that what is read is finite. */
bool mb_json_get_number(mb_json_reader *r, double *value)
{
    if (mb_json_peek(r) != '0') {
        return mb_json_reject(r, "a number is expected");
    }
    const bool negative = *r->at == '-';
    r->at += negative;
    uint64_t mantissa = 0;
    int exponent = 0;
    const bool zero_first = is_digit(r) && *r->at == '0';
    const int digits = read_digits(r, &mantissa, &exponent, false);
    if (digits == 0 || (zero_first && digits > 1)) {
        return mb_json_reject(r, "malformed number");
    }
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (read_digits(r, &mantissa, &exponent, true) == 0) {
            return mb_json_reject(r, "malformed number");
        }
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E') && !read_exponent(r, &exponent)) {
        return mb_json_reject(r, "malformed number");
    }
    const double v = scaled(mantissa, exponent);
    if (v > DBL_MAX) {
        return mb_json_reject(r, "a number is too large");
    }
    *value = negative ? -v : v;
    return true;
}

static bool skip_word(mb_json_reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) {
        return mb_json_reject(r, "unknown word");
    }
    r->at += n;
    return true;
}

/* A value that is not an object or array. */
static bool skip_scalar(mb_json_reader *r)
{
    double number;
    switch (mb_json_peek(r)) {
    case '"':
        return read_string(r, NULL, 0, NULL);
    case '0':
        return mb_json_get_number(r, &number);
    case 't':
        return skip_word(r, "true");
    case 'f':
        return skip_word(r, "false");
    case 'n':
        return skip_word(r, "null");
    default:
        return mb_json_reject(r, "a value is expected");
    }
}

/* Any value, to its end, checked like one that is read. */
bool mb_json_skip(mb_json_reader *r)
{
    int base = r->depth;
    uint64_t arrays = 0; /* bit d: the level is an array; no recursion, so hostile nesting costs nothing */
    do {
        char kind = mb_json_peek(r);
        if (kind == '{' || kind == '[') {
            if (!mb_json_enter(r, kind)) {
                return false;
            }
            uint64_t bit = (uint64_t)1 << r->depth;
            arrays = kind == '[' ? arrays | bit : arrays & ~bit;
        } else if (!skip_scalar(r)) {
            return false;
        }
        while (r->depth > base) { /* leave what ends here; stop where another value follows */
            bool array = (arrays >> r->depth & 1) != 0;
            if (next_entry(r, array ? ']' : '}')) {
                if (!array && !(read_string(r, NULL, 0, NULL) && take(r, ':', "a colon is missing"))) {
                    return false;
                }
                break;
            }
            if (r->problem != NULL) {
                return false;
            }
        }
    } while (r->depth > base);
    return true;
}

/* Nothing but space may follow the value. */
bool mb_json_finish(mb_json_reader *r)
{
    skip_space(r);
    if (r->problem == NULL && r->depth == 0 && r->at == r->end) {
        return true;
    }
    return mb_json_reject(r, "something follows the end");
}
