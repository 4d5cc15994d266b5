/* Linear layer on every token: y[o] = act( sum_i weight[o,i] * x[i] + bias[o] + addend[o] ).
 * x [N,I,H,W], weight [O,I,1,1], bias [O], addend [N,O,H,W] -> [N,O,H,W]. */
#include "ref.h"

/* y[o] = act(sum_i weight[o,i] x[i] + bias[o] + addend[o]) for every token. */
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
