/* A 3x3 convolution of a map enlarged to twice its size (VITMatte's fusion), as an implicit gemm: the enlarged map u is
 * blended where the gemm reads it and never stored.
 *   x [N,I,h,w], weight [O][9*I] (channels innermost), bias [O] f32 or NULL, addend [N,O,2h,2w] -> y [N,O,2h,2w]
 *   u[2i] = 0.25 x[i-1] + 0.75 x[i],  u[2i+1] = 0.75 x[i] + 0.25 x[i+1]  on both axes, clamped; zeros around u */
#include "cuda/ops/gemm.cuh"
#include "cuda/ops/upsample_conv2d.h"

/* The source of the gemm: A(m, k) is u at tap k / I, channel k % I, of output pixel m. */
template <class T> struct enlarged {
    const T *x;
    int64_t pitch;
    int height, width; /* of x */
    mb_divisor channels;
    bool vec16;

    struct row {
        const T *map; /* the item's first pixel; NULL: no pixel */
        int y, x;     /* of the enlarged map, less one */
    };
    /* One part; rows are the pixels of the enlarged map. */
    __device__ int begin(int, int rows) { return rows; }
    __device__ int item(int m) const { return m / (4 * height * width); }
    __device__ int token(int m) const { return m; }
    /* Tap 0 lies one up and left of the pixel. */
    __device__ row at(int m, int rows) const
    {
        const T *map = x + (size_t)item(m) * (size_t)height * (size_t)width * (size_t)pitch;
        return row{m < rows ? map : NULL, m / (2 * width) % (2 * height) - 1, m % (2 * width) - 1};
    }
    /* The two source indices of enlarged index u; returns the weight of the second. */
    __device__ static float between(int u, int size, int *i, int *j)
    {
        int first = u % 2 == 0 ? u / 2 - 1 : u / 2;
        *i = first < 0 ? 0 : first;
        *j = first + 1 > size - 1 ? size - 1 : first + 1;
        return u % 2 == 0 ? 0.75f : 0.25f;
    }
    /* Channels c .. c + V of u at tap `tap`: four pixels of x; zero outside of u. */
    template <int V> __device__ void blend(float (&sum)[V], const row &r, int tap, int c) const
    {
        int uy = r.y + tap / 3, ux = r.x + tap % 3, y[2], x1[2];
        if (uy < 0 || ux < 0 || uy >= 2 * height || ux >= 2 * width) {
            return;
        }
        float fy = between(uy, height, &y[0], &y[1]), fx = between(ux, width, &x1[0], &x1[1]);
#pragma unroll
        for (int corner = 0; corner < 4; corner++) {
            float v[V], weight = (corner / 2 ? fy : 1.0f - fy) * (corner % 2 ? fx : 1.0f - fx);
            mb_load_vec<V>(v, r.map + ((size_t)y[corner / 2] * (size_t)width + (size_t)x1[corner % 2]) * (size_t)pitch +
                                  c);
#pragma unroll
            for (int i = 0; i < V; i++) {
                sum[i] += weight * v[i];
            }
        }
    }
    /* Without vec16 each element may belong to another tap, and is blended on its own. */
    __device__ void load(T (&e)[mb_vec16_of<T>::N], const row &r, int k) const
    {
        enum { W = mb_vec16_of<T>::N };
        float sum[W] = {};
        const int total = 9 * (int)channels.d;
        if (vec16 && r.map && k < total) {
            int t = channels.quotient(k);
            blend<W>(sum, r, t, channels.rest(k, t));
        } else if (r.map) {
#pragma unroll
            for (int i = 0; i < W; i++) {
                float one[1] = {0.0f};
                if (k + i < total) {
                    int t = channels.quotient(k + i);
                    blend<1>(one, r, t, channels.rest(k + i, t));
                }
                sum[i] = one[0];
            }
        }
#pragma unroll
        for (int i = 0; i < W; i++) {
            mb_store(&e[i], sum[i]);
        }
    }
};

/* Tiles by the number of outputs. */
template <class T> static int run(const mb_cuda_conv_args *c, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    const mb_view *x = c->x;
    int channels = (int)x->dims[1], outputs = (int)c->y->dims[1], rows = (int)mb_view_tokens(c->y);
    enlarged<T> source = {(const T *)x->data,      x->pitch,
                          (int)x->dims[2],         (int)x->dims[3],
                          mb_divisor_of(channels), mb_is_vec16(x, W) && channels % W == 0};
    gemm_out out = gemm_out_of(c->y, c->addend, c->bias, c->act);
    /* Rows of the weights, rounded up to 16 bytes. */
    int padded = (9 * channels + W - 1) / W * W;
    if (outputs <= 32) {
        return gemm_launch<gemm_tile<128, 32, 4, 1>, T>(out, c->weight, source, rows, outputs, padded, 1, stream);
    }
    return gemm_launch<gemm_tile<64, 64, 2, 2>, T>(out, c->weight, source, rows, outputs, padded, 1, stream);
}

/* By the type of x; y may be f32 beside it. */
int mb_cuda_launch_upsample_conv2d(const mb_cuda_conv_args *c, mb_stream stream)
{
    return MB_BY_TYPE(c->x->dtype, run, c, stream);
}
