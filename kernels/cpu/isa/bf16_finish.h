/* What every set of bf16 loops shares: rounding, and the end of a product. Vectors: simd.h. */
#ifndef MB_ISA_BF16_FINISH_H
#define MB_ISA_BF16_FINISH_H

#include "bf16.h"
#include "simd.h"

#include <string.h>

typedef uint32_t mb_pair __attribute__((aligned(2), may_alias)); /* two values along K */
typedef int32_t mb_vi_anywhere __attribute__((vector_size(4 * MB_W), aligned(2), may_alias));

/* Nearest even; NaN stays NaN. */
MB_INLINE uint16_t narrow_one(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
#if defined(MB_BF16_FLUSHES)
    if ((u & 0x7f800000u) == 0) {
        return (uint16_t)(u >> 16 & 0x8000u);
    }
#endif
    if ((u & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)(u >> 16 | 0x40u);
    }
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

MB_INLINE void store_narrow(uint16_t *to, mb_v x)
{
#if defined(__AVX512BF16__)
    _mm256_storeu_si256((__m256i *)(void *)to, (__m256i)_mm512_cvtneps_pbh((__m512)x));
#elif MB_W == 16
    __m512i u = (__m512i)x, odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    __m512i r = _mm512_srli_epi32(_mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    __mmask16 nan = _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q);
    r = _mm512_mask_or_epi32(r, nan, _mm512_srli_epi32(u, 16), _mm512_set1_epi32(0x40));
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_cvtepi32_epi16(r));
#elif defined(MB_NEON) && defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    vst1_bf16((bfloat16_t *)(void *)to, vcvt_bf16_f32((float32x4_t)x));
#elif defined(MB_NEON)
    uint32x4_t u = (uint32x4_t)x, odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    uint16x4_t r = vshrn_n_u32(vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
    uint16x4_t nan = vmovn_u32(vmvnq_u32(vceqq_f32((float32x4_t)x, (float32x4_t)x)));
    vst1_u16(to, vbsl_u16(nan, vorr_u16(vshrn_n_u32(u, 16), vdup_n_u16(0x40)), r));
#else
    for (int i = 0; i < MB_W; i++) {
        to[i] = narrow_one(x[i]);
    }
#endif
}

static inline void narrow(uint16_t *to, const float *from, int64_t n)
{
    int64_t i = 0;
    for (; i + MB_W <= n; i += MB_W) {
        store_narrow(to + i, v_load(from + i));
    }
    for (; i < n; i++) {
        to[i] = narrow_one(from[i]);
    }
}

MB_INLINE mb_v bf16_activate(mb_v x, mb_activation act)
{
    switch (act) {
    case MB_ACT_RELU:
        return v_max(v_set(0), x); /* NaN stays NaN, as in f32 */
    case MB_ACT_GELU:
        return v_gelu(x);
    case MB_ACT_SIGMOID:
        return v_sigmoid(x);
    case MB_ACT_NONE:
    default:
        return x;
    }
}

/* Sums of one vector of columns to the output: bias and addend with the first block of K, what is there with the
 * others, the activation with the last. */
MB_INLINE mb_v finish(const mb_bf16_panel *p, mb_v sum, const float *bias, const float *addend, const float *out)
{
    sum += p->first && bias != NULL ? v_load(bias) : v_set(0);
    if (!p->first) {
        sum += v_load(out);
    } else if (addend != NULL) {
        sum += v_load(addend);
    }
    return p->last ? bf16_activate(sum, p->act) : sum;
}

/* The first n columns of a vector: the same arithmetic on copies. */
static void finish_part(const mb_bf16_panel *p, mb_v sum, const float *bias, const float *addend, float *out, int64_t n)
{
    float now[MB_W] = {0}, more[MB_W] = {0};
    size_t bytes = (size_t)n * sizeof(float);
    if (!p->first) {
        memcpy(now, out, bytes);
    } else if (addend != NULL) {
        memcpy(more, addend, bytes);
    }
    v_store(now, finish(p, sum, bias, addend != NULL ? more : NULL, now));
    memcpy(out, now, bytes);
}

#endif
