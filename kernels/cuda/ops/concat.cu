/* Copies a map into a slice of channels of a wider one: one call per input of a concatenation. Most concatenations
 * vanish before, because producers write into their slice. y is the slice: as many channels as x, the pitch of the
 * whole. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/concat.h"

/* The functor of mb_each for maps of one type. */
template <class T> struct copy {
    const T *x;
    int64_t pitch;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        mb_load_vec<V>(v, x + (size_t)token * (size_t)pitch + c);
    }
};

struct convert { /* from another type */
    const void *x;
    int64_t pitch;
    int dtype;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = mb_load_any(x, dtype, (size_t)token * (size_t)pitch + (size_t)(c + i));
        }
    }
};

/* Conversions go element by element on the reading side; what is written is still 16 bytes where it can be. */
template <class T> static int run(const mb_view *y, const mb_view *x, mb_stream stream)
{
    if (x->dtype != y->dtype) {
        return mb_each<T>(convert{x->data, x->pitch, (int)x->dtype}, y, true, stream);
    }
    return mb_each<T>(copy<T>{(const T *)x->data, x->pitch}, y, mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y; x may be of another. */
int mb_cuda_launch_copy(const mb_view *y, const mb_view *x, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, stream);
}
