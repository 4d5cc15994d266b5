/* batch_norm: the inputs it accepts, the shape it gives, its cost. The formula: ref/batch_norm.c. */
#include "rules/rules.h"

/* x [N,C,H,W], weight, bias, running mean and variance [C] -> [N,C,H,W]. All five are needed: the
 * statistics are those of the file. */
mb_status mb_batch_norm_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    static const char *const names[] = {"x", "weight", "bias", "running mean", "running variance"};
    const mb_norm_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_batch_norm, err));
    if (!(a->eps > 0 && a->eps <= 1)) {
        return mb_fail(err, MB_E_ARGUMENT, "batch_norm: eps is %g, expected above 0 and at most 1", (double)a->eps);
    }
    for (int i = 1; i < 5; i++) {
        MB_TRY(mb_rule_vector(c, MB_OP_batch_norm, i, names[i], c->in[0].dims[1], err));
    }
    MB_TRY(mb_rule_out(out_dims, c->in[0].dims, MB_OP_batch_norm, err));
done:
    return status;
}

/* Not counted: a pass folds it into the convolution before it. */
double mb_batch_norm_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
