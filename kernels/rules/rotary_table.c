/* rotary_table: the inputs it accepts, the shape it gives, its cost. The formula: ref/rotary_table.c. */
#include "rules/rules.h"

#define OP MB_OP_rotary_table

/* Nothing -> [1,2*head_dim,out_h,out_w]. */
mb_status mb_rotary_table_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_rotary_table_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "height", a->out_h, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "width", a->out_w, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "head width", a->head_dim, 4, 1 << 16, err));
    if (a->head_dim % 4 != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "rotary_table: head width %d is no multiple of 4", a->head_dim);
    }
    if (!(a->base > 1 && a->base <= 1e6f)) {
        return mb_fail(err, MB_E_ARGUMENT, "rotary_table: base %g is outside 1 to 1000000", (double)a->base);
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){1, 2 * (int64_t)a->head_dim, a->out_h, a->out_w}, OP, err));
done:
    return status;
}

/* Once per plan; not counted. */
double mb_rotary_table_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
