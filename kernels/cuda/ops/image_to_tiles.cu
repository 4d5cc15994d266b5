/* The decoder's picture input: x [N,C,H,W] in tiles of h x w, every tile C channels: channel (c*Gh + ty)*Gw + tx of
 * y [N,C*Gh*Gw,h,w] holds tile (ty,tx) of channel c. Read once per picture: plain element by element. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/image_to_tiles.h"

/* The functor of mb_each: k = (channel * gh + ty) * gw + tx is an output channel. */
template <class T> struct tiles {
    const T *x;
    int64_t pitch;
    int height, width, h, w, gh, gw;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int ox = token % w, rest = token / w, oy = rest % h, n = rest / h;
#pragma unroll
        for (int i = 0; i < V; i++) {
            int k = c + i, tx = k % gw, ty = k / gw % gh, channel = k / (gw * gh);
            size_t pixel = (size_t)(n * height + ty * h + oy) * (size_t)width + (size_t)(tx * w + ox);
            v[i] = mb_load(x[pixel * (size_t)pitch + channel]);
        }
    }
};

/* Reads are scattered anyway; writes are 16 bytes where y allows it. */
template <class T> static int run(const mb_view *y, const mb_view *x, mb_stream stream)
{
    int h = (int)y->dims[2], w = (int)y->dims[3];
    tiles<T> f = {(const T *)x->data,  x->pitch,           (int)x->dims[2], (int)x->dims[3], h, w,
                  (int)x->dims[2] / h, (int)x->dims[3] / w};
    return mb_each<T>(f, y, true, stream);
}

/* By the type of y, which is that of x. */
int mb_cuda_launch_image_to_tiles(const mb_view *y, const mb_view *x, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, stream);
}
