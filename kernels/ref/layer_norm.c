/* Layer norm over the channels of each token (Ba et al. 2016): y = (x - mean) / sqrt(var + eps) * weight + bias, with
 * the biased variance; weight and bias may be absent (1 and 0). zero_mean: the mean is 0 by construction, not taken.
 * x [N,C,H,W], weight [C], bias [C] -> [N,C,H,W]. */
#include "ref.h"

/* Two passes over a token: the mean, then the squared differences from it (no cancellation). */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_norm_attrs *a = c->attrs;
    int64_t channels = c->out.dims[1];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        const float *x = mb_tok(&c->in[0], t);
        float *y = mb_tok(&c->out, t);
        double mean = 0, var = 0;
        for (int64_t i = 0; i < channels && !a->zero_mean; i++) {
            mean += x[i];
        }
        mean /= (double)channels;
        for (int64_t i = 0; i < channels; i++) {
            var += (x[i] - mean) * (x[i] - mean);
        }
        var /= (double)channels;
        double scale = 1 / sqrt(var + (double)a->eps);
        for (int64_t i = 0; i < channels; i++) {
            y[i] = (float)((x[i] - mean) * scale * mb_vec(c, 1, i, 1) + mb_vec(c, 2, i, 0));
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_layer_norm = {.name = "ref", .run = run, .in_place_input = 1};
