/* The sequence of a ViT with class and register tokens (Darcet et al. 2024): class token, registers, then the patches
 * row by row. x [N,C,H,W], class token [1,C], registers [R,C] -> [N,C,1,1+R+H*W]. */
#include "ref.h"

#include <string.h>

/* The first tokens are the same for all items. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_view *x = &c->in[0], *y = &c->out;
    const float *first = c->in[1].data, *registers = c->in[2].data;
    int64_t patches = x->dims[2] * x->dims[3], tokens = y->dims[3], prefix = tokens - patches, channels = x->dims[1];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        int64_t n = t / tokens, i = t % tokens;
        const float *from = i == 0       ? first
                            : i < prefix ? registers + (i - 1) * channels
                                         : mb_tok(x, n * patches + i - prefix);
        memcpy(mb_tok(y, t), from, (size_t)channels * sizeof *from);
    }
    return MB_OK;
}

const mb_kernel mb_ref_join_tokens = {.name = "ref", .run = run};
