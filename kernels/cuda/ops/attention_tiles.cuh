/* What both attentions on tensor cores share: tiles of 64 tokens in shared memory, 4 warps of 16 queries, softmax online. A warp holds
 * the logits of its queries for one tile of keys (s), the running maximum and sum of each of a lane's two rows (top, sum) and their
 * outputs (o), all as fragments of m16n8k16 (cuda/lang/fragment.cuh). */
#ifndef CUDA_OPS_ATTENTION_TILES_CUH
#define CUDA_OPS_ATTENTION_TILES_CUH
#include "cuda/lang/each.cuh"
#include "cuda/lang/fragment.cuh"

enum { TILE = 64, DIM = 64, PITCH = DIM + 8, WARPS = TILE / 16 };

/* The queries of a warp, which start at row0 of a tile, become the A operand. */
template <class T>
__device__ inline void attention_queries(uint32_t (&a)[DIM / 16][4], const T *tile, int row0, int lane)
{
#pragma unroll
    for (int d = 0; d < DIM / 16; d++) {
        mb_ldmatrix4(a[d], tile + (row0 + lane % 16) * PITCH + d * 16 + lane / 16 * 8);
    }
}

/* s = q k^T for the eight keys n * 8 .. n * 8 + 7 of a tile. */
template <class T>
__device__ inline void attention_products(float (&s)[4], const uint32_t (&a)[DIM / 16][4], const T *k, int n, int lane)
{
    s[0] = s[1] = s[2] = s[3] = 0.0f;
#pragma unroll
    for (int d = 0; d < DIM / 32; d++) {
        uint32_t b[4];
        mb_ldmatrix4(b, k + (n * 8 + lane % 8) * PITCH + d * 32 + lane / 8 * 8);
        uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
        mb_mma<T>(s, a[2 * d], b0);
        mb_mma<T>(s, a[2 * d + 1], b1);
    }
}

/* Probabilities of this tile, and what came before rescaled to the new maximum. */
__device__ inline void attention_soften(float (&s)[TILE / 8][4], float (&o)[DIM / 8][4], float (&top)[2],
                                        float (&sum)[2], const float (&high)[2])
{
#pragma unroll
    for (int h = 0; h < 2; h++) {
        float now = mb_warp_max<4>(high[h]); /* finite: every tile has at least one key */
        float scale = __expf(top[h] - now);
        top[h] = now;
        sum[h] *= scale;
#pragma unroll
        for (int c = 0; c < DIM / 8; c++) {
            o[c][2 * h] *= scale;
            o[c][2 * h + 1] *= scale;
        }
    }
#pragma unroll
    for (int n = 0; n < TILE / 8; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            s[n][e] = __expf(s[n][e] - top[e >> 1]);
            sum[e >> 1] += s[n][e];
        }
    }
}

/* o += probabilities * v. */
template <class T>
__device__ inline void attention_values(float (&o)[DIM / 8][4], const float (&s)[TILE / 8][4], const T *v, int lane)
{
#pragma unroll
    for (int n = 0; n < TILE / 8; n += 2) {
        uint32_t b[4], p[4] = {mb_pack<T>(s[n][0], s[n][1]), mb_pack<T>(s[n][2], s[n][3]),
                               mb_pack<T>(s[n + 1][0], s[n + 1][1]), mb_pack<T>(s[n + 1][2], s[n + 1][3])};
#pragma unroll
        for (int c = 0; c < DIM / 16; c++) {
            mb_ldmatrix4_trans(b, v + (n * 8 + lane % 16) * PITCH + c * 16 + lane / 16 * 8);
            uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
            mb_mma<T>(o[2 * c], p, b0);
            mb_mma<T>(o[2 * c + 1], p, b1);
        }
    }
}

#endif
