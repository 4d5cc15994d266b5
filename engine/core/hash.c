/* FNV-1a-64 and XXH64 (four lanes of multiply-rotate over 32-byte stripes, so that memory speed is the limit). */
#include "core/hash.h"

#include <string.h>

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

#define MB_STRIPE 32u

/* A byte at a time: for short keys and names. */
uint64_t mb_fnv1a64(uint64_t h, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++) {
        h = (h ^ p[i]) * 0x100000001B3u;
    }
    return h;
}

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t round64(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * P2, 31) * P1;
}

void mb_xxh64_init(mb_xxh64 *s)
{
    memset(s, 0, sizeof *s);
    s->lane[0] = P1 + P2;
    s->lane[1] = P2;
    s->lane[3] = 0 - P1;
}

/* n stripes of 32 bytes; the lanes stay in registers. */
static void stripes(uint64_t lane[4], const uint8_t *p, size_t n)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    for (; n > 0; n--, p += MB_STRIPE) {
        a = round64(a, load64(p));
        b = round64(b, load64(p + 8));
        c = round64(c, load64(p + 16));
        d = round64(d, load64(p + 24));
    }
    lane[0] = a;
    lane[1] = b;
    lane[2] = c;
    lane[3] = d;
}

/* Bytes are gathered until there are 32, which one round takes. */
void mb_xxh64_update(mb_xxh64 *s, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    size_t held = s->total % MB_STRIPE;
    s->total += bytes;
    if (held > 0) {
        size_t n = MB_STRIPE - held < bytes ? MB_STRIPE - held : bytes;
        memcpy(s->tail + held, p, n);
        p += n;
        bytes -= n;
        if (held + n < MB_STRIPE) {
            return;
        }
        stripes(s->lane, s->tail, 1);
    }
    stripes(s->lane, p, bytes / MB_STRIPE);
    if (bytes % MB_STRIPE > 0) {
        memcpy(s->tail, p + bytes - bytes % MB_STRIPE, bytes % MB_STRIPE);
    }
}

/* The four lanes joined, then the rest in steps of 8, 4 and 1 bytes, then the bits mixed. docs/format.md, section
 * "XXH64". */
uint64_t mb_xxh64_digest(const mb_xxh64 *s)
{
    uint64_t h;
    if (s->total >= MB_STRIPE) {
        h = rotate(s->lane[0], 1) + rotate(s->lane[1], 7) + rotate(s->lane[2], 12) + rotate(s->lane[3], 18);
        for (int i = 0; i < 4; i++) {
            h = (h ^ round64(0, s->lane[i])) * P1 + P4;
        }
    } else {
        h = P5;
    }
    h += s->total;
    const uint8_t *p = s->tail, *end = s->tail + s->total % MB_STRIPE;
    for (; end - p >= 8; p += 8) {
        h = rotate(h ^ round64(0, load64(p)), 27) * P1 + P4;
    }
    if (end - p >= 4) {
        uint32_t v;
        memcpy(&v, p, sizeof v);
        h = rotate(h ^ v * P1, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++) {
        h = rotate(h ^ *p * P5, 11) * P1;
    }
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

/* XXH64 of what is in memory as a whole. */
uint64_t mb_hash64(const void *data, size_t bytes)
{
    mb_xxh64 s;
    mb_xxh64_init(&s);
    mb_xxh64_update(&s, data, bytes);
    return mb_xxh64_digest(&s);
}

/* dst: 2 n + 1 bytes. */
void mb_hex(char *dst, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *dst++ = digits[bytes[i] >> 4];
        *dst++ = digits[bytes[i] & 15];
    }
    *dst = '\0';
}
