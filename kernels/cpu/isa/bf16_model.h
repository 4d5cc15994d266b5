/* What VDPBF16PS and TDPBF16PS compute, in C, bit for bit (measured: docs/precision.md): subnormal inputs, products'
 * sums and results count as zero, every step is a fused multiply-add rounded to nearest even. */
#ifndef MB_ISA_BF16_MODEL_H
#define MB_ISA_BF16_MODEL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef BF16_LEAST
#define BF16_LEAST 0x1p-126
#endif

static inline float bf16_flush(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

static inline float bf16_value(uint16_t b)
{
    uint32_t u = (uint32_t)b << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return bf16_flush(x);
}

/* x * y + c with one rounding, of values whose product is exact. Not fmaf: MinGW's rounds twice. The sum in double is
 * made odd where it is not exact, so that rounding it once more gives what one rounding gives. */
static inline float bf16_fused(float x, float y, float c)
{
    double p = (double)x * (double)y, s = p + (double)c, t = s - p;
    double error = (p - (s - t)) + ((double)c - t);
    if (error > 0 || error < 0) { /* neither for infinities and NaN */
        uint64_t bits;
        memcpy(&bits, &s, sizeof bits);
        if ((bits & 1) == 0) {
            bits = (error > 0) == (s > 0) ? bits + 1 : bits - 1;
            memcpy(&s, &bits, sizeof s);
        }
    }
    return (float)s;
}

static inline float bf16_fma(uint16_t a, uint16_t b, float c)
{
    float x = bf16_value(a), y = bf16_value(b), sum = bf16_fused(x, y, bf16_flush(c));
    /* A result that only rounding lifts to the least normal number counts as zero too. */
    if (fabsf(sum) == 0x1p-126f && fabs((double)x * (double)y + (double)bf16_flush(c)) < BF16_LEAST) {
        return copysignf(0, sum);
    }
    return bf16_flush(sum);
}

/* One lane of VDPBF16PS: a pair of each. */
static inline float bf16_model_pair(float c, uint32_t a, uint32_t b)
{
    float odd = bf16_fma((uint16_t)(a >> 16), (uint16_t)(b >> 16), c);
    return bf16_fma((uint16_t)a, (uint16_t)b, odd);
}

#endif
