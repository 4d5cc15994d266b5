/* The last h*w tokens of a ViT's sequence as a map: x [N,C,1,T] -> [N,C,h,w]. */
#include "tokens.h"

#include <string.h>

/* Output tokens [begin, end): one copy each. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t patches = y->dims[2] * y->dims[3], all = x->dims[3];
    for (int64_t t = begin; t < end; t++) {
        const float *from = mb_token(x, t / patches * all + all - patches + t % patches);
        memcpy(mb_token(y, t), from, (size_t)y->dims[1] * sizeof *from);
    }
}

MB_TOKEN_KERNELS(patch_tokens, 0)
