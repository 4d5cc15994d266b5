/* Linear layer on every token: y[o] = act( sum_i weight[o,i] * x[i] + bias[o] + addend[o] ).
 * x [N,I,H,W], weight [O,I,1,1], bias [O], addend [N,O,H,W] -> [N,O,H,W]. */
#include "ref.h"

mb_status mb_linear_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_linear, err));
    MB_TRY(mb_rule_activation(MB_OP_linear, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    if (w[1] != x[1]) {
        return mb_fail(err, MB_E_MISMATCH, "linear: weight [%lld,%lld] wants %lld input channels, the map has %lld",
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

double mb_linear_macs(const mb_call *c)
{
    return (double)mb_view_count(&c->out) * (double)c->in[0].dims[1];
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_linear_attrs *a = c->attrs;
    int64_t outputs = c->out.dims[1], inputs = c->in[0].dims[1];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        const float *x = mb_tok(&c->in[0], t), *addend = mb_call_has(c, 3) ? mb_tok(&c->in[3], t) : NULL;
        float *y = mb_tok(&c->out, t);
        for (int64_t o = 0; o < outputs; o++) {
            const float *w = (const float *)c->in[1].data + o * inputs;
            double sum = mb_vec(c, 2, o, 0) + (addend != NULL ? addend[o] : 0);
            for (int64_t i = 0; i < inputs; i++) {
                sum += (double)w[i] * x[i];
            }
            y[o] = (float)mb_ref_activate(a->act, sum);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_linear = {.name = "ref", .run = run, .in_place_input = 1 + 3};
