/* What both attentions in f32 arithmetic share: a block has 16 queries of one head, four per warp; keys come in tiles of 32, a lane each;
 * softmax is online, the output rescaled when the maximum moves. */
#ifndef CUDA_OPS_ATTENTION_ONLINE_CUH
#define CUDA_OPS_ATTENTION_ONLINE_CUH
#include "cuda/lang/each.cuh"

enum { WARPS = 4, QUERIES = 4, KEYS = 32, MOST = 4 /* channels per lane: d <= 128 */ };

/* The softmax so far of one query: maximum, sum, and this lane's channels of the output (c = e * 32 + lane). */
struct attention_running {
    float top, sum, o[MOST];
};

/* One tile of keys for one query: `logit` is the lane's key's (-INFINITY past the last key), v [KEYS][d]. */
template <class T>
__device__ inline void attention_add(attention_running &r, float logit, const float *v, int d, int lane)
{
    float top = fmaxf(r.top, mb_warp_max(logit)); /* finite: every tile has a key */
    float p = mb_exp<T>(logit - top), shrink = mb_exp<T>(r.top - top);
    r.top = top;
    r.sum = r.sum * shrink + mb_warp_sum(p);
#pragma unroll
    for (int e = 0; e < MOST; e++) {
        r.o[e] *= shrink;
    }
    for (int j = 0; j < KEYS; j++) {
        float pj = __shfl_sync(0xffffffffu, p, j);
#pragma unroll
        for (int e = 0; e < MOST; e++) {
            int c = e * 32 + lane;
            r.o[e] += c < d ? pj * v[j * d + c] : 0.0f;
        }
    }
}

#endif
