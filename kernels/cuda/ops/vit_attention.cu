/* ViT's attention on tensor cores, head width 64, f16 or bf16; global or windowed; no token x token matrix exists.
 *   qkv [N,3C,H,W], pad [3C], relative [N*H*W][heads][terms] f32 (vit_relative.cu) -> out [N,C,H,W]
 *   logit = scale * q.k + relative[ky] + relative[a + kx]                               docs/models/vitmatte.md 4.3
 * (relative NULL, terms 0: scale * q.k)
 * One block per (64 queries of a map, head, item), 4 warps of 16 queries; keys in tiles of 64, double buffered with
 * cp.async; softmax is online: running maximum and sum per row, output rescaled when the maximum moves. The relative
 * terms cost two reads per logit; as extra columns of q and one-hot columns of k they would cost (a + b) / 64 times the
 * first product. They lie in shared memory if it is large enough, else they are read from the cache. */
#include "cuda/ops/attention_tiles.cuh"
#include "cuda/ops/vit_attention.cuh"
#include "cuda/ops/vit_attention.h"

/* Keys first .. first + TILE of one part of qkv (from: the part's offset); past their end zeros. */
template <class T>
__device__ inline void load_tile(T *to, const T *qkv, const T *pad, size_t from, const vit_map &m, const vit_keys &keys,
                                 int w, int first, bool vec16)
{
    for (int i = (int)threadIdx.x; i < TILE * DIM / 8; i += WARPS * 32) {
        int row = i / (DIM / 8), c = i % (DIM / 8) * 8, token = vit_key(m, keys, w, (int)blockIdx.z, first + row);
        const T *source = token >= 0 ? qkv + (size_t)token * (size_t)m.qkv_pitch : token == -1 ? pad : qkv;
        mb_fetch8(to + row * PITCH + c, source + from + c, token == -2 ? 0 : 8, vec16);
    }
}

/* s = scale * q k^T + relative terms for one tile of keys; high = its maximum per row. */
template <class T>
__device__ inline void logits(float (&s)[TILE / 8][4], float (&high)[2], const uint32_t (&a)[DIM / 16][4], const T *k,
                              const float *const (&bias)[2], const vit_map &m, const vit_keys &keys, int first,
                              int lane)
{
#pragma unroll
    for (int n = 0; n < TILE / 8; n++) {
        attention_products(s[n], a, k, n, lane);
#pragma unroll
        for (int e = 0; e < 2; e++) {
            int key = first + n * 8 + lane % 4 * 2 + e;
#pragma unroll
            for (int h = 0; h < 2; h++) {
                float logit =
                    key < keys.count ? m.scale * s[n][2 * h + e] + vit_term(m, keys, bias[h], key) : -INFINITY;
                s[n][2 * h + e] = logit;
                high[h] = fmaxf(high[h], logit);
            }
        }
    }
}

/* Queries q0 .. q0 + 63 of map w. The order: queries to registers (through k[0]), the first tile of keys and values
 * on its way, then for each tile: load the next, logits, softmax, values. */
