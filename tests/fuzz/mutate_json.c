/* Mutations of JSON: a value is removed, doubled, swapped with another or replaced. Text that is no JSON gets through,
 * too: brackets and quotes are all that is looked at. */
#include "mutate_json.h"

#include <string.h>

#define MAX_SPANS 256
#define MAX_TEXT  16384

typedef struct span {
    size_t from, to; /* of a value, or of a key with its value */
} span;

static size_t end_of_string(const char *t, size_t n, size_t at)
{
    for (at++; at < n && t[at] != '"'; at++) {
        at += t[at] == '\\';
    }
    return at < n ? at + 1 : n;
}

/* Values of all levels, in the order of their ends; returns how many. */
static size_t find_spans(span spans[MAX_SPANS], const char *t, size_t n)
{
    size_t open[64], depth = 0, count = 0;
    for (size_t at = 0; at < n && count < MAX_SPANS;) {
        const char c = t[at];
        if (c == '"') {
            const size_t to = end_of_string(t, n, at);
            spans[count++] = (span){at, to};
            at = to;
        } else if ((c == '{' || c == '[') && depth < 64) {
            open[depth++] = at++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            spans[count++] = (span){open[--depth], ++at};
        } else if (strchr("{}[],: \n\t\r", c) == NULL) {
            size_t to = at;
            while (to < n && strchr("{}[],: \n\t\r\"", t[to]) == NULL) {
                to++;
            }
            spans[count++] = (span){at, to};
            at = to > at ? to : at + 1;
        } else {
            at++;
        }
    }
    return count;
}

/* text[from .. to) becomes `with`; the new length, or n where it does not fit. */
static size_t replace(char *text, size_t n, size_t capacity, span s, const char *with, size_t m)
{
    if (n - (s.to - s.from) + m > capacity) {
        return n;
    }
    memmove(text + s.from + m, text + s.to, n - s.to);
    memcpy(text + s.from, with, m);
    return n - (s.to - s.from) + m;
}

static const char *literal(fuzz_random *r)
{
    static const char *const all[] = {"0",
                                      "1",
                                      "-1",
                                      "-0",
                                      "00",
                                      "1e5",
                                      "1.0",
                                      "0.1e-400",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "4294967295",
                                      "2147483648",
                                      "\"\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\ud83d\\ude00\"",
                                      "\"\\u00e4\\n\\/\"",
                                      "[]",
                                      "{}",
                                      "[[]]",
                                      "[0,0]",
                                      "{\"a\":0}",
                                      "null",
                                      "true",
                                      "false",
                                      "nul",
                                      "[0,8]",
                                      "[1,1,1,1,1,1,1,1]",
                                      "[1,1,1,1,1,1,1,1,1]",
                                      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                      "NaN"};
    return all[fuzz_below(r, sizeof all / sizeof all[0])];
}

size_t fuzz_mutate_json(char *text, size_t n, size_t capacity, fuzz_random *r)
{
    static char copy[MAX_TEXT], other[MAX_TEXT];
    span spans[MAX_SPANS];
    if (capacity == 0) {
        return 0; /* LLVMFuzzerMutate would answer 1 */
    }
    const size_t count = n <= MAX_TEXT ? find_spans(spans, text, n) : 0;
    if (count == 0 || fuzz_one_in(r, 4)) {
        return LLVMFuzzerMutate((uint8_t *)text, n, capacity);
    }
    const span a = spans[fuzz_below(r, count)], b = spans[fuzz_below(r, count)];
    size_t m = b.to - b.from;
    memcpy(copy, text + b.from, m);
    switch (fuzz_below(r, 6)) {
    case 0: { /* away, with what separates it from the next */
        size_t to = a.to;
        while (to < n && strchr(",: \n", text[to]) != NULL) {
            to++;
        }
        return replace(text, n, capacity, (span){a.from, to}, "", 0);
    }
    case 1: /* once more */
        if (m + 1 > MAX_TEXT) {
            return n;
        }
        copy[m] = ',';
        return replace(text, n, capacity, (span){b.from, b.from}, copy, m + 1);
    case 2: /* the one in place of the other */
        return replace(text, n, capacity, a, copy, m);
    case 3: { /* both, where they do not overlap */
        const size_t k = a.to - a.from;
        if (a.to > b.from) {
            return n;
        }
        memcpy(other, text + a.from, k);
        n = replace(text, n, capacity, b, other, k);
        return replace(text, n, capacity, a, copy, m);
    }
    case 4: { /* space */
        static const char *const spaces[] = {" ", "\n\t", "\r", ",", ":", "\"", "\\", "  "};
        const char *s = spaces[fuzz_below(r, 8)];
        return replace(text, n, capacity, (span){a.from, a.from}, s, strlen(s));
    }
    default: {
        const char *s = literal(r);
        return replace(text, n, capacity, a, s, strlen(s));
    }
    }
}

#if FUZZ_JSON_ALONE /* of targets whose whole input is JSON */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    fuzz_random r = {seed};
    for (size_t k = 1 + fuzz_below(&r, 3); k > 0; k--) {
        n = fuzz_mutate_json((char *)bytes, n, capacity, &r);
    }
    return n;
}
#endif
