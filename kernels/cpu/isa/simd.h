/* Vectors of f32 as wide as the flags of the including file allow: 16 with AVX-512, 8 with AVX2 + FMA, else 4. On 64-bit
 * Arm the files that define MB_NEON use its intrinsics; the generic set stays what the C compiler makes of it.
 *
 * Inner loops are written once on these names and compiled once per instruction set (isa/kernels_*.c). GCC's vector
 * types do the arithmetic; intrinsics stand only where the plain form would not give one instruction. */
#ifndef MB_SIMD_H
#define MB_SIMD_H

#include <stdint.h>

#if defined(__SSE__)
#include <immintrin.h>
#endif
#if defined(MB_NEON)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define MB_W 16
#elif defined(__AVX2__)
#define MB_W 8
#else
#define MB_W 4
#endif

#define MB_INLINE static inline __attribute__((always_inline, unused))

typedef float mb_v __attribute__((vector_size(4 * MB_W)));
typedef int32_t mb_vi __attribute__((vector_size(4 * MB_W)));
typedef uint32_t mb_vu __attribute__((vector_size(4 * MB_W))); /* for sums that wrap */
typedef float mb_v_anywhere __attribute__((vector_size(4 * MB_W), aligned(4), may_alias));

MB_INLINE mb_v v_load(const float *p)
{
    return *(const mb_v_anywhere *)p;
}
MB_INLINE void v_store(float *p, mb_v x)
{
    *(mb_v_anywhere *)p = x;
}
MB_INLINE mb_v v_set(float x)
{
#if MB_W == 16
    return (mb_v)_mm512_set1_ps(x);
#elif MB_W == 8
    return (mb_v)_mm256_set1_ps(x);
#else
    return (mb_v){x, x, x, x};
#endif
}
/* a * b + c; rounded once where the processor can. */
MB_INLINE mb_v v_fma(mb_v a, mb_v b, mb_v c)
{
#if MB_W == 16
    return (mb_v)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif MB_W == 8
    return (mb_v)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(MB_NEON)
    return (mb_v)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}
#if defined(MB_NEON)
/* a * x[lane] + c: `lane` is a constant. */
#define v_fma_lane(a, x, lane, c) ((mb_v)vfmaq_laneq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(x), lane))
#endif
/* Of NaN and a number, b: as the processors have it. */
MB_INLINE mb_v v_max(mb_v a, mb_v b)
{
#if MB_W == 16
    return (mb_v)_mm512_max_ps((__m512)a, (__m512)b);
#elif MB_W == 8
    return (mb_v)_mm256_max_ps((__m256)a, (__m256)b);
#else
    mb_vi m = a > b;
    return (mb_v)(((mb_vi)a & m) | ((mb_vi)b & ~m));
#endif
}
MB_INLINE mb_v v_min(mb_v a, mb_v b)
{
#if MB_W == 16
    return (mb_v)_mm512_min_ps((__m512)a, (__m512)b);
#elif MB_W == 8
    return (mb_v)_mm256_min_ps((__m256)a, (__m256)b);
#else
    mb_vi m = a < b;
    return (mb_v)(((mb_vi)a & m) | ((mb_vi)b & ~m));
#endif
}

/* x between -limit and limit; of NaN any of these or NaN. */
MB_INLINE mb_v v_within(mb_v x, float limit)
{
#if defined(MB_NEON) /* one instruction each, where those above take two: NaN stays there */
    return (mb_v)vminq_f32(vmaxq_f32((float32x4_t)x, vdupq_n_f32(-limit)), vdupq_n_f32(limit));
#else
    return v_min(v_max(x, v_set(-limit)), v_set(limit));
#endif
}

/* Lanes folded in halves: a fixed order. */
MB_INLINE float v_sum(mb_v x)
{
#if MB_W >= 8
#if MB_W == 16
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1));
#else
    __m256 half = (__m256)x;
#endif
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
#else
    return (x[0] + x[2]) + (x[1] + x[3]);
#endif
}
/* The largest lane. */
MB_INLINE float v_most(mb_v x)
{
#if MB_W >= 8
#if MB_W == 16
    __m256 half = _mm256_max_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1));
#else
    __m256 half = (__m256)x;
