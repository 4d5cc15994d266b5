/* Mean over H x W, x [N,C,H,W] -> y [N,C,1,1], in two steps without atomics, so that the bits do not depend on the
 * order: SLICES blocks per item sum a fixed share of the tokens each, then one pass adds the slices in order. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/global_mean.h"

enum { SLICES = MB_CUDA_MEAN_SLICES, CHANNELS = 32, ROWS = 8 };

/* Block (x: 32 channels, y: slice, z: item); rows of the block take every eighth token. partial [N, SLICES, C]. */
template <class T>
__global__ void __launch_bounds__(CHANNELS *ROWS)
    sum_slices(float *partial, const T *x, long long pitch, int channels, int tokens)
{
    MB_SHARED(float, part, [ROWS][CHANNELS]);
    int c = (int)(blockIdx.x * CHANNELS + threadIdx.x), row = (int)threadIdx.y;
    /* The last slices may be empty: their sums are 0. */
    int share = (tokens + SLICES - 1) / SLICES, first = (int)blockIdx.y * share;
    int end = first + share < tokens ? first + share : tokens;
    float sum = 0.0f;
    if (c < channels) {
        const T *from = x + (size_t)blockIdx.z * (size_t)tokens * (size_t)pitch + c;
        for (int t = first + row; t < end; t += ROWS) {
            sum += mb_load(from[(size_t)t * (size_t)pitch]);
        }
    }
    part[row][threadIdx.x] = sum;
    __syncthreads();
    if (row == 0 && c < channels) {
        for (int r = 1; r < ROWS; r++) {
            sum += part[r][threadIdx.x];
        }
        partial[((size_t)blockIdx.z * SLICES + blockIdx.y) * (size_t)channels + (size_t)c] = sum;
    }
}

/* The second step as a functor of mb_each: an "item" is a token of y [N,C,1,1]. */
struct total {
    const float *partial;
    int channels;
    float tokens;
    template <int V> __device__ void at(float (&v)[V], int item, int c) const
    {
#pragma unroll
        for (int i = 0; i < V; i++) {
            float sum = 0.0f;
            for (int s = 0; s < SLICES; s++) {
                sum += partial[((size_t)item * SLICES + (size_t)s) * (size_t)channels + (size_t)(c + i)];
            }
            v[i] = sum / tokens;
        }
    }
};

/* Both steps on one stream: the second sees what the first wrote. */
template <class T> static int run(const mb_view *y, const mb_view *x, float *partial, mb_stream stream)
{
    int channels = (int)x->dims[1], tokens = (int)(x->dims[2] * x->dims[3]);
    dim3 grid((unsigned)(channels + CHANNELS - 1) / CHANNELS, SLICES, (unsigned)x->dims[0]);
    MB_LAUNCH((sum_slices<T>), grid, dim3(CHANNELS, ROWS), 0, stream, partial, (const T *)x->data, x->pitch, channels,
              tokens);
    int code = MB_LAUNCHED();
    return code != 0 ? code : mb_each<T>(total{partial, channels, (float)tokens}, y, true, stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_global_mean(const mb_view *y, const mb_view *x, float *partial, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, partial, stream);
}
