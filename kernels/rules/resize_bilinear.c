/* resize_bilinear: the inputs it accepts, the shape it gives, its cost. The formula: ref/resize_bilinear.c. */
#include "rules/rules.h"

#define OP MB_OP_resize_bilinear

/* x [N,C,H,W], addend [N,C,out_h,out_w] -> [N,C,out_h,out_w]. */
mb_status mb_resize_bilinear_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_resize_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "height", a->out_h, 1, 1 << 24, err)); /* f32 counts exactly up to here */
    MB_TRY(mb_rule_range(OP, "width", a->out_w, 1, 1 << 24, err));
    const int64_t *x = c->in[0].dims;
    const int64_t out[4] = {x[0], x[1], a->out_h, a->out_w};
    MB_TRY(mb_rule_dims(c, OP, 1, "addend", out, err));
    MB_TRY(mb_rule_out(out_dims, out, OP, err));
done:
    return status;
}

/* Not counted: memory decides its time. */
double mb_resize_bilinear_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
