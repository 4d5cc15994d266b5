/* Max pooling: y[oy,ox] = the largest of x over the places of the window at (oy * stride - pad, ox * stride - pad) that
 * lie on the map; not a number if one of them is not.
 * x [N,C,H,W] -> [N,C,Ho,Wo], Ho = floor((H + 2 pad - kernel) / stride) + 1. */
#include "ref.h"

static float largest(const mb_call *c, int64_t n, int64_t channel, int64_t oy, int64_t ox)
{
    const mb_pool_attrs *a = c->attrs;
    const mb_view *x = &c->in[0];
    float most = -INFINITY;
    for (int64_t y = oy * a->stride - a->pad; y < oy * a->stride - a->pad + a->kernel; y++) {
        for (int64_t z = ox * a->stride - a->pad; z < ox * a->stride - a->pad + a->kernel; z++) {
            if (y >= 0 && y < x->dims[2] && z >= 0 && z < x->dims[3]) {
                const float v = mb_px(x, n, y, z)[channel];
                most = v > most || isnan(v) ? v : most;
            }
        }
    }
    return most;
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    int64_t h = c->out.dims[2], w = c->out.dims[3];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            mb_tok(&c->out, t)[i] = largest(c, t / (h * w), i, t / w % h, t % w);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_max_pool2d = {.name = "ref", .run = run};
