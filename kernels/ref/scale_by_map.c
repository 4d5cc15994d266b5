/* The gate of BiRefNet's decoder: y = x * sigmoid(map), one factor a pixel.
 * x [N,C,H,W], map [N,1,H,W] -> [N,C,H,W]. */
#include "ref.h"

/* One factor per pixel, for all of its channels. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        double gate = mb_ref_activate(MB_ACT_SIGMOID, mb_tok(&c->in[1], t)[0]);
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            mb_tok(&c->out, t)[i] = (float)(mb_tok(&c->in[0], t)[i] * gate);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_scale_by_map = {.name = "ref", .run = run, .in_place_input = 1};
