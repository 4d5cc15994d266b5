/* Patch merging's gather (Swin): x [N,C,H,W] -> y [N,4C,ceil(H/2),ceil(W/2)]. Part p of the channels is the pixel of
 * parity (row, column) = (0,0), (1,0), (0,1), (1,1); zero outside. One launch per part: y is the slice of that part. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/patch_merge.h"

/* The functor of mb_each for one parity. */
template <class T> struct part {
    const T *x;
    int64_t pitch;
    int height, width, out_h, out_w, row, column;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int ox = token % out_w, rest = token / out_w, oy = rest % out_h, n = rest / out_h;
        int y = 2 * oy + row, x0 = 2 * ox + column;
        if (y < height && x0 < width) {
            mb_load_vec<V>(v, x + ((size_t)(n * height + y) * (size_t)width + (size_t)x0) * (size_t)pitch + c);
        } else {
#pragma unroll
            for (int i = 0; i < V; i++) {
                v[i] = 0.0f;
            }
        }
    }
};

/* Four launches; each writes every fourth run of C channels. */
template <class T> static int run(const mb_view *y, const mb_view *x, mb_stream stream)
{
    int code = 0;
    for (int p = 0; p < 4 && code == 0; p++) {
        mb_view slice = *y;
        slice.dims[1] = x->dims[1];
        slice.data = (T *)y->data + p * x->dims[1];
        part<T> f = {(const T *)x->data, x->pitch,        (int)x->dims[2], (int)x->dims[3],
                     (int)y->dims[2],    (int)y->dims[3], p % 2,           p / 2};
        code = mb_each<T>(f, &slice, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
    }
    return code;
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_patch_merge(const mb_view *y, const mb_view *x, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, stream);
}
