/* y = a + b. a, y [N,C,H,W]; b likewise, or [1,C,H,W] for every item. y may be a. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/add.h"

/* The functor of mb_each. b_tokens: tokens of b's one item, 0 where b has as many items as a. */
template <class T> struct add {
    const T *a, *b;
    int64_t a_pitch, b_pitch;
    int b_tokens;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        float w[V];
        int b_token = b_tokens == 0 ? token : token % b_tokens;
        mb_load_vec<V>(v, a + (size_t)token * (size_t)a_pitch + c);
        mb_load_vec<V>(w, b + (size_t)b_token * (size_t)b_pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] += w[i];
        }
    }
};

/* 16 bytes at a time where both inputs and the output allow it. */
template <class T> static int run(const mb_view *y, const mb_view *a, const mb_view *b, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    int repeat = b->dims[0] == a->dims[0] ? 0 : (int)(b->dims[2] * b->dims[3]);
    return mb_each<T>(add<T>{(const T *)a->data, (const T *)b->data, a->pitch, b->pitch, repeat}, y,
                      mb_is_vec16(a, W) && mb_is_vec16(b, W), stream);
}

/* By the type of y; all three are of one. */
int mb_cuda_launch_add(const mb_view *y, const mb_view *a, const mb_view *b, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, a, b, stream);
}
