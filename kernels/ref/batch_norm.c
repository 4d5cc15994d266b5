/* Batch norm with the statistics of the file: y = (x - mean) / sqrt(variance + eps) * weight + bias per channel.
 * x [N,C,H,W], weight, bias, running mean, running variance [C] -> [N,C,H,W]. A pass folds it into the convolution. */
#include "ref.h"

/* Token by token, each channel by its own statistics. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_norm_attrs *a = c->attrs;
    const float *weight = c->in[1].data, *bias = c->in[2].data, *mean = c->in[3].data, *var = c->in[4].data;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        const float *x = mb_tok(&c->in[0], t);
        float *y = mb_tok(&c->out, t);
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            double scale = weight[i] / sqrt((double)var[i] + (double)a->eps);
            y[i] = (float)(((double)x[i] - mean[i]) * scale + bias[i]);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_batch_norm = {.name = "ref", .run = run, .in_place_input = 1};
