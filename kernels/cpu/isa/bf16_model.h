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

static inline float bf16_fma(uint16_t a, uint16_t b, float c)
{
    float x = bf16_value(a), y = bf16_value(b), sum = fmaf(x, y, bf16_flush(c));
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
