/* The gate: y = x * sigmoid(map). x [N,C,H,W], map [N,1,H,W]. */
#include "tokens.h"

#define AT_ONCE 64

/* Tokens [begin, end): sigmoids of 64 at a time, then one factor for all channels of a token. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *x = &j->c->in[0], *map = &j->c->in[1], *y = &j->c->out;
    for (int64_t first = begin; first < end; first += AT_ONCE) {
        float gate[AT_ONCE];
        int64_t n = end - first < AT_ONCE ? end - first : AT_ONCE;
        for (int64_t t = 0; t < n; t++) {
            gate[t] = *mb_token(map, first + t);
        }
        j->simd->activate(gate, gate, n, MB_ACT_SIGMOID);
        for (int64_t t = 0; t < n; t++) {
            j->simd->scale(mb_token(y, first + t), mb_token(x, first + t), gate[t], y->dims[1]);
        }
    }
}

MB_TOKEN_KERNELS(scale_by_map, 1)
