/* LayerScale: y = gamma[c] * x, gamma in f32. x, y [N,C,H,W]; y may be x. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/layer_scale.h"

/* The functor of mb_each. */
template <class T> struct layer_factor {
    const T *x;
    const float *gamma;
    int64_t pitch;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        mb_load_vec<V>(v, x + (size_t)token * (size_t)pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] *= gamma[c + i];
        }
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T> static int run(const mb_view *y, const mb_view *x, const float *gamma, mb_stream stream)
{
    return mb_each<T>(layer_factor<T>{(const T *)x->data, gamma, x->pitch}, y, mb_is_vec16(x, mb_vec16_of<T>::N),
                      stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_layer_scale(const mb_view *y, const mb_view *x, const float *gamma, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, gamma, stream);
}
