/* Mutations of JPEG files by segments: removed, doubled, moved, changed, lengths made right again; the scan by bytes. */
#include "fuzz.h"

#include <string.h>

#define MAX_SEGMENTS 64
#define ROOM         32768

typedef struct segment {
    size_t at, n; /* from its marker on, with the scan's data behind SOS */
} segment;

static size_t find_segments(segment s[MAX_SEGMENTS], const uint8_t *p, size_t n)
{
    size_t count = 0;
    for (size_t at = 2; at + 4 <= n && count < MAX_SEGMENTS;) {
        size_t length = 2 + ((size_t)p[at + 2] << 8 | p[at + 3]), end;
        length = length < 4 ? 4 : length;
        end = length < n - at ? at + length : n;
        while (p[at + 1] == 0xDA && end + 1 < n &&
               !(p[end] == 0xFF && p[end + 1] != 0 && (p[end + 1] & 0xF8) != 0xD0)) {
            end++;
        }
        while (p[at + 1] != 0xDA && end < n && p[end] != 0xFF) {
            end++;
        }
        s[count++] = (segment){at, end - at};
        at = end;
    }
    return count;
}

static void change(segment *s, size_t *count, fuzz_random *r)
{
    const size_t i = fuzz_below(r, *count), j = fuzz_below(r, *count);
    const segment copy = s[i];
    switch (fuzz_below(r, 3)) {
    case 0:
        memmove(s + i, s + i + 1, (*count - i - 1) * sizeof *s);
        --*count;
        break;
    case 1:
        if (*count < MAX_SEGMENTS) {
            memmove(s + j + 1, s + j, (*count - j) * sizeof *s);
            s[j] = copy;
            ++*count;
        }
        break;
    default:
        s[i] = s[j];
        s[j] = copy;
        break;
    }
}

/* Within a segment: its kind, a frame's size and sampling, or its bytes. */
static size_t change_bytes(uint8_t *p, size_t n, size_t room, fuzz_random *r)
{
    static const uint8_t kinds[] = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDA, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xC3, 0xC9};
    static const uint8_t sampling[] = {0x11, 0x21, 0x12, 0x22, 0x41, 0x14, 0x44, 0x31, 0x00};
    const bool frame = (p[1] & 0xF0) == 0xC0 && p[1] != 0xC4 && n >= 10;
    switch (fuzz_below(r, 4)) {
    case 0:
        p[1] = kinds[fuzz_below(r, sizeof kinds)];
        return n;
    case 1:
        if (frame) {
            const uint64_t v = fuzz_one_in(r, 4) ? fuzz_edge(r, 8) : fuzz_below(r, 48);
            const size_t at = 5 + 2 * fuzz_below(r, 2);
            p[at] = (uint8_t)(v >> 8);
            p[at + 1] = (uint8_t)v;
            return n;
        }
        break;
    case 2:
        if (frame && n > 11) { /* of a component: three bytes each from 10 on */
            p[11 + 3 * fuzz_below(r, (n - 9) / 3)] = sampling[fuzz_below(r, sizeof sampling)];
            return n;
        }
        break;
    default:
        break;
    }
    n = 4 + LLVMFuzzerMutate(p + 4, n - 4, room - 4);
    if (p[1] != 0xDA) {
        const size_t length = fuzz_one_in(r, 32) ? (size_t)fuzz_edge(r, n - 2) : n - 2;
        p[2] = (uint8_t)(length >> 8);
        p[3] = (uint8_t)length;
    }
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    static uint8_t out[ROOM];
    segment segments[MAX_SEGMENTS];
    fuzz_random r = {seed};
    size_t count = n >= 20 ? find_segments(segments, bytes, n) : 0, at = 2;
    const size_t room = capacity < ROOM ? capacity : ROOM;
    if (count < 2 || n > room || fuzz_one_in(&r, 16)) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    for (size_t k = fuzz_below(&r, 2); k > 0 && count > 1; k--) {
        change(segments, &count, &r);
    }
    const size_t changed = fuzz_below(&r, count + 1);
    out[0] = 0xFF;
    out[1] = 0xD8;
    for (size_t i = 0; i < count; i++) {
        size_t length = segments[i].n;
        if (length > room - at) {
            break;
        }
        memcpy(out + at, bytes + segments[i].at, length);
        if (i == changed && length >= 4) {
            length = change_bytes(out + at, length, room - at, &r);
        }
        at += length;
    }
    memcpy(bytes, out, at);
    return at;
}
