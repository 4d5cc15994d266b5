/* patch_merge: the inputs it accepts, the shape it gives, its cost. The formula: ref/patch_merge.c. */
#include "rules/rules.h"

/* x [N,C,H,W] -> [N,4C,ceil(H/2),ceil(W/2)]. */
mb_status mb_patch_merge_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_patch_merge, err));
    const int64_t *x = c->in[0].dims;
    const int64_t out[4] = {x[0], 4 * x[1], (x[2] + 1) / 2, (x[3] + 1) / 2};
    MB_TRY(mb_rule_out(out_dims, out, MB_OP_patch_merge, err));
done:
    return status;
}

/* It only copies. */
double mb_patch_merge_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
