/* Attention to another map in f32 arithmetic, any type, head width up to 128: strict f32 runs, and the fallback of
 * cross_attention.cu.
 *   q [N,C,H,W], kv [N,2C,h,w] -> out [N,C,H,W],   logit = scale * q.k
 * A block has 16 queries of one item and head, four per warp; keys come in tiles of 32, a lane each. Softmax is online:
 * running maximum and sum, output rescaled when the maximum moves. */
#include "cuda/ops/attention_online.cuh"
#include "cuda/ops/cross_attention.h"

struct cross_sizes {
    int queries, keys, heads, d;
    float scale;
    int64_t q_pitch, kv_pitch, out_pitch;
};

/* One tile of keys for one query. */
template <class T>
__device__ inline void add_tile(attention_running &r, const float *q, const float *k, const float *v,
                                const cross_sizes &m, int first, int lane)
{
    float logit = -INFINITY;
    if (first + lane < m.keys) {
        float dot = 0.0f;
        for (int c = 0; c < m.d; c++) {
            dot += q[c] * k[lane * (m.d + 1) + c];
        }
        logit = m.scale * dot;
    }
    attention_add<T>(r, logit, v, m.d, lane);
}

template <class T>
__global__ void __launch_bounds__(WARPS * 32, 2)
    cross_attention_plain(T *out, const T *q_map, const T *kv_map, cross_sizes m)
{
    MB_SHARED_DYNAMIC(float, shared);
    float *k = shared, *v = k + KEYS * (m.d + 1), *q = v + KEYS * m.d;
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, head = (int)blockIdx.y, n = (int)blockIdx.z;
    int first_query = ((int)blockIdx.x * WARPS + warp) * QUERIES, channels = m.heads * m.d;
    attention_running r[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
        r[i] = attention_running{-INFINITY, 0.0f, {0.0f, 0.0f, 0.0f, 0.0f}};
        const size_t token = (size_t)n * (size_t)m.queries + (size_t)(first_query + i);
        for (int c = lane; c < m.d && first_query + i < m.queries; c += 32) {
            q[(warp * QUERIES + i) * m.d + c] = mb_load(q_map[token * (size_t)m.q_pitch + (size_t)(head * m.d + c)]);
        }
    }
    for (int first = 0; first < m.keys; first += KEYS) {
        __syncthreads(); /* the tile before is done with */
        for (int i = (int)threadIdx.x; i < KEYS * m.d; i += WARPS * 32) {
            int key = first + i / m.d, c = i % m.d;
            const bool real = key < m.keys;
            const T *row =
                kv_map + ((size_t)n * (size_t)m.keys + (size_t)(real ? key : 0)) * (size_t)m.kv_pitch + head * m.d + c;
            k[i / m.d * (m.d + 1) + c] = real ? mb_load(row[0]) : 0.0f;
            v[i] = real ? mb_load(row[channels]) : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < QUERIES; i++) {
            if (first_query + i < m.queries) { /* the same for the whole warp */
                add_tile<T>(r[i], q + (warp * QUERIES + i) * m.d, k, v, m, first, lane);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < QUERIES; i++) {
        const size_t token = (size_t)n * (size_t)m.queries + (size_t)(first_query + i);
        for (int e = 0; e < MOST; e++) {
            int c = e * 32 + lane;
            if (first_query + i < m.queries && c < m.d) {
                mb_store(out + token * (size_t)m.out_pitch + (size_t)(head * m.d + c), r[i].o[e] / r[i].sum);
            }
        }
    }
}

/* Keys, values and queries of a block in shared memory. */
template <class T>
static int run(const mb_view *out, const mb_view *q, const mb_view *kv, const mb_cross_attention_attrs *a,
               mb_stream stream)
{
    const cross_sizes m = {(int)(q->dims[2] * q->dims[3]),
                           (int)(kv->dims[2] * kv->dims[3]),
                           a->heads,
                           (int)(out->dims[1] / a->heads),
                           a->scale,
                           q->pitch,
                           kv->pitch,
                           out->pitch};
    int blocks = (m.queries + WARPS * QUERIES - 1) / (WARPS * QUERIES);
    size_t shared = sizeof(float) * (size_t)(KEYS * (2 * m.d + 1) + WARPS * QUERIES * m.d);
    MB_LAUNCH((cross_attention_plain<T>), dim3((unsigned)blocks, (unsigned)m.heads, (unsigned)q->dims[0]),
              dim3(WARPS * 32), shared, stream, (T *)out->data, (const T *)q->data, (const T *)kv->data, m);
    return MB_LAUNCHED();
}

/* By the type of q, which is that of out. */
int mb_cuda_launch_cross_attention_plain(const mb_view *out, const mb_view *q, const mb_view *kv,
                                         const mb_cross_attention_attrs *a, mb_stream stream)
{
    return MB_BY_TYPE(q->dtype, run, out, q, kv, a, stream);
}
