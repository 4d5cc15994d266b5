/* Max pooling over contiguous channels: the window's first pixel is copied, the others compared with it.
 *     x [N,C,H,W] -> [N,C,Ho,Wo] */
#include "tokens.h"

#include <string.h>

static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_call *c = j->c;
    const mb_pool_attrs *a = c->attrs;
    const mb_view *x = &c->in[0];
    const int64_t h = c->out.dims[2], w = c->out.dims[3], channels = x->dims[1];
    for (int64_t t = begin; t < end; t++) {
        const int64_t n = t / (h * w), top = t / w % h * a->stride - a->pad, left = t % w * a->stride - a->pad;
        const int64_t bottom = top + a->kernel < x->dims[2] ? top + a->kernel : x->dims[2];
        const int64_t right = left + a->kernel < x->dims[3] ? left + a->kernel : x->dims[3];
        float *to = mb_token(&c->out, t);
        bool first = true; /* pad is at most half a window, so there is a first pixel */
        for (int64_t iy = top > 0 ? top : 0; iy < bottom; iy++) {
            for (int64_t ix = left > 0 ? left : 0; ix < right; ix++, first = false) {
                const float *from = mb_token(x, (n * x->dims[2] + iy) * x->dims[3] + ix);
                if (first) {
                    memcpy(to, from, (size_t)channels * sizeof(float));
                } else {
                    j->simd->larger(to, to, from, channels);
                }
            }
        }
    }
}

MB_TOKEN_KERNELS(max_pool2d, 0)
