/* Convolution of each channel by itself: y[c] = act( sum_{ky,kx} weight[c,ky,kx] * x[c, y - k/2 + ky, x - k/2 + kx]
 *                                                  + bias[c] ),  zero outside of the map.
 * x [N,C,H,W], weight [C,1,k,k], bias [C] -> [N,C,H,W]. */
#include "ref.h"

static double product(const mb_call *c, int64_t n, int64_t channel, int64_t oy, int64_t ox)
{
    const mb_view *x = &c->in[0];
    const int64_t k = c->in[1].dims[2];
    const float *kernel = (const float *)c->in[1].data + channel * k * k;
    double sum = 0;
    for (int64_t ky = 0; ky < k; ky++) {
        for (int64_t kx = 0; kx < k; kx++) {
            int64_t iy = oy - k / 2 + ky, ix = ox - k / 2 + kx;
            if (iy >= 0 && iy < x->dims[2] && ix >= 0 && ix < x->dims[3]) {
                sum += (double)kernel[ky * k + kx] * mb_px(x, n, iy, ix)[channel];
            }
        }
    }
    return sum;
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_depthwise_attrs *a = c->attrs;
    int64_t h = c->out.dims[2], w = c->out.dims[3];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            double sum = product(c, t / (h * w), i, t / w % h, t % w) + mb_vec(c, 2, i, 0);
            mb_tok(&c->out, t)[i] = (float)mb_ref_activate(a->act, sum);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_depthwise_conv2d = {.name = "ref", .run = run};
