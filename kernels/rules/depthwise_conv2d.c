/* depthwise_conv2d: the inputs it accepts, the shape it gives, its cost. The formula: ref/depthwise_conv2d.c. */
#include "rules/rules.h"

#define OP MB_OP_depthwise_conv2d

/* x [N,C,H,W], weight [C,1,k,k] with k odd, bias [C] -> [N,C,H,W]. */
mb_status mb_depthwise_conv2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_depthwise_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_activation(OP, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    MB_TRY(mb_rule_dims(c, OP, 1, "weight", (const int64_t[4]){x[1], 1, -1, -1}, err));
    if (w[2] != w[3] || w[2] % 2 == 0) {
        return mb_fail(err, MB_E_ARGUMENT, "depthwise_conv2d: kernel %lldx%lld, expected k x k with k odd",
                       (long long)w[2], (long long)w[3]);
    }
    MB_TRY(mb_rule_vector(c, OP, 2, "bias", x[1], err));
    MB_TRY(mb_rule_out(out_dims, x, OP, err));
done:
    return status;
}

/* One for each output value and tap; padding counts as if it were there. */
double mb_depthwise_conv2d_macs(const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    return (double)mb_view_count(&c->out) * (double)w[2] * (double)w[3];
}
