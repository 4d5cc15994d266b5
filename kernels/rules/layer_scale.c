/* layer_scale: the inputs it accepts, the shape it gives, its cost. The formula: ref/layer_scale.c. */
#include "rules/rules.h"

/* x [N,C,H,W], gamma [C] -> [N,C,H,W]. */
mb_status mb_layer_scale_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_layer_scale, err));
    MB_TRY(mb_rule_vector(c, MB_OP_layer_scale, 1, "gamma", c->in[0].dims[1], err));
    MB_TRY(mb_rule_out(out_dims, c->in[0].dims, MB_OP_layer_scale, err));
done:
    return status;
}

/* Not counted: memory decides its time, and a pass folds it. */
double mb_layer_scale_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
