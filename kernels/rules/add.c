/* add: the inputs it accepts, the shape it gives, its cost. The formula: ref/add.c. */
#include "rules/rules.h"

/* a [N,C,H,W], b the same or [1,C,H,W] -> [N,C,H,W]. */
mb_status mb_add_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_add, err));
    const int64_t *a = c->in[0].dims;
    int64_t n = c->in[1].dims[0] == 1 ? 1 : a[0];
    MB_TRY(mb_rule_dims(c, MB_OP_add, 1, "the second map", (const int64_t[4]){n, a[1], a[2], a[3]}, err));
    MB_TRY(mb_rule_out(out_dims, a, MB_OP_add, err));
done:
    return status;
}

/* Additions are not counted. */
double mb_add_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
