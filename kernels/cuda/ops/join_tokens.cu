/* A ViT's sequence: class token, registers, patches. x [N,C,H,W] -> y [N,C,1,1+R+H*W]. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/join_tokens.h"

/* The functor of mb_each: one copy. */
template <class T> struct join {
    const T *x, *first, *registers;
    int64_t pitch;
    int tokens, prefix, channels;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int n = token / tokens, i = token % tokens;
        const T *from = i == 0       ? first
                        : i < prefix ? registers + (size_t)(i - 1) * (size_t)channels
                                     : x + (size_t)(n * (tokens - prefix) + i - prefix) * (size_t)pitch;
        mb_load_vec<V>(v, from + c);
    }
};

/* 16 bytes at a time where x and y allow it; the constants begin at multiples of that. */
template <class T>
static int run(const mb_view *y, const mb_view *x, const void *first, const void *registers, mb_stream stream)
{
    int tokens = (int)y->dims[3], prefix = tokens - (int)(x->dims[2] * x->dims[3]), channels = (int)x->dims[1];
    join<T> f = {(const T *)x->data, (const T *)first, (const T *)registers, x->pitch, tokens, prefix, channels};
    return mb_each<T>(f, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_join_tokens(const mb_view *y, const mb_view *x, const void *first, const void *registers,
                               mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, first, registers, stream);
}
