/* Convolution: y[o] = act( sum_{i,ky,kx} weight[o,i,ky,kx] * x[i, y*stride - pad + ky, x*stride - pad + kx]
 *                          + bias[o] + addend[o] ),  zero outside of the map.
 * x [N,I,H,W], weight [O,I,kh,kw], bias [O], addend [N,O,Ho,Wo] or [N,O,1,1] -> [N,O,Ho,Wo],
 * Ho = floor((H + 2 pad - kh) / stride) + 1. Border variants: see attrs.h. */
#include "ref.h"

/* The sum over i, ky, kx for kernel `o` at output (oy,ox). */
static double product(const mb_call *c, int64_t n, int64_t o, int64_t oy, int64_t ox)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0];
    const int64_t *w = c->in[1].dims;
    const float *kernel = (const float *)c->in[1].data + o * w[1] * w[2] * w[3];
    double sum = 0;
    for (int64_t ky = 0; ky < w[2]; ky++) {
        for (int64_t kx = 0; kx < w[3]; kx++) {
            int64_t iy = oy * a->stride - a->pad + ky, ix = ox * a->stride - a->pad + kx;
            if (iy < 0 || iy >= x->dims[2] || ix < 0 || ix >= x->dims[3]) {
                continue;
            }
            const float *p = mb_px(x, n, iy, ix);
            for (int64_t i = 0; i < w[1]; i++) {
                sum += (double)kernel[(i * w[2] + ky) * w[3] + kx] * p[i];
            }
        }
    }
    return sum;
}

/* 0 on the first row or column, 2 on the last, 1 inside. */
static int64_t side(int64_t i, int64_t size)
{
    return i == 0 ? 0 : (i == size - 1 ? 2 : 1);
}

/* Output pixel by output pixel. With border variants the kernel depends on where the pixel lies; an
 * addend [N,O,1,1] is the same for all pixels of an item. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *y = &c->out;
    int64_t channels = y->dims[1], h = y->dims[2], w = y->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        int64_t n = t / (h * w), oy = t / w % h, ox = t % w;
        /* Which of the nine kernels this pixel has. */
        int64_t variant = a->border_variants ? 3 * side(oy, h) + side(ox, w) : 0;
        const float *addend = NULL;
        if (mb_call_has(c, 3)) {
            const mb_view *v = &c->in[3];
            addend = v->dims[2] == h && v->dims[3] == w ? mb_px(v, n, oy, ox) : mb_px(v, n, 0, 0);
        }
        for (int64_t o = 0; o < channels; o++) {
            int64_t k = variant * channels + o;
            double sum = product(c, n, k, oy, ox) + mb_vec(c, 2, k, 0) + (addend != NULL ? addend[o] : 0);
            mb_px(y, n, oy, ox)[o] = (float)mb_ref_activate(a->act, sum);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_conv2d = {.name = "ref", .run = run, .in_place_input = 1 + 3};
