/* What VDPBF16PS and TDPBF16PS compute, in C, bit for bit (measured: docs/precision.md): subnormal inputs, products'
 * sums and results count as zero, every step is a fused multiply-add rounded to nearest even. */
#ifndef MB_ISA_BF16_MODEL_H
#define MB_ISA_BF16_MODEL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

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

/* x * y + c of values whose product is exact in double, where it is not exact with an odd last bit: rounding that once more
 * gives what one rounding gives, and comparing it with a shorter number what comparing the sum itself gives. */
static inline double bf16_odd_sum(float x, float y, float c)
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
    return s;
}

/* Not fmaf: MinGW's rounds twice. */
static inline float bf16_fma(uint16_t a, uint16_t b, float c)
{
    double sum = bf16_odd_sum(bf16_value(a), bf16_value(b), bf16_flush(c));
    /* Zero is what stays below the least normal number when it is rounded to 24 bits, as if there were no subnormal ones: from
     * half a step below that number on (its step there is 2^-150) it is rounded up to it, and stays. */
    return fabs(sum) < 0x1p-126 - 0x1p-151 ? copysignf(0, (float)sum) : (float)sum;
}

/* One lane of VDPBF16PS: a pair of each. */
static inline float bf16_model_pair(float c, uint32_t a, uint32_t b)
{
    float odd = bf16_fma((uint16_t)(a >> 16), (uint16_t)(b >> 16), c);
    return bf16_fma((uint16_t)a, (uint16_t)b, odd);
}

#endif
