/* ViT's attention in f32 arithmetic, any type, head width up to 128: strict f32 runs, and the fallback of
 * vit_attention.cu.
 *   qkv [N,3C,H,W], pad [3C], relative [N*H*W][heads][terms] f32 (vit_relative.cu) -> out [N,C,H,W]
 *   logit = scale * q.k + relative[ky] + relative[a + kx]
 * A block has 16 queries of one map and head, four per warp; keys come in tiles of 32, a lane each. Softmax is online:
 * running maximum and sum, output rescaled when the maximum moves. No token x token matrix exists. */
#include "cuda/ops/attention_online.cuh"
#include "cuda/ops/vit_attention.cuh"
#include "cuda/ops/vit_attention.h"

/* One tile of keys for one query: `bias` is its row of relative terms. */
template <class T>
__device__ inline void add_tile(attention_running &r, const float *q, const float *k, const float *v, const float *bias,
                                const vit_map &m, const vit_keys &keys, int first, int lane)
{
    int key = first + lane;
    float logit = -INFINITY;
    if (key < keys.count) {
        float dot = 0.0f;
        for (int c = 0; c < m.d; c++) {
            dot += q[c] * k[lane * (m.d + 1) + c];
        }
        logit = m.scale * dot + vit_term(m, keys, bias, key);
    }
    attention_add<T>(r, logit, v, m.d, lane);
}

/* Two blocks a multiprocessor are asked for, so that sm_90 takes more than 128 registers and spills none. */
template <class T>
__global__ void __launch_bounds__(WARPS * 32, 2)
    vit_attention_plain(T *out, const T *qkv, const T *pad, const float *relative, vit_map m)
{
    MB_SHARED_DYNAMIC(float, shared);
    float *k = shared, *v = k + KEYS * (m.d + 1), *q = v + KEYS * m.d;
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, tokens = m.a * m.b, head = (int)blockIdx.y;
    int blocks = (tokens + WARPS * QUERIES - 1) / (WARPS * QUERIES), w = (int)blockIdx.x / blocks, n = (int)blockIdx.z;
    int first_query = (int)blockIdx.x % blocks * WARPS * QUERIES, channels = m.heads * m.d;
    const vit_keys keys = vit_keys_of(m, w);
    attention_running r[QUERIES];
    int token[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
        token[i] = vit_token(m, w, n, first_query + warp * QUERIES + i);
        r[i] = attention_running{-INFINITY, 0.0f, {0.0f, 0.0f, 0.0f, 0.0f}};
        for (int c = lane; c < m.d && token[i] >= 0; c += 32) {
            q[(warp * QUERIES + i) * m.d + c] =
                mb_load(qkv[(size_t)token[i] * (size_t)m.qkv_pitch + (size_t)(head * m.d + c)]);
        }
    }
    for (int first = 0; first < keys.count; first += KEYS) {
        __syncthreads(); /* the tile before is done with */
        for (int i = (int)threadIdx.x; i < KEYS * m.d; i += WARPS * 32) {
            int t = vit_key(m, keys, w, n, first + i / m.d), c = i % m.d;
            const T *row = (t >= 0 ? qkv + (size_t)t * (size_t)m.qkv_pitch : t == -1 ? pad : qkv) + head * m.d + c;
            k[i / m.d * (m.d + 1) + c] = t == -2 ? 0.0f : mb_load(row[channels]);
            v[i] = t == -2 ? 0.0f : mb_load(row[2 * channels]);
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < QUERIES; i++) {
            if (token[i] >= 0) { /* the same for the whole warp */
                const float *bias = relative + ((size_t)token[i] * (size_t)m.heads + (size_t)head) * (size_t)m.terms;
                add_tile<T>(r[i], q + (warp * QUERIES + i) * m.d, k, v, bias, m, keys, first, lane);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < QUERIES; i++) {
        for (int e = 0; e < MOST; e++) {
            int c = e * 32 + lane;
            if (token[i] >= 0 && c < m.d) {
                mb_store(out + (size_t)token[i] * (size_t)m.out_pitch + (size_t)(head * m.d + c), r[i].o[e] / r[i].sum);
            }
        }
    }
}

/* Keys, values and queries of a block in shared memory. */
template <class T> static int run(const mb_cuda_vit_args *v, const vit_map &m, mb_stream stream)
{
    int blocks = (m.a * m.b + WARPS * QUERIES - 1) / (WARPS * QUERIES);
    size_t shared = sizeof(float) * (size_t)(KEYS * (2 * m.d + 1) + WARPS * QUERIES * m.d);
    MB_LAUNCH((vit_attention_plain<T>),
              dim3((unsigned)(m.rows * m.cols * blocks), (unsigned)m.heads, (unsigned)v->qkv->dims[0]),
              dim3(WARPS * 32), shared, stream, (T *)v->out->data, (const T *)v->qkv->data, (const T *)v->pad,
              v->relative, m);
    return MB_LAUNCHED();
}

/* By the type of qkv, which is that of out. */
int mb_cuda_launch_vit_attention_plain(const mb_cuda_vit_args *v, mb_stream stream)
{
    return MB_BY_TYPE(v->qkv->dtype, run, v, vit_map_of(v), stream);
}
