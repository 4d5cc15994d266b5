/* upsample_conv2d: the inputs it accepts, the shape it gives, its cost. The formula: ref/upsample_conv2d.c. */
#include "rules/rules.h"

#define OP MB_OP_upsample_conv2d

/* x [N,I,h,w], weight [O,I,3,3], bias [O], addend [N,O,2h,2w] -> [N,O,2h,2w]. Sizes are limited so that
 * both are counted in 31 bits. */
mb_status mb_upsample_conv2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_upsample_conv2d_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_activation(OP, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    MB_TRY(mb_rule_dims(c, OP, 1, "weight", (const int64_t[4]){-1, x[1], 3, 3}, err));
    MB_TRY(mb_rule_vector(c, OP, 2, "bias", w[0], err));
    MB_TRY(mb_rule_range(OP, "height", x[2], 1, INT32_MAX / 4, err));
    MB_TRY(mb_rule_range(OP, "width", x[3], 1, INT32_MAX / 4, err));
    const int64_t out[4] = {x[0], w[0], 2 * x[2], 2 * x[3]};
    MB_TRY(mb_rule_dims(c, OP, 3, "addend", out, err));
    MB_TRY(mb_rule_out(out_dims, out, OP, err));
done:
    return status;
}

/* The products at the small size, and 36 additions per output value. */
double mb_upsample_conv2d_macs(const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    return (double)mb_view_tokens(&c->in[0]) * 9.0 * (double)w[0] * (double)w[1] +
           36.0 * (double)mb_view_count(&c->out);
}
