/* linear: the inputs it accepts, the shape it gives, its cost. The formula: ref/linear.c. */
#include "rules/rules.h"

/* x [N,I,H,W], weight [O,I,1,1], bias [O], addend [N,O,H,W] -> [N,O,H,W]: every pixel is a token. */
mb_status mb_linear_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_linear, err));
    MB_TRY(mb_rule_activation(MB_OP_linear, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    if (w[1] != x[1]) {
        return mb_fail(err, MB_E_MISMATCH, "linear: weight [%lld,%lld] expects %lld input channels, the map has %lld",
                       (long long)w[0], (long long)w[1], (long long)w[1], (long long)x[1]);
    }
    MB_TRY(mb_rule_dims(c, MB_OP_linear, 1, "weight", (const int64_t[4]){-1, -1, 1, 1}, err));
    MB_TRY(mb_rule_vector(c, MB_OP_linear, 2, "bias", w[0], err));
    const int64_t out[4] = {x[0], w[0], x[2], x[3]};
    MB_TRY(mb_rule_dims(c, MB_OP_linear, 3, "addend", out, err));
    MB_TRY(mb_rule_out(out_dims, out, MB_OP_linear, err));
done:
    return status;
}

/* One for each output value and input channel. */
double mb_linear_macs(const mb_call *c)
{
    return (double)mb_view_count(&c->out) * (double)c->in[0].dims[1];
}
