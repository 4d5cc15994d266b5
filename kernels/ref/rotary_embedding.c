/* Rotary position embedding (Su et al. 2021), halves of a head paired: for each head of q and of k, i < d/2,
 *     y[i] = x[i] cos - x[i+d/2] sin,   y[i+d/2] = x[i+d/2] cos + x[i] sin
 * with the sines and cosines of the token's place. The last h*w tokens are patches; those before them (class, registers)
 * and v stay. qkv [N,3C,1,T] (q, k, v; head-major inside each), table [1,2d,h,w] (rotary_table.c) -> [N,3C,1,T]. */
#include "ref.h"

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_heads_attrs *a = c->attrs;
    const mb_view *table = &c->in[1];
    int64_t channels = c->out.dims[1] / 3, d = channels / a->heads, tokens = c->out.dims[3];
    int64_t prefix = tokens - table->dims[2] * table->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        const float *x = mb_tok(&c->in[0], t), *angle = t % tokens < prefix ? NULL : mb_tok(table, t % tokens - prefix);
        float *y = mb_tok(&c->out, t);
        for (int64_t i = 0; i < 3 * channels; i++) {
            if (angle == NULL || i >= 2 * channels) {
                y[i] = x[i];
            } else if (i % d < d / 2) {
                double x0 = x[i], x1 = x[i + d / 2], sine = angle[i % d], cosine = angle[d + i % d];
                y[i] = (float)(x0 * cosine - x1 * sine);
                y[i + d / 2] = (float)(x1 * cosine + x0 * sine);
            }
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_rotary_embedding = {.name = "ref", .run = run, .in_place_input = 1};