template <class T>
__global__ void __launch_bounds__(WARPS * 32)
    vit_attention(T *out, const T *qkv, const T *pad, const float *relative, vit_map m, bool vec16, bool bias_is_shared)
{
    MB_SHARED_DYNAMIC(float, shared_bias); /* [TILE][terms + 1] */
    MB_SHARED(T, k, [2][TILE * PITCH]);
    MB_SHARED(T, v, [2][TILE * PITCH]);
    int tiles = (m.a * m.b + TILE - 1) / TILE, w = (int)blockIdx.x / tiles, q0 = (int)blockIdx.x % tiles * TILE;
    int head = (int)blockIdx.y, lane = (int)threadIdx.x % 32, row0 = (int)threadIdx.x / 32 * 16, terms = m.terms;
    const vit_keys keys = vit_keys_of(m, w), places = {m.b, m.a * m.b, m.a * m.b};
    size_t part = (size_t)m.heads * DIM, from = (size_t)head * DIM;

    load_tile(k[0], qkv, pad, from, m, places, w, q0, vec16); /* the queries pass through the first key buffer */
    mb_cp_async_commit();
    for (int i = (int)threadIdx.x; i < TILE * terms && bias_is_shared; i += WARPS * 32) {
        int t = vit_token(m, w, (int)blockIdx.z, q0 + i / terms);
        size_t r = ((size_t)(t < 0 ? 0 : t) * (size_t)m.heads + (size_t)head) * (size_t)terms;
        shared_bias[i / terms * (terms + 1) + i % terms] = relative[r + (size_t)(i % terms)];
    }
    mb_cp_async_wait<0>();
    __syncthreads();
    uint32_t a[DIM / 16][4]; /* queries stay in registers */
    attention_queries(a, k[0], row0, lane);
    __syncthreads(); /* the buffer is about to be filled again */

    float o[DIM / 8][4] = {}, top[2] = {-INFINITY, -INFINITY}, sum[2] = {0.0f, 0.0f};
    int token[2];
    const float *bias[2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
        int row = row0 + lane / 4 + 8 * h;
        token[h] = vit_token(m, w, (int)blockIdx.z, q0 + row);
        bias[h] = bias_is_shared ? shared_bias + row * (terms + 1)
                                 : relative + ((size_t)(token[h] < 0 ? 0 : token[h]) * (size_t)m.heads + (size_t)head) *
                                                  (size_t)terms;
    }
    load_tile(k[0], qkv, pad, from + part, m, keys, w, 0, vec16);
    load_tile(v[0], qkv, pad, from + 2 * part, m, keys, w, 0, vec16);
    mb_cp_async_commit();
    for (int t = 0; t * TILE < keys.count; t++) {
        if ((t + 1) * TILE < keys.count) {
            load_tile(k[(t + 1) % 2], qkv, pad, from + part, m, keys, w, (t + 1) * TILE, vec16);
            load_tile(v[(t + 1) % 2], qkv, pad, from + 2 * part, m, keys, w, (t + 1) * TILE, vec16);
        }
        mb_cp_async_commit(); /* an empty group at the end keeps the count */
        mb_cp_async_wait<1>();
        __syncthreads();
        float s[TILE / 8][4], high[2] = {top[0], top[1]};
        logits<T>(s, high, a, k[t % 2], bias, m, keys, t * TILE, lane);
        attention_soften(s, o, top, sum, high);
        attention_values<T>(o, s, v[t % 2], lane);
        __syncthreads(); /* the tile after next goes where this one was */
    }
    mb_cp_async_wait<0>();
#pragma unroll
    for (int h = 0; h < 2; h++) {
        float scale = 1.0f / mb_warp_sum<4>(sum[h]);
        if (token[h] >= 0) {
            T *to = out + (size_t)token[h] * (size_t)m.out_pitch + from;
            mb_store_fragment<T, DIM>(to, o, h, scale, DIM, mb_pairs(out, m.out_pitch), lane);
        }
    }
}

/* The terms of 64 queries go to shared memory if they fit beside the tiles. */
template <class T> static int run(const mb_cuda_vit_args *v, const vit_map &m, mb_stream stream)
{
    size_t bias = (size_t)TILE * (size_t)(m.terms + 1) * sizeof(float), fixed = sizeof(T) * 4 * TILE * PITCH;
    bool fits = bias + fixed <= v->shared_most;
    int tiles = (m.a * m.b + TILE - 1) / TILE;
    MB_LAUNCH((vit_attention<T>),
              dim3((unsigned)(m.rows * m.cols * tiles), (unsigned)m.heads, (unsigned)v->qkv->dims[0]), dim3(WARPS * 32),
              fits ? bias : 0, stream, (T *)v->out->data, (const T *)v->qkv->data, (const T *)v->pad, v->relative, m,
              mb_is_vec16(v->qkv, 8), fits);
    return MB_LAUNCHED();
}

/* By the type of out: f16 or bf16. */
int mb_cuda_launch_vit_attention(const mb_cuda_vit_args *v, mb_stream stream)
{
    vit_map m = vit_map_of(v);
    return v->out->dtype == MB_BF16 ? run<bfloat16>(v, m, stream) : run<half>(v, m, stream);
}
