/* A ViT's sequence: class token [1,C], registers [R,C], patches x [N,C,H,W] -> [N,C,1,1+R+H*W]. */
#include "tokens.h"

#include <string.h>

/* Output tokens [begin, end): one copy each. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t patches = x->dims[2] * x->dims[3], all = y->dims[3], prefix = all - patches, channels = x->dims[1];
    for (int64_t t = begin; t < end; t++) {
        int64_t i = t % all;
        const float *from = i == 0       ? j->c->in[1].data
                            : i < prefix ? (const float *)j->c->in[2].data + (i - 1) * channels
                                         : mb_token(x, t / all * patches + i - prefix);
        memcpy(mb_token(y, t), from, (size_t)channels * sizeof *from);
    }
}

MB_TOKEN_KERNELS(join_tokens, 0)
