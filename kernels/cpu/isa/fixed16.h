/* Products of 16-bit integers with exact 32-bit sums: for processors that multiply those faster than bf16. Rows and
 * weights are scaled per run of K (MB_FIXED16_NORM), which leaves about eleven bits for a typical value where bf16 has
 * eight. The memory is that of bf16 products. */
#define MB_BF16_UNIT 2
#include "bf16_finish.h"

#include <math.h>

/* Pairs of a row and of a vector of columns, added to 32-bit sums that are carried in a vector of f32. */
MB_INLINE mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
#if defined(__AVX512VNNI__)
    __asm__("vpdpwssd %2, %1, %0" : "+v"(c) : "v"(_mm512_set1_epi32((int32_t)a)), "v"(w));
    return c; /* not the intrinsic: gcc 12 copies the sums around it, a fifth of the time */
#elif MB_W == 8
    return (mb_v)_mm256_add_epi32((__m256i)c, _mm256_madd_epi16(_mm256_set1_epi32((int32_t)a), (__m256i)w));
#else
    typedef uint32_t wrapping __attribute__((vector_size(sizeof(mb_vi)))); /* sums may leave the range on their way */
    mb_vi low = ((mb_vi)((wrapping)w << 16) >> 16) * (int32_t)(int16_t)(a & 0xffff);
    mb_vi high = (w >> 16) * (int32_t)(int16_t)(a >> 16);
    return (mb_v)((wrapping)c + (wrapping)low + (wrapping)high);
#endif
}

#define MB_PAIR_SUM(p, sum, row, column)                                                                               \
    (__builtin_convertvector((mb_vi)(sum), mb_v) * (v_set((p)->row_scale[row]) * v_load((p)->column_scale + (column))))

#include "bf16_panel.h"

static void quantise(uint16_t *to, const float *from, int64_t n, float scale)
{
    int64_t i = 0;
#if MB_W == 16
    const __m512 s = _mm512_set1_ps(scale);
    for (; i + MB_W <= n; i += MB_W) {
        __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(from + i), s));
        _mm256_storeu_si256((__m256i *)(void *)(to + i), _mm512_cvtsepi32_epi16(q));
    }
#elif MB_W == 8
    const __m256 s = _mm256_set1_ps(scale);
    for (; i + 2 * MB_W <= n; i += 2 * MB_W) {
        __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from + i), s));
        __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from + i + MB_W), s));
        __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(to + i), both);
    }
#endif
    for (; i < n; i++) {
        float x = from[i] * scale;
        x = x > -32767 ? (x < 32767 ? x : 32767) : -32767; /* what is not a number: row_scale is none either */
        to[i] = (uint16_t)(int16_t)lrintf(x);
    }
}

static float square_sum(const float *from, int64_t n)
{
    mb_v a = v_set(0), b = v_set(0);
    float rest = 0;
    int64_t i = 0;
    for (; i + 2 * MB_W <= n; i += 2 * MB_W) {
        mb_v x = v_load(from + i), y = v_load(from + i + MB_W);
        a = v_fma(x, x, a);
        b = v_fma(y, y, b);
    }
    for (; i < n; i++) {
        rest += from[i] * from[i];
    }
    return v_sum(a + b) + rest;
}

#define MB_FIXED16_TABLE(name_)                                                                                        \
    {                                                                                                                  \
        .name = (name_), .unit = MB_BF16_UNIT, .tile_rows = MB_BF16_TILE_ROWS, .quantise = quantise,                   \
        .square_sum = square_sum, .panel = panel, .peak = peak,                                                        \
    }
