/* Convolution of each channel by itself: x [N,C,H,W] -> y of the same size; weight [k*k][C] and bias [C] in f32.
 *   y[c] = act(bias[c] + sum over taps of weight[t][c] * x[tap][c]), zero outside of the map */
#include "cuda/lang/each.cuh"
#include "cuda/ops/depthwise_conv2d.h"

/* The functor of mb_each. Neighbouring threads read neighbouring channels; the taps of neighbouring pixels come from
 * the cache. */
template <class T> struct depthwise {
    const T *x;
    int64_t pitch;
    const float *weight, *bias;
    int height, width, channels, k, act;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int ox = token % width, rest = token / width, oy = rest % height, n = rest / height;
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = bias[c + i];
        }
        for (int t = 0; t < k * k; t++) {
            int iy = oy - k / 2 + t / k, ix = ox - k / 2 + t % k;
            if (iy >= 0 && iy < height && ix >= 0 && ix < width) {
                float from[V];
                mb_load_vec<V>(from, x + ((size_t)(n * height + iy) * (size_t)width + (size_t)ix) * (size_t)pitch + c);
#pragma unroll
                for (int i = 0; i < V; i++) {
                    v[i] += weight[(size_t)t * (size_t)channels + (size_t)(c + i)] * from[i];
                }
            }
        }
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = mb_activate(act, v[i]);
        }
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T>
static int run(const mb_view *y, const mb_view *x, const float *weight, const float *bias, int k, int act,
               mb_stream stream)
{
    depthwise<T> f = {(const T *)x->data, x->pitch,        weight, bias, (int)x->dims[2],
                      (int)x->dims[3],    (int)x->dims[1], k,      act};
    return mb_each<T>(f, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_depthwise_conv2d(const mb_view *y, const mb_view *x, const float *weight, const float *bias, int k,
                                    int act, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, weight, bias, k, act, stream);
}
