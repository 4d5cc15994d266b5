/* layer_norm: the inputs it accepts, the shape it gives, its cost. The formula: ref/layer_norm.c. */
#include "rules/rules.h"

/* x [N,C,H,W], weight and bias [C] or absent -> [N,C,H,W]. eps is in (0, 1]: 0 would divide by zero on
 * equal channels. */
mb_status mb_layer_norm_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_norm_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_layer_norm, err));
    if (!(a->eps > 0 && a->eps <= 1)) {
        return mb_fail(err, MB_E_ARGUMENT, "layer_norm: eps is %g, expected above 0 and at most 1", (double)a->eps);
    }
    MB_TRY(mb_rule_vector(c, MB_OP_layer_norm, 1, "weight", c->in[0].dims[1], err));
    MB_TRY(mb_rule_vector(c, MB_OP_layer_norm, 2, "bias", c->in[0].dims[1], err));
    MB_TRY(mb_rule_out(out_dims, c->in[0].dims, MB_OP_layer_norm, err));
done:
    return status;
}

/* Not counted: memory decides its time. */
double mb_layer_norm_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
