/* Maps side by side, channel by channel (mostly planned away: graph/passes/alias_concat.c). */
#include "tokens.h"

#include <string.h>

/* Tokens [begin, end): the channels of each input in turn. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_call *c = j->c;
    for (int64_t t = begin; t < end; t++) {
        float *to = mb_token(&c->out, t);
        for (int k = 0; k < c->n_in; k++) {
            memcpy(to, mb_token(&c->in[k], t), (size_t)c->in[k].dims[1] * sizeof(float));
            to += c->in[k].dims[1];
        }
    }
}

MB_TOKEN_KERNELS(concat, 0)
