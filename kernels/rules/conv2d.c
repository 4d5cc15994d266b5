/* conv2d: the inputs it accepts, the shape it gives, its cost. The formula: ref/conv2d.c. */
#include "rules/rules.h"

/* x [N,I,H,W], weight [O,I,kh,kw], bias [O], addend [N,O,Ho,Wo] or [N,O,1,1] -> [N,O,Ho,Wo] with
 *     Ho = floor((H + 2 pad - kh) / stride) + 1,   Wo likewise.
 * border_variants: weight [9*O,I,kh,kw], bias [9*O]; stride 1 and an output of at least 2x2, so that each pixel has one
 * variant. */
mb_status mb_conv2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_conv2d, err));
    MB_TRY(mb_rule_range(MB_OP_conv2d, "stride", a->stride, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(MB_OP_conv2d, "pad", a->pad, 0, 1 << 20, err));
    MB_TRY(mb_rule_activation(MB_OP_conv2d, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    if (w[1] != x[1]) {
        return mb_fail(
            err, MB_E_MISMATCH, "conv2d: weight [%lld,%lld,%lld,%lld] expects %lld input channels, the map has %lld",
            (long long)w[0], (long long)w[1], (long long)w[2], (long long)w[3], (long long)w[1], (long long)x[1]);
    }
    /* What is left of the padded map behind the first place of the kernel. */
    int64_t h = x[2] + 2 * a->pad - w[2], v = x[3] + 2 * a->pad - w[3];
    if (h < 0 || v < 0) {
        return mb_fail(err, MB_E_MISMATCH, "conv2d: the kernel %lldx%lld is larger than the padded map %lldx%lld",
                       (long long)w[2], (long long)w[3], (long long)(x[2] + 2 * a->pad),
                       (long long)(x[3] + 2 * a->pad));
    }
    int64_t out[4] = {x[0], w[0], h / a->stride + 1, v / a->stride + 1};
    if (a->border_variants) {
        if (a->stride != 1 || w[0] % 9 != 0 || out[2] < 2 || out[3] < 2) {
            return mb_fail(err, MB_E_ARGUMENT,
                           "conv2d: border variants need stride 1 (got %d), 9*O kernels (got %lld) and an output of at "
                           "least 2x2 (got %lldx%lld)",
                           a->stride, (long long)w[0], (long long)out[2], (long long)out[3]);
        }
        out[1] /= 9;
    }
    MB_TRY(mb_rule_vector(c, MB_OP_conv2d, 2, "bias", w[0], err));
    /* An addend may be one vector per item: a map of one pixel, unless the output is one too. */
    bool vector = mb_call_has(c, 3) && c->in[3].dims[2] == 1 && c->in[3].dims[3] == 1;
    MB_TRY(mb_rule_dims(c, MB_OP_conv2d, 3, "addend",
                        (const int64_t[4]){out[0], out[1], vector ? 1 : out[2], vector ? 1 : out[3]}, err));
    MB_TRY(mb_rule_out(out_dims, out, MB_OP_conv2d, err));
done:
    return status;
}

/* One for each output value, input channel and tap; padding counts as if it were there. */
double mb_conv2d_macs(const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    return (double)mb_view_count(&c->out) * (double)w[1] * (double)w[2] * (double)w[3];
}
