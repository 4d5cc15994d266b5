/* Layer norm over channels, one row per token:
 *   y = (x - mean) / sqrt(var + eps) * gamma + beta;   x, y [N,C,H,W]; gamma and beta [C] or NULL
 * The variance is of the differences (two passes over the row: no cancellation), f32 inside. Rows
 * of up to 32 * 8 accesses lie in the registers of one warp: one read, one write, no barrier. Longer ones take a block,
 * which reads them three times, twice of it from cache. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/layer_norm.h"

enum { WARPS = 4, THREADS = 128 };

/* The arguments of both kernels; a row is a token, cols its channels. */
template <class T> struct rows_of {
    T *y;
    const T *x;
    int64_t y_pitch, x_pitch;
    int rows, cols;
    const float *gamma, *beta;
    float eps;
    bool zero_mean; /* the row sums to zero by construction */
};

/* Normalises and stores V channels from c on. */
template <class T, int V>
__device__ inline void put(const rows_of<T> &r, int row, const float (&v)[V], float mean, float scale, int c)
{
    float o[V];
#pragma unroll
    for (int i = 0; i < V; i++) {
        o[i] = (v[i] - mean) * scale;
        o[i] = r.gamma ? o[i] * r.gamma[c + i] : o[i];
        o[i] = r.beta ? o[i] + r.beta[c + i] : o[i];
    }
    mb_store_vec<V>(r.y + (size_t)row * (size_t)r.y_pitch + c, o);
}

/* Rows of at most PER accesses of V channels per lane: the row stays in v. */
template <class T, int V, int PER> __global__ void __launch_bounds__(WARPS * 32) norm_in_warp(rows_of<T> r)
{
    int row = (int)blockIdx.x * WARPS + (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    if (row >= r.rows) {
        return; /* a whole warp leaves: no barrier follows */
    }
    const T *in = r.x + (size_t)row * (size_t)r.x_pitch;
    float v[PER][V], sum = 0.0f, squares = 0.0f;
#pragma unroll
    for (int p = 0; p < PER; p++) {
        int c = (p * 32 + lane) * V;
        if (c < r.cols) {
            mb_load_vec<V>(v[p], in + c);
#pragma unroll
            for (int i = 0; i < V; i++) {
                sum += v[p][i];
            }
        }
    }
    float mean = r.zero_mean ? 0.0f : mb_warp_sum(sum) / (float)r.cols;
#pragma unroll
    for (int p = 0; p < PER; p++) {
        if ((p * 32 + lane) * V < r.cols) {
#pragma unroll
            for (int i = 0; i < V; i++) {
                squares += (v[p][i] - mean) * (v[p][i] - mean);
            }
        }
    }
    /* All lanes have the sums. */
    float scale = rsqrtf(mb_warp_sum(squares) / (float)r.cols + r.eps);
#pragma unroll
    for (int p = 0; p < PER; p++) {
        int c = (p * 32 + lane) * V;
        if (c < r.cols) {
            put<T, V>(r, row, v[p], mean, scale, c);
        }
    }
}

/* The sum over the block, the same in every thread: warp sums in shared memory, added in order. */
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

/* Rows that do not fit a warp's registers: three passes over memory. y may be x. */
template <class T, int V> __global__ void __launch_bounds__(THREADS) norm_in_block(rows_of<T> r)
{
    int row = (int)blockIdx.x;
    const T *in = r.x + (size_t)row * (size_t)r.x_pitch;
    float v[V], sum = 0.0f, squares = 0.0f;
    for (int c = (int)threadIdx.x * V; c < r.cols && !r.zero_mean; c += THREADS * V) {
        mb_load_vec<V>(v, in + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            sum += v[i];
        }
    }
    float mean = block_sum(sum) / (float)r.cols;
    for (int c = (int)threadIdx.x * V; c < r.cols; c += THREADS * V) {
        mb_load_vec<V>(v, in + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            squares += (v[i] - mean) * (v[i] - mean);
        }
    }
    float scale = rsqrtf(block_sum(squares) / (float)r.cols + r.eps);
    for (int c = (int)threadIdx.x * V; c < r.cols; c += THREADS * V) { /* each thread reads what it will overwrite */
        mb_load_vec<V>(v, in + c);
        put<T, V>(r, row, v, mean, scale, c);
    }
}

/* The kernel by the number of accesses in a row. */
template <class T, int V> static int choose(const rows_of<T> &r, mb_stream stream)
{
    int accesses = r.cols / V;
    dim3 grid((unsigned)((r.rows + WARPS - 1) / WARPS)), block(WARPS * 32);
    if (accesses <= 32) {
        MB_LAUNCH((norm_in_warp<T, V, 1>), grid, block, 0, stream, r);
    } else if (accesses <= 32 * 3) {
        MB_LAUNCH((norm_in_warp<T, V, 3>), grid, block, 0, stream, r);
    } else if (accesses <= 32 * 8) {
        MB_LAUNCH((norm_in_warp<T, V, 8>), grid, block, 0, stream, r);
    } else {
        MB_LAUNCH((norm_in_block<T, V>), dim3((unsigned)r.rows), dim3(THREADS), 0, stream, r);
    }
    return MB_LAUNCHED();
}

/* 16 bytes at a time where x, y and the number of channels allow it. */
template <class T>
static int run(const mb_view *y, const mb_view *x, const float *gamma, const float *beta, const mb_norm_attrs *a,
               mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    rows_of<T> r = {
        (T *)y->data, (const T *)x->data, y->pitch, x->pitch, (int)mb_view_tokens(x), (int)x->dims[1], gamma, beta,
        a->eps,       a->zero_mean};
    bool vec16 = mb_is_vec16(x, W) && mb_is_vec16(y, W) && r.cols % W == 0;
    return vec16 ? choose<T, W>(r, stream) : choose<T, 1>(r, stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_layer_norm(const mb_view *y, const mb_view *x, const float *gamma, const float *beta,
                              const mb_norm_attrs *a, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, gamma, beta, a, stream);
}
