/* y = a + b. a [N,C,H,W], b [N,C,H,W] or [1,C,H,W] (the same for every item) -> [N,C,H,W]. */
#include "ref.h"

/* An item of b that stands for all items is read again for each. */
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
