/* LayerScale (Touvron et al. 2021): y = gamma * x, a factor for each channel. x [N,C,H,W], gamma [C]. */
#include "ref.h"

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const float *gamma = c->in[1].data;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            mb_tok(&c->out, t)[i] = gamma[i] * mb_tok(&c->in[0], t)[i];
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_layer_scale = {.name = "ref", .run = run, .in_place_input = 1};
