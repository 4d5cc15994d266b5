/* The gate: y = x * sigmoid(map). x, y [N,C,H,W], map [N,1,H,W]; y may be x. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/scale_by_map.h"

/* The functor of mb_each: one factor for all channels of a token. */
template <class T> struct gate {
    const T *x;
    const void *map; /* of its own type: gates stay f32 */
    int64_t x_pitch, map_pitch;
    int map_dtype;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        float m = mb_sigmoid(mb_load_any(map, map_dtype, (size_t)token * (size_t)map_pitch));
        mb_load_vec<V>(v, x + (size_t)token * (size_t)x_pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] *= m;
        }
    }
};

/* 16 bytes of x at a time where x and y allow it. */
template <class T> static int run(const mb_view *y, const mb_view *x, const mb_view *map, mb_stream stream)
{
    return mb_each<T>(gate<T>{(const T *)x->data, map->data, x->pitch, map->pitch, (int)map->dtype}, y,
                      mb_is_vec16(x, mb_vec16_of<T>::N), stream);
}

/* By the type of y, which is that of x; the map has its own. */
int mb_cuda_launch_scale_by_map(const mb_view *y, const mb_view *x, const mb_view *map, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, map, stream);
}
