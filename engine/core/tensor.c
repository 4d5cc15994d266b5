/* Element types: sizes, names, and conversions to and from f32 (scalar; exact in both directions' definitions). */
#include "core/tensor.h"

#include <string.h>

size_t mb_dtype_size(mb_dtype t)
{
    static const size_t size[MB_DTYPE_COUNT] = {4, 2, 2, 8};
    return (unsigned)t < MB_DTYPE_COUNT ? size[t] : 0;
}

const char *mb_dtype_name(mb_dtype t)
{
    static const char *const name[MB_DTYPE_COUNT] = {"f32", "f16", "bf16", "i64"};
    return (unsigned)t < MB_DTYPE_COUNT ? name[t] : "?";
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static uint32_t to_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

/* IEEE binary16, subnormal numbers, infinities and NaN included: exact. */
static float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t e = (h >> 10) & 31u;
    uint32_t m = h & 1023u;
    if (e == 31) {
        return from_bits(sign | 0x7f800000u | m << 13);
    }
    if (e != 0) {
        return from_bits(sign | (e + 112) << 23 | m << 13);
    }
    float v = (float)m * 0x1p-24f; /* subnormal or zero: exact */
    return from_bits(to_bits(v) | sign);
}

/* To nearest, ties to even, overflow to infinity. */
static uint16_t f32_to_f16(float f)
{
    uint32_t u = to_bits(f);
    uint16_t sign = (uint16_t)((u >> 16) & 0x8000u);
    uint32_t a = u & 0x7fffffffu;
    if (a > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (a >= 0x477ff000u) { /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (a < 0x38800000u) { /* below the smallest normal: the addition rounds to a multiple of 2^-24 */
        float r = from_bits(a) + 0.5f;
        return (uint16_t)(sign | (to_bits(r) - to_bits(0.5f)));
    }
    /* Adding just under half of the last bit, and one more where it is odd, rounds ties to even; the bias of the
     * exponent goes from 127 to 15. */
    uint32_t odd = (a >> 13) & 1u;
    return (uint16_t)(sign | ((a - 0x38000000u + 0xfffu + odd) >> 13));
}

/* To nearest, ties to even; NaN stays NaN. */
static uint16_t f32_to_bf16(float f)
{
    uint32_t u = to_bits(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)(u >> 16 | 0x40u);
    }
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

/* Exact for both 16-bit types. */
void mb_to_f32(float *dst, const void *src, mb_dtype t, size_t n)
{
    if (t == MB_F32) {
        memcpy(dst, src, n * sizeof(float));
        return;
    }
    const uint16_t *s = src;
    for (size_t i = 0; i < n; i++) {
        dst[i] = t == MB_F16 ? f16_to_f32(s[i]) : from_bits((uint32_t)s[i] << 16);
    }
}

/* Rounded to nearest, ties to even. */
void mb_from_f32(void *dst, const float *src, mb_dtype t, size_t n)
{
    if (t == MB_F32) {
        memcpy(dst, src, n * sizeof(float));
        return;
    }
    uint16_t *d = dst;
    for (size_t i = 0; i < n; i++) {
        d[i] = t == MB_F16 ? f32_to_f16(src[i]) : f32_to_bf16(src[i]);
    }
}
