/* Swin's patch merging, the gather: x [N,C,H,W] -> [N,4C,ceil(H/2),ceil(W/2)], zero padded; parts in the order
 * (row,col) parity (0,0) (1,0) (0,1) (1,1). */
#include "tokens.h"

#include <string.h>

/* Output tokens [begin, end): four copies of C channels each, zeros outside of the map. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t h = y->dims[2], w = y->dims[3], channels = x->dims[1];
    for (int64_t t = begin; t < end; t++) {
        for (int64_t part = 0; part < 4; part++) {
            int64_t row = 2 * (t / w % h) + part % 2, col = 2 * (t % w) + part / 2;
            float *to = mb_token(y, t) + part * channels;
            if (row < x->dims[2] && col < x->dims[3]) {
                const float *from = mb_token(x, (t / (h * w) * x->dims[2] + row) * x->dims[3] + col);
                memcpy(to, from, (size_t)channels * sizeof(float));
            } else {
                memset(to, 0, (size_t)channels * sizeof(float));
            }
        }
    }
}

MB_TOKEN_KERNELS(patch_merge, 0)
