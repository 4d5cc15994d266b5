/* Max pooling: x [N,C,H,W] -> y [N,C,Ho,Wo], the largest of each window; places outside of the map are left out, and what
 * is not a number stays. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/max_pool2d.h"

/* The functor of mb_each. */
template <class T> struct pooled {
    const T *x;
    int64_t pitch;
    int height, width, out_h, out_w, kernel, stride, pad;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int ox = token % out_w, rest = token / out_w, oy = rest % out_h, n = rest / out_h;
        int top = oy * stride - pad, left = ox * stride - pad;
        int bottom = top + kernel < height ? top + kernel : height;
        int right = left + kernel < width ? left + kernel : width;
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = -INFINITY;
        }
        for (int iy = top > 0 ? top : 0; iy < bottom; iy++) {
            for (int ix = left > 0 ? left : 0; ix < right; ix++) {
                float from[V];
                mb_load_vec<V>(from, x + ((size_t)(n * height + iy) * (size_t)width + (size_t)ix) * (size_t)pitch + c);
#pragma unroll
                for (int i = 0; i < V; i++) {
                    v[i] = from[i] <= v[i] || v[i] != v[i] ? v[i] : from[i];
                }
            }
        }
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T> static int run(const mb_view *y, const mb_view *x, const mb_pool_attrs *a, mb_stream stream)
{
    pooled<T> f = {(const T *)x->data, x->pitch,  (int)x->dims[2], (int)x->dims[3], (int)y->dims[2],
                   (int)y->dims[3],    a->kernel, a->stride,       a->pad};
    return mb_each<T>(f, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_max_pool2d(const mb_view *y, const mb_view *x, const mb_pool_attrs *a, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, a, stream);
}
