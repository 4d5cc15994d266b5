/* Rotary position embedding: q and k of the patches turned by the table's angles, everything else copied.
 * qkv [N,3C,1,T], table [1,2d,h,w] -> [N,3C,1,T]. */
#include "tokens.h"

#include <string.h>

/* Tokens [begin, end); y may be x. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_heads_attrs *a = j->c->attrs;
    const mb_view *qkv = &j->c->in[0], *table = &j->c->in[1], *out = &j->c->out;
    int64_t channels = out->dims[1] / 3, d = channels / a->heads, all = out->dims[3];
    int64_t prefix = all - table->dims[2] * table->dims[3];
    for (int64_t t = begin; t < end; t++) {
        const float *x = mb_token(qkv, t);
        float *y = mb_token(out, t);
        int64_t turned = t % all < prefix ? 0 : 2 * channels;
        const float *angle = turned > 0 ? mb_token(table, t % all - prefix) : NULL;
        for (int64_t i = 0; i < turned; i += d) {
            j->simd->rotate(y + i, x + i, angle, angle + d, d / 2);
        }
        if (y != x) {
            memcpy(y + turned, x + turned, (size_t)(3 * channels - turned) * sizeof *y);
        }
    }
}

MB_TOKEN_KERNELS(rotary_embedding, 1)
