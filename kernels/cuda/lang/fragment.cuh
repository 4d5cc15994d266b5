/* Moving rows between memory and tensor-core fragments, for both attentions. */
#ifndef MB_CUDA_LANG_FRAGMENT_CUH
#define MB_CUDA_LANG_FRAGMENT_CUH

#include "cuda/lang/mma.h"

/* Eight 16-bit values global -> shared, of which the first `real` exist; zeros for the others. vec16: one asynchronous
 * access (real is 0 or at least 8 then), visible after commit, wait and a barrier. */
template <class T> __device__ inline void mb_fetch8(T *to, const T *from, int real, bool vec16)
{
    if (vec16) {
        mb_cp_async16(to, from, real > 0);
        return;
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        T zero;
        mb_store(&zero, 0.0f);
        to[i] = i < real ? from[i] : zero;
    }
}

/* May two neighbours be written in one access at even offsets? */
__device__ inline bool mb_pairs(const void *p, int64_t pitch)
{
    return (uintptr_t)p % 4 == 0 && pitch % 2 == 0;
}

/* Half h (rows lane / 4 + 8 h) of fragments of 16 x 8 to one row of d <= WIDTH values, times scale. */
template <class T, int WIDTH>
__device__ inline void mb_store_fragment(T *to, const float (&o)[WIDTH / 8][4], int h, float scale, int d, bool pairs,
                                         int lane)
{
#pragma unroll
    for (int e = 0; e < WIDTH / 8; e++) {
        int c = e * 8 + lane % 4 * 2;
        if (pairs && c + 1 < d) {
            *reinterpret_cast<uint32_t *>(to + c) = mb_pack<T>(o[e][2 * h] * scale, o[e][2 * h + 1] * scale);
        } else if (c < d) {
            mb_store(to + c, o[e][2 * h] * scale);
            if (c + 1 < d) {
                mb_store(to + c + 1, o[e][2 * h + 1] * scale);
            }
        }
    }
}

#endif
