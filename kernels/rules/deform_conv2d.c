/* deform_conv2d: the inputs it accepts, the shape it gives, its cost. The formula: ref/deform_conv2d.c. */
#include "rules/rules.h"

#define OP MB_OP_deform_conv2d

/* x [N,I,H,W], offset [N,2kk,H,W], modulator logits [N,kk,H,W], weight [O,I,k,k], bias [O] -> [N,O,H,W].
 * k is odd and pad (k-1)/2, so that the output has the size of the map. */
mb_status mb_deform_conv2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_deform_conv2d_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_activation(OP, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[3].dims;
    int64_t k = w[2];
    if (w[1] != x[1]) {
        return mb_fail(err, MB_E_MISMATCH, "deform_conv2d: weight expects %lld input channels, the map has %lld",
                       (long long)w[1], (long long)x[1]);
    }
    if (w[3] != k || k % 2 == 0 || a->pad != (k - 1) / 2 || k > 1023) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "deform_conv2d: kernel %lldx%lld with pad %d, expected k x k with k odd and pad "
                       "(k-1)/2",
                       (long long)k, (long long)w[3], a->pad);
    }
    MB_TRY(mb_rule_dims(c, OP, 1, "offset", (const int64_t[4]){x[0], 2 * k * k, x[2], x[3]}, err));
    MB_TRY(mb_rule_dims(c, OP, 2, "modulator", (const int64_t[4]){x[0], k * k, x[2], x[3]}, err));
    MB_TRY(mb_rule_vector(c, OP, 4, "bias", w[0], err));
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], w[0], x[2], x[3]}, OP, err));
done:
    return status;
}

/* The product alone: sampling is about 4 / O of it. */
double mb_deform_conv2d_macs(const mb_call *c)
{
    const int64_t *w = c->in[3].dims;
    return (double)mb_view_count(&c->out) * (double)w[1] * (double)w[2] * (double)w[3];
}
