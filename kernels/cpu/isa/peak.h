/* As many multiply-adds as the vectors do when nothing comes from memory (mb_simd.peak): independent sums. */
#include "isa.h"
#include "simd.h"

#define MB_PEAK_SUMS 12 /* more than latency times units of any processor, fewer than registers */

static int64_t peak(int64_t rounds)
{
    mb_v sum[MB_PEAK_SUMS], factor = v_set(0.5f), more = v_set(1.0f), all = v_set(0);
#pragma GCC unroll 12
    for (int i = 0; i < MB_PEAK_SUMS; i++) {
        sum[i] = v_set((float)i);
    }
    for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < MB_PEAK_SUMS; i++) {
            sum[i] = v_fma(sum[i], factor, more);
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < MB_PEAK_SUMS; i++) {
        all += sum[i];
    }
    volatile float keep = v_sum(all);
    (void)keep;
    return rounds * MB_PEAK_SUMS * MB_W;
}
