/* Activations. x [N,C,H,W] -> [N,C,H,W]. */
#include "tokens.h"

/* Tokens [begin, end). */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_unary_attrs *a = j->c->attrs;
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t channels = y->dims[1];
    if (x->pitch == channels && y->pitch == channels) { /* one run, the same values whatever its length */
        j->simd->activate(mb_token(y, begin), mb_token(x, begin), (end - begin) * channels, a->act);
        return;
    }
    for (int64_t t = begin; t < end; t++) {
        j->simd->activate(mb_token(y, t), mb_token(x, t), channels, a->act);
    }
}

MB_TOKEN_KERNELS(unary, 1)
