/* An activation on every element: relu, gelu (exact), sigmoid, or a copy. x [N,C,H,W] -> the same. */
#include "ref.h"

/* Element by element. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_unary_attrs *a = c->attrs;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t i = 0; i < c->out.dims[1]; i++) {
            mb_tok(&c->out, t)[i] = (float)mb_ref_activate(a->act, mb_tok(&c->in[0], t)[i]);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_unary = {.name = "ref", .run = run, .in_place_input = 1};
