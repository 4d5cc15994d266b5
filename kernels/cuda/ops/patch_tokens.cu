/* The last h*w tokens of a ViT's sequence as a map: x [N,C,1,T] -> y [N,C,h,w]. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/patch_tokens.h"

/* The functor of mb_each: one copy. */
template <class T> struct patches {
    const T *x;
    int64_t pitch;
    int tokens, kept;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int from = token / kept * tokens + tokens - kept + token % kept;
        mb_load_vec<V>(v, x + (size_t)from * (size_t)pitch + c);
    }
};

/* 16 bytes at a time where x and y allow it. */
template <class T> static int run(const mb_view *y, const mb_view *x, mb_stream stream)
{
    patches<T> f = {(const T *)x->data, x->pitch, (int)x->dims[3], (int)(y->dims[2] * y->dims[3])};
    return mb_each<T>(f, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_patch_tokens(const mb_view *y, const mb_view *x, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, stream);
}
