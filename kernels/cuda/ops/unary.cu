/* y = act(x): ReLU, exact GELU, sigmoid. x, y [N,C,H,W]; may be the same memory. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/unary.h"

/* The functor of mb_each. */
template <class T> struct unary {
    const T *x;
    int64_t pitch;
    int act;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        mb_load_vec<V>(v, x + (size_t)token * (size_t)pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = mb_activate(act, v[i]);
        }
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T> static int run(const mb_view *y, const mb_view *x, int act, mb_stream stream)
{
    return mb_each<T>(unary<T>{(const T *)x->data, x->pitch, act}, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_unary(const mb_view *y, const mb_view *x, int act, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, act, stream);
}
