/* unary: the inputs it accepts, the shape it gives, its cost. The formula: ref/unary.c. */
#include "rules/rules.h"

/* x [N,C,H,W] -> the same shape. */
mb_status mb_unary_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_unary_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_unary, err));
    MB_TRY(mb_rule_activation(MB_OP_unary, a->act, err));
    MB_TRY(mb_rule_out(out_dims, c->in[0].dims, MB_OP_unary, err));
done:
    return status;
}

/* Not counted. */
double mb_unary_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
