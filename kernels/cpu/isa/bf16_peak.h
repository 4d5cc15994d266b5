/* As many multiply-adds as dot_pair of the including file does when nothing comes from memory (mb_bf16_loops.peak). */
#include "bf16_finish.h"

#define MB_PEAK_SUMS 12

/* Keeps the compiler from computing a step once for all rounds. */
#if defined(__AVX512F__)
#define MB_OPAQUE(x) __asm__ volatile("" : "+v"(x))
#elif defined(__x86_64__)
#define MB_OPAQUE(x) __asm__ volatile("" : "+x"(x))
#elif defined(__aarch64__)
#define MB_OPAQUE(x) __asm__ volatile("" : "+w"(x))
#else
#define MB_OPAQUE(x) __asm__ volatile("" : "+m"(x))
#endif

static int64_t peak(int64_t rounds)
{
    mb_v sum[MB_PEAK_SUMS], all = v_set(0);
    mb_vi weights = (mb_vi)v_set(1.0f);
#pragma GCC unroll 12
    for (int i = 0; i < MB_PEAK_SUMS; i++) {
        sum[i] = v_set(0);
    }
    for (int64_t r = 0; r < rounds; r++) {
        MB_OPAQUE(weights);
#pragma GCC unroll 12
        for (int i = 0; i < MB_PEAK_SUMS; i++) {
            sum[i] = dot_pair(sum[i], 0x00010001u, weights);
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < MB_PEAK_SUMS; i++) {
        all += sum[i];
    }
    volatile float keep = v_sum(all);
    (void)keep;
    return rounds * MB_PEAK_SUMS * 2 * MB_W;
}
