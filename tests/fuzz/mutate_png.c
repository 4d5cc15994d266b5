/* Mutations of PNG files by chunks: removed, doubled, moved, changed; lengths and checksums are made right again. */
#include "fuzz.h"

#include <string.h>
#include <zlib.h>

#define MAX_CHUNKS 64
#define ROOM       32768

typedef struct chunk {
    size_t at, n; /* of its data */
    uint8_t name[4];
} chunk;

static uint32_t get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static size_t find_chunks(chunk chunks[MAX_CHUNKS], const uint8_t *p, size_t n)
{
    size_t count = 0;
    for (size_t at = 8; at + 8 <= n && count < MAX_CHUNKS;) {
        const size_t length = get(p + at) < n - at - 8 ? get(p + at) : n - at - 8;
        chunks[count] = (chunk){at + 8, length, {0}};
        memcpy(chunks[count++].name, p + at + 4, 4);
        at += length + 12;
    }
    return count;
}

static void change(chunk *c, size_t *count, fuzz_random *r)
{
    static const char names[][5] = {"IHDR", "IDAT", "PLTE", "tRNS", "iCCP", "eXIf", "pHYs", "gAMA", "IEND",
                                    "acTL", "fcTL", "fdAT", "tEXt", "sRGB", "cHRM", "zzZz", "bKGD", "sBIT"};
    const size_t i = fuzz_below(r, *count), j = fuzz_below(r, *count);
    const chunk copy = c[i];
    switch (fuzz_below(r, 5)) {
    case 0:
        memmove(c + i, c + i + 1, (*count - i - 1) * sizeof *c);
        --*count;
        break;
    case 1:
        if (*count < MAX_CHUNKS) {
            memmove(c + j + 1, c + j, (*count - j) * sizeof *c);
            c[j] = copy;
            ++*count;
        }
        break;
    case 2:
        c[i] = c[j];
        c[j] = copy;
        break;
    case 3:
        memcpy(c[i].name, names[fuzz_below(r, sizeof names / sizeof names[0])], 4);
        break;
    default:
        c[i].n = fuzz_below(r, c[i].n + 1);
        break;
    }
}

/* The header's numbers to edges, small ones mostly; else the data by bytes. */
static size_t change_data(uint8_t *data, size_t n, size_t room, const chunk *c, fuzz_random *r)
{
    if (memcmp(c->name, "IHDR", 4) == 0 && n >= 13 && !fuzz_one_in(r, 4)) {
        static const uint8_t depths[] = {1, 2, 4, 8, 16, 3}, colours[] = {0, 2, 3, 4, 6, 1};
        switch (fuzz_below(r, 4)) {
        case 0:
            put(data + 4 * fuzz_below(r, 2),
                fuzz_one_in(r, 4) ? (uint32_t)fuzz_edge(r, 8) : (uint32_t)fuzz_below(r, 40));
            break;
        case 1:
            data[8] = depths[fuzz_below(r, 6)];
            break;
        case 2:
            data[9] = colours[fuzz_below(r, 6)];
            break;
        default:
            data[12] = (uint8_t)fuzz_below(r, 3);
            break;
        }
        return n;
    }
    return LLVMFuzzerMutate(data, n, room);
}

/* Pixels anew: rows of filter bytes and numbers, deflated; what mutations of compressed bytes hardly ever give. */
static size_t new_pixels(uint8_t *data, size_t room, fuzz_random *r)
{
    uint8_t raw[2048];
    uLongf n = room;
    const size_t length = 1 + fuzz_below(r, sizeof raw), row = 1 + fuzz_below(r, 64);
    for (size_t i = 0; i < length; i++) {
        raw[i] = (uint8_t)(i % row == 0 ? fuzz_below(r, 6) : fuzz_next(r));
    }
    return compress2(data, &n, raw, length, 1) == Z_OK ? n : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    static uint8_t out[ROOM];
    chunk chunks[MAX_CHUNKS];
    fuzz_random r = {seed};
    size_t count = n >= 20 ? find_chunks(chunks, bytes, n) : 0, at = 8;
    const size_t room = capacity < ROOM ? capacity : ROOM;
    if (count < 2 || n > room || fuzz_one_in(&r, 16)) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    for (size_t k = fuzz_below(&r, 3); k > 0 && count > 1; k--) {
        change(chunks, &count, &r);
    }
    const size_t changed = fuzz_below(&r, count);
    memcpy(out, "\x89PNG\r\n\x1a\n", 8);
    for (size_t i = 0; i < count; i++) {
        const chunk *c = &chunks[i];
        size_t length = c->n;
        if (at + 12 + length > room) {
            break;
        }
        memcpy(out + at + 8, bytes + c->at, length);
        if (i == changed) {
            const bool pixels = memcmp(c->name, "IDAT", 4) == 0 && fuzz_one_in(&r, 2);
            length = pixels ? new_pixels(out + at + 8, room - at - 12, &r)
                            : change_data(out + at + 8, length, room - at - 12, c, &r);
        }
        put(out + at, fuzz_one_in(&r, 64) ? (uint32_t)fuzz_edge(&r, length) : (uint32_t)length);
        memcpy(out + at + 4, c->name, 4);
        put(out + at + 8 + length, (uint32_t)crc32(0, out + at + 4, (uInt)length + 4) ^ fuzz_one_in(&r, 64));
        at += 12 + length;
    }
    memcpy(bytes, out, at);
    return at;
}
