/* The gate of a SwiGLU (Shazeer 2020): y = silu(gate) * x, silu(a) = a * sigmoid(a). All [N,C,H,W]. */
#include "ref.h"

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            double gate = mb_tok(&c->in[0], t)[i];
            mb_tok(&c->out, t)[i] = (float)(gate * mb_ref_activate(MB_ACT_SIGMOID, gate) * mb_tok(&c->in[1], t)[i]);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_silu_gate = {.name = "ref", .run = run, .in_place_input = 1};
