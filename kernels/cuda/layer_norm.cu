/* Layer norm over channels: y = (x - mean) / sqrt(var + eps) * gamma + beta; x, y [N,C,H,W], one row per token; gamma
 * and beta [C] or NULL. The variance is of the differences (two passes over the row: no cancellation), f32 inside. Rows
 * of up to 32 * 8 accesses lie in the registers of one warp: one read, one write, no barrier. Longer ones take a block,
 * which reads them three times, twice of it from cache. */
#include "dialect.h"
#include "each.cuh"

enum { WARPS = 4, THREADS = 128 };

template <class T, int V>
__device__ inline void put(T *out, const float (&v)[V], float mean, float scale, const float *gamma, const float *beta,
                           int c)
{
    float r[V];
#pragma unroll
    for (int i = 0; i < V; i++) {
        r[i] = (v[i] - mean) * scale;
        r[i] = gamma ? r[i] * gamma[c + i] : r[i];
        r[i] = beta ? r[i] + beta[c + i] : r[i];
    }
    mb_store_vec<V>(out + c, r);
}

template <class T, int V, int PER>
__global__ void __launch_bounds__(WARPS * 32)
    norm_in_warp(T *y, int64_t y_pitch, const T *x, int64_t x_pitch, const float *gamma, const float *beta, int rows,
                 int cols, float eps)
{
    int row = (int)blockIdx.x * WARPS + (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    if (row >= rows) {
        return; /* a whole warp leaves: no barrier follows */
    }
    const T *in = x + (size_t)row * (size_t)x_pitch;
    float v[PER][V], sum = 0.0f, squares = 0.0f;
#pragma unroll
    for (int p = 0; p < PER; p++) {
        int c = (p * 32 + lane) * V;
        if (c < cols) {
            mb_load_vec<V>(v[p], in + c);
#pragma unroll
            for (int i = 0; i < V; i++) {
                sum += v[p][i];
            }
        }
    }
    float mean = mb_warp_sum(sum) / (float)cols;
#pragma unroll
    for (int p = 0; p < PER; p++) {
        if ((p * 32 + lane) * V < cols) {
#pragma unroll
            for (int i = 0; i < V; i++) {
                squares += (v[p][i] - mean) * (v[p][i] - mean);
            }
        }
    }
    float scale = rsqrtf(mb_warp_sum(squares) / (float)cols + eps);
    T *out = y + (size_t)row * (size_t)y_pitch;
#pragma unroll
    for (int p = 0; p < PER; p++) {
        int c = (p * 32 + lane) * V;
        if (c < cols) {
            put<T, V>(out, v[p], mean, scale, gamma, beta, c);
        }
    }
}

__device__ inline float block_sum(float v)
{
    MB_SHARED(float, part, [THREADS / 32]);
    v = mb_warp_sum(v);
    __syncthreads(); /* the previous use of part is over */
    if (threadIdx.x % 32 == 0) {
        part[threadIdx.x / 32] = v;
    }
    __syncthreads();
    float s = 0.0f;
    for (int w = 0; w < THREADS / 32; w++) {
        s += part[w];
    }
    return s;
}

template <class T, int V>
__global__ void __launch_bounds__(THREADS) norm_in_block(T *y, int64_t y_pitch, const T *x, int64_t x_pitch,
                                                         const float *gamma, const float *beta, int cols, float eps)
{
    const T *in = x + (size_t)blockIdx.x * (size_t)x_pitch;
    T *out = y + (size_t)blockIdx.x * (size_t)y_pitch;
    float v[V], sum = 0.0f, squares = 0.0f;
    for (int c = (int)threadIdx.x * V; c < cols; c += THREADS * V) {
        mb_load_vec<V>(v, in + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            sum += v[i];
        }
    }
    float mean = block_sum(sum) / (float)cols;
    for (int c = (int)threadIdx.x * V; c < cols; c += THREADS * V) {
        mb_load_vec<V>(v, in + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            squares += (v[i] - mean) * (v[i] - mean);
        }
    }
    float scale = rsqrtf(block_sum(squares) / (float)cols + eps);
    for (int c = (int)threadIdx.x * V; c < cols; c += THREADS * V) { /* each thread reads what it will overwrite */
        mb_load_vec<V>(v, in + c);
        put<T, V>(out, v, mean, scale, gamma, beta, c);
    }
}

template <class T, int V, int PER>
static void in_warp(const mb_view *y, const mb_view *x, const float *gamma, const float *beta, float eps,
                    mb_stream stream)
{
    int rows = (int)mb_view_tokens(x);
    MB_LAUNCH((norm_in_warp<T, V, PER>), dim3((unsigned)((rows + WARPS - 1) / WARPS)), dim3(WARPS * 32), 0, stream,
              (T *)y->data, y->pitch, (const T *)x->data, x->pitch, gamma, beta, rows, (int)x->dims[1], eps);
}

template <class T, int V>
static int choose(const mb_view *y, const mb_view *x, const float *gamma, const float *beta, float eps,
                  mb_stream stream)
{
    int accesses = (int)(x->dims[1] / V);
    if (accesses <= 32) {
        in_warp<T, V, 1>(y, x, gamma, beta, eps, stream);
    } else if (accesses <= 32 * 3) {
        in_warp<T, V, 3>(y, x, gamma, beta, eps, stream);
    } else if (accesses <= 32 * 8) {
        in_warp<T, V, 8>(y, x, gamma, beta, eps, stream);
    } else {
        MB_LAUNCH((norm_in_block<T, V>), dim3((unsigned)mb_view_tokens(x)), dim3(THREADS), 0, stream, (T *)y->data,
                  y->pitch, (const T *)x->data, x->pitch, gamma, beta, (int)x->dims[1], eps);
    }
    return MB_LAUNCHED();
}

template <class T>
static int run(const mb_view *y, const mb_view *x, const float *gamma, const float *beta, float eps, mb_stream stream)
{
    enum { W = mb_wide<T>::N };
    bool wide = mb_is_wide(x, W) && mb_is_wide(y, W) && x->dims[1] % W == 0;
    return wide ? choose<T, W>(y, x, gamma, beta, eps, stream) : choose<T, 1>(y, x, gamma, beta, eps, stream);
}

int mb_cuda_launch_layer_norm(const mb_view *y, const mb_view *x, const float *gamma, const float *beta, float eps,
                              mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, gamma, beta, eps, stream);
}
