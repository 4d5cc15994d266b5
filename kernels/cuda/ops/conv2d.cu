/* Convolution and linear layer (1x1) as an implicit gemm: rows are output pixels, k runs over taps, then channels.
 *   x [N,I,H,W], weight [O][kh*kw*I] (channels innermost, rows padded to 16 bytes; nine times that for border
 *   variants), bias [O] f32 or NULL, addend [N,O,Ho,Wo] or [N,O,1,1] -> y [N,O,Ho,Wo]
 * Formula and borders: kernels/attrs.h. Border variants run as nine parts of one grid: corners, edges and inside, each
 * with its own weights. */
#include "cuda/ops/conv2d.h"
#include "cuda/ops/gemm.cuh"

/* The source of the gemm: A(m, k) is x at the pixel of tap k / I, channel k % I, of output pixel m. */
template <class T> struct patch {
    const T *x;
    int64_t pitch;
    int height, width, out_h, out_w, stride, pad, k_total;
    mb_divisor channels, kw;
    bool vec16, variants;
    int y0, x0, rh, rw; /* the part's rectangle of the output */

    struct row {
        const T *map; /* the item's first pixel; NULL: no pixel */
        int y, x;
    };
    /* Variants: part z is a corner, an edge or the inside. Sets its rectangle; its number of pixels. */
    __device__ int begin(int z, int rows)
    {
        if (!variants) {
            return rows;
        }
        int items = rows / (out_h * out_w);
        y0 = z / 3 == 0 ? 0 : z / 3 == 1 ? 1 : out_h - 1;
        x0 = z % 3 == 0 ? 0 : z % 3 == 1 ? 1 : out_w - 1;
        rh = z / 3 == 1 ? out_h - 2 : 1;
        rw = z % 3 == 1 ? out_w - 2 : 1;
        return items * rh * rw;
    }
    /* Rows of a part run over its rectangle, item by item. */
    __device__ int item(int m) const { return m / (rh * rw); }
    __device__ int token(int m) const
    {
        int r = m % (rh * rw);
        return (item(m) * out_h + y0 + r / rw) * out_w + x0 + r % rw;
    }
    /* Everything of a row that does not depend on the tap: where its patch begins. */
    __device__ row at(int m, int rows) const
    {
        int t = m < rows ? token(m) : 0, y = t / out_w % out_h, x1 = t % out_w;
        const T *map = x + (size_t)(t / out_w / out_h) * (size_t)height * (size_t)width * (size_t)pitch;
        return row{m < rows ? map : NULL, y * stride - pad, x1 * stride - pad};
    }
    __device__ const T *pixel(const row &r, int tap) const /* NULL outside */
    {
        int line = kw.quotient(tap), y = r.y + line, x1 = r.x + kw.rest(tap, line);
        bool inside = r.map && y >= 0 && x1 >= 0 && y < height && x1 < width;
        return inside ? r.map + ((size_t)y * (size_t)width + (size_t)x1) * (size_t)pitch : NULL;
    }
    /* Without vec16 each element may belong to another tap, and is divided for on its own. */
    __device__ void load(T (&e)[mb_vec16_of<T>::N], const row &r, int k) const
    {
        if (vec16) { /* 16 bytes are channels of one tap */
            int t = channels.quotient(k);
            const T *p = k < k_total ? pixel(r, t) : NULL;
            mb_vec16 q = {{0, 0, 0, 0}};
            if (p) {
                q = *reinterpret_cast<const mb_vec16 *>(p + channels.rest(k, t));
            }
            memcpy(e, &q, sizeof q);
            return;
        }
#pragma unroll
        for (int i = 0; i < mb_vec16_of<T>::N; i++) {
            int t = channels.quotient(k + i);
            const T *p = k + i < k_total ? pixel(r, t) : NULL;
            mb_store(&e[i], p ? mb_load(p[channels.rest(k + i, t)]) : 0.0f);
        }
    }
};

/* Tiles by the number of outputs. Only 16-bit types use them: f32 has one tile. */
template <class T> static int run(const mb_cuda_conv_args *c, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    const mb_view *x = c->x, *y = c->y;
    int out_h = (int)y->dims[2], out_w = (int)y->dims[3], items = (int)x->dims[0], channels = (int)x->dims[1];
    int outputs = (int)y->dims[1], k_total = c->kh * c->kw * channels;
    patch<T> source = {(const T *)x->data,
                       x->pitch,
                       (int)x->dims[2],
                       (int)x->dims[3],
                       out_h,
                       out_w,
                       c->stride,
                       c->pad,
                       k_total,
                       mb_divisor_of(channels),
                       mb_divisor_of(c->kw),
                       mb_is_vec16(x, W) && channels % W == 0,
                       c->variants,
                       0,
                       0,
                       out_h,
                       out_w};
    int rows = items * out_h * out_w, parts = c->variants ? 9 : 1;
    gemm_out out = gemm_out_of(y, c->addend, c->bias, c->act);
    int padded = (k_total + W - 1) / W * W;
    if (outputs <= 32) { /* narrow layers: no tile half empty */
        return gemm_launch<gemm_tile<128, 32, 4, 1>, T>(out, c->weight, source, rows, outputs, padded, parts, stream);
    }
    if (outputs > 128 &&
        outputs <= 160) { /* offsets and modulators of a 7x7: the patches are read once, not three times */
        return gemm_launch<gemm_tile<64, 160, 2, 2>, T>(out, c->weight, source, rows, outputs, padded, parts, stream);
    }
    return gemm_launch<gemm_tile<64, 64, 2, 2>, T>(out, c->weight, source, rows, outputs, padded, parts, stream);
}

/* By the type of x; y may be f32 beside it. */
int mb_cuda_launch_conv2d(const mb_cuda_conv_args *c, mb_stream stream)
{
    return MB_BY_TYPE(c->x->dtype, run, c, stream);
}
