/* The gate of BiRefNet's decoder: y = x * sigmoid(map), one factor a pixel.
 * x [N,C,H,W], map [N,1,H,W] -> [N,C,H,W]. */
#include "ref.h"

mb_status mb_scale_by_map_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_scale_by_map, err));
    const int64_t *x = c->in[0].dims;
    MB_TRY(mb_rule_dims(c, MB_OP_scale_by_map, 1, "the map", (const int64_t[4]){x[0], 1, x[2], x[3]}, err));
    MB_TRY(mb_rule_out(out_dims, x, MB_OP_scale_by_map, err));
done:
    return status;
}

double mb_scale_by_map_macs(const mb_call *c)
{
    (void)c;
    return 0;
}

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
