/* 1/(1 + exp(-x)) with the same bits on every processor: the C library's expf differs from machine to machine in its
 * last bit, and masks are cut off to 8 bits right after it. exp in f64 (sums and products of their own, none fused: our
 * builds forbid contraction), rounded to f32; then one f32 sum and one division. Off by at most one unit of the last
 * place.
 *
 * The includer may define MB_SIGMOID_FUNCTION: what a function of its processor is called. */
#ifndef MB_CORE_SIGMOID_H
#define MB_CORE_SIGMOID_H

#include <stdint.h>
#include <string.h>

#ifndef MB_SIGMOID_FUNCTION
#define MB_SIGMOID_FUNCTION static inline
#endif

/* NaN gives 0: background. */
MB_SIGMOID_FUNCTION float mb_sigmoid_exact(float x)
{
    const double shift = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to a whole number */
    double t = x > 150.0f ? -150.0 : (x < -150.0f ? 150.0 : -(double)x);
    double whole = t * 1.4426950408889634 + shift;
    int64_t n;
    memcpy(&n, &whole, sizeof n);
    whole = whole - shift;
    /* t - whole * ln 2, in two parts: the first product is exact */
    double r = t - whole * 0.69314718036912382;
    r = r - whole * 1.9082149292705877e-10;
    double p = 1.0 / 39916800.0; /* Taylor to r^11/11!: 2^-47 of the value for |r| <= ln 2 / 2 */
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    uint64_t bits = (uint64_t)(n + 1023) << 52; /* 2^n: the low bits of `whole` hold n */
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    float e = (float)(p * scale);
    return x == x ? 1.0f / (1.0f + e) : 0.0f;
}

#endif
