/* Mutations of safetensors files: the JSON of the header by its values, or the whole file anew from a list of tensors
 * whose shapes, types and places are mostly right. The length in front of the header is mostly made right at the end. */
#include "mutate_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROOM 16384

/* ---- a file anew */

typedef struct out {
    char *v;
    size_t n, room;
} out;

static void put(out *o, const char *text)
{
    const size_t n = strlen(text);
    if (n <= o->room - o->n) {
        memcpy(o->v + o->n, text, n);
        o->n += n;
    }
}

static void put_number(out *o, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    put(o, text);
}

static const struct {
    const char *name;
    unsigned bits;
} types[] = {{"F64", 64},    {"F32", 32},    {"F16", 16},    {"BF16", 16},       {"I64", 64},        {"I32", 32},
             {"I16", 16},    {"I8", 8},      {"U64", 64},    {"U32", 32},        {"U16", 16},        {"U8", 8},
             {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8},     {"F8_E4M3FNUZ", 8}, {"F4", 4},
             {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"C64", 64},    {"F8_E5M2FNUZ", 8}, {"F128", 128}};

static void put_name(out *o, fuzz_random *r, size_t i)
{
    static const char *const odd[] = {"",      "\\u0000", "a",        "\\u00e4", "net.0.weight",   "__metadata__",
                                      "a\\nb", "\\\"",    "\xc3\xa4", "\xff",    "\\ud83d\\ude00", "bb.layers.0.w"};
    char text[32];
    if (fuzz_one_in(r, 3)) {
        put(o, odd[fuzz_below(r, sizeof odd / sizeof odd[0])]);
    } else {
        (void)snprintf(text, sizeof text, "t%zu", fuzz_one_in(r, 16) ? 0 : i);
        put(o, text);
    }
}

/* One tensor that begins at `at`; returns where it ends. */
static uint64_t put_tensor(out *o, fuzz_random *r, size_t i, uint64_t at)
{
    const size_t type = fuzz_below(r, sizeof types / sizeof types[0]), rank = fuzz_below(r, fuzz_one_in(r, 8) ? 10 : 4);
    uint64_t bits = types[type].bits, begin = at, end;
    const bool wrong = fuzz_one_in(r, 12);
    put(o, "\"");
    put_name(o, r, i);
    put(o, "\":{\"dtype\":\"");
    put(o, types[type].name);
    put(o, "\",\"shape\":[");
    for (size_t k = 0; k < rank; k++) {
        const uint64_t d = wrong && fuzz_one_in(r, 2) ? fuzz_edge(r, 4) : fuzz_below(r, 5);
        put(o, k > 0 ? "," : "");
        put_number(o, d);
        bits *= d;
    }
    end = at + (bits / 8 < 4096 ? bits / 8 : 0);
    if (wrong) {
        begin = fuzz_one_in(r, 2) ? fuzz_edge(r, begin) : begin;
        end = fuzz_one_in(r, 2) ? fuzz_edge(r, end) : end;
    }
    put(o, "],\"data_offsets\":[");
    put_number(o, begin);
    put(o, ",");
    put_number(o, end);
    put(o, fuzz_one_in(r, 16) ? "],\"extra\":[{\"x\":-1.5e3}]}" : "]}");
    return end < 8192 && end >= at ? end : at;
}

/* Header length, header, data. */
static size_t build(uint8_t *bytes, size_t capacity, fuzz_random *r)
{
    out o = {(char *)bytes + 8, 0, capacity - 8};
    uint64_t at = 0;
    const size_t n = fuzz_below(r, 6);
    put(&o, "{");
    if (fuzz_one_in(r, 3)) {
        put(&o, "\"__metadata__\":{\"format\":\"pt\",\"k\":\"\\u00e9\\t\"}");
        put(&o, n > 0 ? "," : "");
    }
    for (size_t i = 0; i < n; i++) {
        put(&o, i > 0 ? "," : "");
        at = put_tensor(&o, r, i, at);
    }
    put(&o, "}");
    for (size_t k = fuzz_below(r, 8); k > 0; k--) {
        put(&o, " ");
    }
    const uint64_t length = o.n;
    memcpy(bytes, &length, sizeof length);
    at = fuzz_one_in(r, 16) ? at + fuzz_below(r, 3) : at;
    const size_t data = at <= capacity - 8 - o.n ? (size_t)at : capacity - 8 - o.n;
    memset(bytes + 8 + o.n, 7, data);
    return 8 + o.n + data;
}

/* ---- the header that is there */

static size_t change_header(uint8_t *bytes, size_t n, size_t capacity, fuzz_random *r)
{
    static char header[ROOM];
    static uint8_t data[ROOM];
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    const size_t old = length <= n - 8 ? (size_t)length : n - 8, rest = n - 8 - old;
    if (n > ROOM || capacity < 8 + rest) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    memcpy(header, bytes + 8, old);
    memcpy(data, bytes + 8 + old, rest);
    size_t room = capacity - 8 - rest < ROOM ? capacity - 8 - rest : ROOM, m = old;
    for (size_t k = 1 + fuzz_below(r, 3); k > 0; k--) {
        m = fuzz_mutate_json(header, m, room, r);
    }
    length = fuzz_one_in(r, 12) ? fuzz_edge(r, m) : m;
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + 8, header, m);
    memcpy(bytes + 8 + m, data, rest);
    return 8 + m + rest;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    fuzz_random r = {seed};
    if (capacity >= 64 && (n < 10 || fuzz_one_in(&r, 3))) {
        return build(bytes, capacity, &r);
    }
    if (n < 10 || fuzz_one_in(&r, 6)) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    return change_header(bytes, n, capacity, &r);
}
