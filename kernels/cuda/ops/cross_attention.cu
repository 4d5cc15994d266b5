/* Attention to another map on tensor cores, f16 or bf16, head width up to 64 (a multiple of 8; narrower ones are padded
 * with zeros in shared memory).
 *   q [N,C,H,W], kv [N,2C,h,w] -> out [N,C,H,W],   logit = scale * q.k
 * One block per (64 queries, head, item), 4 warps of 16 queries; keys in tiles of 64, double buffered with cp.async;
 * softmax is online: running maximum and sum per row, output rescaled when the maximum moves. */
#include "cuda/ops/attention_tiles.cuh"
#include "cuda/ops/cross_attention.h"

/* Tokens first .. first + TILE of a map that has `count` of them for each item; zeros past their end and past d. */
template <class T>
__device__ inline void load_rows(T *to, const T *from, int64_t pitch, int count, int first, int d, bool vec16)
{
    for (int i = (int)threadIdx.x; i < TILE * DIM / 8; i += WARPS * 32) {
        int row = i / (DIM / 8), c = i % (DIM / 8) * 8, token = first + row;
        bool real = token < count && c < d;
        const T *source = from + (size_t)(real ? token : 0) * (size_t)pitch + (real ? c : 0);
        mb_fetch8(to + row * PITCH + c, source, real ? 8 : 0, vec16);
    }
}

/* s = scale * q k^T for one tile of keys; high = its maximum per row. */
template <class T>
__device__ inline void logits(float (&s)[TILE / 8][4], float (&high)[2], const uint32_t (&a)[DIM / 16][4], const T *k,
                              float scale, int left, int lane)
{
#pragma unroll
    for (int n = 0; n < TILE / 8; n++) {
        attention_products(s[n], a, k, n, lane);
#pragma unroll
        for (int e = 0; e < 4; e++) {
            s[n][e] = n * 8 + lane % 4 * 2 + e % 2 < left ? scale * s[n][e] : -INFINITY;
            high[e / 2] = fmaxf(high[e / 2], s[n][e]);
        }
    }
}

/* The order: queries to registers (through k[0]), the first tile of keys and values on its way, then for each tile:
 * load the next, logits, softmax, values. */
template <class T>
__global__ void __launch_bounds__(WARPS * 32)
    cross_attention(T *out, const T *q, const T *kv, int queries, int keys, int heads, int d, float scale,
                    long long out_pitch, long long q_pitch, long long kv_pitch, bool q_vec16, bool kv_vec16)
{
    MB_SHARED(T, k, [2][TILE * PITCH]);
    MB_SHARED(T, v, [2][TILE * PITCH]);
    int q0 = (int)blockIdx.x * TILE, head = (int)blockIdx.y, n = (int)blockIdx.z;
    int lane = (int)threadIdx.x % 32, row0 = (int)threadIdx.x / 32 * 16;
    const T *from_q = q + (size_t)n * (size_t)queries * (size_t)q_pitch + (size_t)(head * d);
    const T *from_k = kv + (size_t)n * (size_t)keys * (size_t)kv_pitch + (size_t)(head * d);
    const T *from_v = from_k + (size_t)(heads * d);
    load_rows(k[0], from_q, q_pitch, queries, q0, d, q_vec16); /* the queries pass through the first key buffer */
    mb_cp_async_commit();
    mb_cp_async_wait<0>();
    __syncthreads();
    uint32_t a[DIM / 16][4]; /* queries stay in registers */
    attention_queries(a, k[0], row0, lane);
    __syncthreads(); /* the buffer is about to be filled again */
    float o[DIM / 8][4] = {}, top[2] = {-INFINITY, -INFINITY}, sum[2] = {0.0f, 0.0f};
    load_rows(k[0], from_k, kv_pitch, keys, 0, d, kv_vec16);
    load_rows(v[0], from_v, kv_pitch, keys, 0, d, kv_vec16);
    mb_cp_async_commit();
    for (int t = 0; t * TILE < keys; t++) {
        if ((t + 1) * TILE < keys) {
            load_rows(k[(t + 1) % 2], from_k, kv_pitch, keys, (t + 1) * TILE, d, kv_vec16);
            load_rows(v[(t + 1) % 2], from_v, kv_pitch, keys, (t + 1) * TILE, d, kv_vec16);
        }
        mb_cp_async_commit(); /* an empty group at the end keeps the count */
        mb_cp_async_wait<1>();
        __syncthreads();
        float s[TILE / 8][4], high[2] = {top[0], top[1]};
        logits<T>(s, high, a, k[t % 2], scale, keys - t * TILE, lane);
        attention_soften(s, o, top, sum, high);
        attention_values<T>(o, s, v[t % 2], lane);
        __syncthreads(); /* the tile after next goes where this one was */
    }
    mb_cp_async_wait<0>();
#pragma unroll
    for (int h = 0; h < 2; h++) {
        int query = q0 + row0 + lane / 4 + 8 * h;
        float factor = 1.0f / mb_warp_sum<4>(sum[h]);
        if (query < queries) {
            T *to = out + ((size_t)n * (size_t)queries + (size_t)query) * (size_t)out_pitch + (size_t)(head * d);
            mb_store_fragment<T, DIM>(to, o, h, factor, d, mb_pairs(out, out_pitch), lane);
        }
    }
}

template <class T>
static int run(const mb_view *out, const mb_view *q, const mb_view *kv, const mb_cross_attention_attrs *a,
               mb_stream stream)
{
    int queries = (int)(q->dims[2] * q->dims[3]), keys = (int)(kv->dims[2] * kv->dims[3]);
    MB_LAUNCH((cross_attention<T>),
              dim3((unsigned)((queries + TILE - 1) / TILE), (unsigned)a->heads, (unsigned)q->dims[0]), dim3(WARPS * 32),
              0, stream, (T *)out->data, (const T *)q->data, (const T *)kv->data, queries, keys, a->heads,
              (int)(out->dims[1] / a->heads), a->scale, out->pitch, q->pitch, kv->pitch, mb_is_vec16(q, 8),
              mb_is_vec16(kv, 8));
    return MB_LAUNCHED();
}

/* By the type of out: f16 or bf16. */
int mb_cuda_launch_cross_attention(const mb_view *out, const mb_view *q, const mb_view *kv,
                                   const mb_cross_attention_attrs *a, mb_stream stream)
{
    return out->dtype == MB_BF16 ? run<bfloat16>(out, q, kv, a, stream) : run<half>(out, q, kv, a, stream);
}
