/* y = x * scale[c] + shift[c]; scale and shift are made on the host, in double, from the four published vectors. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/batch_norm.h"

/* The functor of mb_each; scale and shift are f32 [C]. */
template <class T> struct affine {
    const T *x;
    int64_t pitch;
    const float *scale, *shift;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        mb_load_vec<V>(v, x + (size_t)token * (size_t)pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = v[i] * scale[c + i] + shift[c + i];
        }
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T>
static int run(const mb_view *y, const mb_view *x, const float *scale, const float *shift, mb_stream stream)
{
    return mb_each<T>(affine<T>{(const T *)x->data, x->pitch, scale, shift}, y, mb_is_vec16(x, mb_vec16_of<T>::N),
                      stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_batch_norm(const mb_view *y, const mb_view *x, const float *scale, const float *shift,
                              mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, scale, shift, stream);
}