#endif
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
#else
    float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
    return a > b ? a : b;
#endif
}

/* e^x within 2 ulp on [-87.3, 88]; clamped outside. x = n ln 2 + r, |r| <= ln 2 / 2, Taylor-like polynomial of r. */
MB_INLINE mb_v v_exp(mb_v x)
{
    const mb_v magic = v_set(12582912.0f);            /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
    x = v_min(v_set(88.0f), v_max(v_set(-87.3f), x)); /* in this order NaN stays NaN */
    mb_v t = v_fma(x, v_set(1.44269504088896341f), magic);
    mb_v n = t - magic;
    mb_v r = v_fma(n, v_set(-0.693359375f), x);
    r = v_fma(n, v_set(2.12194440e-4f), r);
    mb_v p = v_set(1.0f / 5040);
    p = v_fma(p, r, v_set(1.0f / 720));
    p = v_fma(p, r, v_set(1.0f / 120));
    p = v_fma(p, r, v_set(1.0f / 24));
    p = v_fma(p, r, v_set(1.0f / 6));
    p = v_fma(p, r, v_set(0.5f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    return (mb_v)((mb_vu)p + ((mb_vu)t << 23)); /* times 2^n; what is not finite wraps */
}

/* y, but 0 in lanes where x < limit. */
MB_INLINE mb_v v_unless_below(mb_v x, mb_v limit, mb_v y)
{
#if MB_W == 16
    return (mb_v)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)x, (__m512)limit, _CMP_NLT_UQ), (__m512)y);
#else
    return (mb_v)((mb_vi)y & ~(mb_vi)(x < limit));
#endif
}

/* e^x for x <= 0 within 1.1e-7, 0 below -87.3: for softmax, where it is a quarter of the work. Not 2^-126: products
 * with that are subnormal, and take the processor a hundred times as long. */
MB_INLINE mb_v v_exp_negative(mb_v x)
{
    const mb_v magic = v_set(12582912.0f);
    const mb_v unclamped = x;
    x = v_max(v_set(-87.3f), x);
    mb_v t = v_fma(x, v_set(1.44269504088896341f), magic);
    mb_v n = t - magic;
    mb_v r = v_fma(n, v_set(-0.693359375f), x);
    r = v_fma(n, v_set(2.12194440e-4f), r);
    mb_v p = v_fma(v_set(0.008312523365020752f), r, v_set(0.041890162974596024f));
    p = v_fma(p, r, v_set(0.16667114198207855f));
    p = v_fma(p, r, v_set(0.499992311000824f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    return v_unless_below(unclamped, v_set(-87.3f), (mb_v)((mb_vu)p + ((mb_vu)t << 23)));
}

MB_INLINE mb_v v_sigmoid(mb_v x)
{
    return v_set(1.0f) / (v_set(1.0f) + v_exp(-x));
}

/* erf(z) = z P(z^2) / Q(z^2) on |z| <= 3.9 (1 to f32 beyond); P, Q fitted here by reweighted least squares: 1.5e-8
 * before rounding, 3.5e-7 with it. */
MB_INLINE mb_v v_erf(mb_v z)
{
    z = v_within(z, 3.9f);
    mb_v s = z * z;
    mb_v p = v_set(2.0505285647232085e-06f);
    p = v_fma(p, s, v_set(0.0002874429919756949f));
    p = v_fma(p, s, v_set(0.003836181713268161f));
    p = v_fma(p, s, v_set(0.05296478047966957f));
    p = v_fma(p, s, v_set(0.19192461669445038f));
    p = v_fma(p, s, v_set(1.128378987312317f));
    mb_v q = v_set(3.823146835202351e-05f);
    q = v_fma(q, s, v_set(0.001181568717584014f));
    q = v_fma(q, s, v_set(0.015107812359929085f));
    q = v_fma(q, s, v_set(0.11475145071744919f));
    q = v_fma(q, s, v_set(0.5034205317497253f));
    q = v_fma(q, s, v_set(1.0f));
    return z * p / q;
}

MB_INLINE mb_v v_gelu(mb_v x)
{
    mb_v half = v_set(0.5f) * x;
    return v_fma(half, v_erf(x * v_set(0.70710678118654752440f)), half);
}

#endif
