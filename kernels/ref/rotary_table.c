/* Rotary positions of DINOv3 (Simeoni et al. 2025, after Su et al. 2021 and Heo et al. 2024), axis by axis:
 *     period_j = base^(4j/d), j < d/4;   Y = 2 (r + 0.5) / h - 1,   X = 2 (c + 0.5) / w - 1 for the patch (r,c)
 *     a_j = 2 pi Y / period_j,   a_{d/4+j} = 2 pi X / period_j
 * -> [1,2d,h,w]: the d/2 sines twice in a row, then the d/2 cosines twice in a row: channel i turns with i + d/2. */
#include "ref.h"

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_rotary_table_attrs *a = c->attrs;
    const double pi = 3.14159265358979323846;
    int64_t d = a->head_dim, w = c->out.dims[3], h = c->out.dims[2];
    for (int64_t t = 0; t < h * w; t++) {
        double y = 2 * ((double)(t / w) + 0.5) / (double)h - 1, x = 2 * ((double)(t % w) + 0.5) / (double)w - 1;
        float *out = mb_tok(&c->out, t);
        for (int64_t i = 0; i < d; i++) {
            int64_t k = i % (d / 2), j = k % (d / 4);
            double angle = 2 * pi * (k < d / 4 ? y : x) / pow((double)a->base, 4 * (double)j / (double)d);
            out[i] = (float)sin(angle);
            out[d + i] = (float)cos(angle);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_rotary_table = {.name = "ref", .run = run};
