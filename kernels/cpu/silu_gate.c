/* The gate of a SwiGLU: y = silu(gate) * x. All [N,C,H,W]; y may be the gate. */
#include "tokens.h"

/* Tokens [begin, end). */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *gate = &j->c->in[0], *x = &j->c->in[1], *y = &j->c->out;
    int64_t channels = y->dims[1];
    for (int64_t t = begin; t < end; t++) {
        j->simd->gate(mb_token(y, t), mb_token(gate, t), mb_token(x, t), channels);
    }
}

MB_TOKEN_KERNELS(silu_gate, 1)
