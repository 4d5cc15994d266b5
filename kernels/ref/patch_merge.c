/* Swin's patch merging, the gather alone (Liu et al. 2021, 3.1; docs/models/birefnet.md 3.1): zero-pad right and bottom
 * to even sizes; the four pixels of each 2x2 block side by side, as (row,col) parity (0,0) (1,0) (0,1) (1,1).
 * x [N,C,H,W] -> [N,4C,ceil(H/2),ceil(W/2)]. */
#include "ref.h"

/* Part p of the channels is the pixel of parity (row p % 2, column p / 2) of each 2x2 patch. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_view *x = &c->in[0], *y = &c->out;
    int64_t channels = x->dims[1], h = y->dims[2], w = y->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        for (int64_t part = 0; part < 4; part++) {
            int64_t row = 2 * (t / w % h) + part % 2, col = 2 * (t % w) + part / 2;
            for (int64_t i = 0; i < channels; i++) {
                bool inside = row < x->dims[2] && col < x->dims[3];
                mb_tok(y, t)[part * channels + i] = inside ? mb_px(x, t / (h * w), row, col)[i] : 0;
            }
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_patch_merge = {.name = "ref", .run = run};
