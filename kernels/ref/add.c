/* y = a + b. a [N,C,H,W], b [N,C,H,W] or [1,C,H,W] (the same for every item) -> [N,C,H,W]. */
#include "ref.h"

mb_status mb_add_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_add, err));
    const int64_t *a = c->in[0].dims;
    int64_t n = c->in[1].dims[0] == 1 ? 1 : a[0];
    MB_TRY(mb_rule_dims(c, MB_OP_add, 1, "the second map", (const int64_t[4]){n, a[1], a[2], a[3]}, err));
    MB_TRY(mb_rule_out(out_dims, a, MB_OP_add, err));
done:
    return status;
}

double mb_add_macs(const mb_call *c)
{
    (void)c;
    return 0;
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    int64_t b_tokens = mb_view_tokens(&c->in[1]);
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        const float *a = mb_tok(&c->in[0], t), *b = mb_tok(&c->in[1], t % b_tokens);
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            mb_tok(&c->out, t)[i] = a[i] + b[i];
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_add = {.name = "ref", .run = run, .in_place_input = 1};
