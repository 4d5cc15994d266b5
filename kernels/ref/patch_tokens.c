/* The patches of a ViT's sequence, without class and register tokens, as a map: x [N,C,1,T] -> [N,C,h,w], the last
 * h*w tokens of each item. */
#include "ref.h"

#include <string.h>

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_view *x = &c->in[0], *y = &c->out;
    int64_t patches = y->dims[2] * y->dims[3], tokens = x->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        const float *from = mb_tok(x, t / patches * tokens + tokens - patches + t % patches);
        memcpy(mb_tok(y, t), from, (size_t)y->dims[1] * sizeof *from);
    }
    return MB_OK;
}

const mb_kernel mb_ref_patch_tokens = {.name = "ref", .run = run};
