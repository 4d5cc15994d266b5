/* Sum of two maps; b may have N = 1. a, b -> [N,C,H,W]. */
#include "tokens.h"

/* Tokens [begin, end); a b of one item starts again with every item. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *a = &j->c->in[0], *b = &j->c->in[1], *y = &j->c->out;
    int64_t b_tokens = mb_view_tokens(b);
    for (int64_t t = begin; t < end; t++) {
        j->simd->add(mb_token(y, t), mb_token(a, t), mb_token(b, t % b_tokens), y->dims[1]);
    }
}

MB_TOKEN_KERNELS(add, 1)
