/* SHA-256 (FIPS 180-4, sections 4.1.2, 5, 6.2): plain C, and the SHA instructions of x86 where the processor has them
 * (five times faster: hashing a checkpoint then costs less than reading it). */
#include "core/hash.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define MB_BLOCK 64u

static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* n blocks of 64 bytes by FIPS 180-4, section 6.2.2, with its names of variables. */
static void blocks_plain(uint32_t state[8], const uint8_t *p, size_t n)
{
    for (; n > 0; n--, p += MB_BLOCK) {
        uint32_t w[64], s[8];
        for (int i = 0; i < 16; i++) {
            w[i] = big_endian(p + 4 * i);
        }
        for (int i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t e = s[4], a = s[0];
            uint32_t t1 =
                s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
            uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof s[0]);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++) {
            state[i] += s[i];
        }
    }
}

#if defined(__x86_64__)
/* Four rounds an iteration; the instructions want the state as (A,B,E,F) and (C,D,G,H), high word first. */
__attribute__((target("sha,sse4.1,ssse3"))) static void blocks_sha(uint32_t state[8], const uint8_t *p, size_t n)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    __m128i u = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(t, u, 8);
    __m128i cdgh = _mm_blend_epi16(u, t, 0xF0);
    for (; n > 0; n--, p += MB_BLOCK) {
        const __m128i abef0 = abef, cdgh0 = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
        }
        for (int i = 0; i < 16; i++) {
            __m128i x = w[i & 3];
            if (i >= 4) { /* W[4i..4i+3] from the sixteen words before */
                __m128i before = w[(i + 3) & 3];
                x = _mm_add_epi32(_mm_sha256msg1_epu32(x, w[(i + 1) & 3]), _mm_alignr_epi8(before, w[(i + 2) & 3], 4));
                x = _mm_sha256msg2_epu32(x, before);
                w[i & 3] = x;
            }
            __m128i k = _mm_add_epi32(x, _mm_load_si128((const __m128i *)(const void *)(K + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    t = _mm_shuffle_epi32(abef, 0x1B);
    u = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(t, u, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(u, t, 8));
}

static bool has_sha(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1u) != 0 && __builtin_cpu_supports("sse4.1");
}
#endif

static void blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
#if defined(__x86_64__)
    if (n > 0 && has_sha()) {
        blocks_sha(state, p, n);
        return;
    }
#endif
    blocks_plain(state, p, n);
}

void mb_sha256_init(mb_sha256 *s)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memset(s, 0, sizeof *s);
    memcpy(s->h, start, sizeof start);
}

/* Whole blocks are taken from where they lie; what is left over is kept for the next call. */
void mb_sha256_update(mb_sha256 *s, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    size_t held = s->total % MB_BLOCK;
    s->total += bytes;
    if (held > 0) {
        size_t n = MB_BLOCK - held < bytes ? MB_BLOCK - held : bytes;
        memcpy(s->tail + held, p, n);
        p += n;
        bytes -= n;
        if (held + n < MB_BLOCK) {
            return;
        }
        blocks(s->h, s->tail, 1);
    }
    blocks(s->h, p, bytes / MB_BLOCK);
    if (bytes % MB_BLOCK > 0) {
        memcpy(s->tail, p + bytes - bytes % MB_BLOCK, bytes % MB_BLOCK);
    }
}

/* A one bit, zeros, and the length in bits fill the last block or two. */
void mb_sha256_final(mb_sha256 *s, uint8_t digest[32])
{
    static const uint8_t padding[MB_BLOCK] = {0x80};
    uint64_t bits = s->total * 8;
    size_t held = s->total % MB_BLOCK;
    mb_sha256_update(s, padding, held < 56 ? 56 - held : 120 - held);
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    mb_sha256_update(s, length, sizeof length);
    for (int i = 0; i < 32; i++) {
        digest[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
    }
}
