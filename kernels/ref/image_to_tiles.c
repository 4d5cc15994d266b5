/* The decoder's picture input (docs/models/birefnet.md 3.3): x [N,C,H,W] is cut into tiles of out_h x out_w, and every
 * tile becomes C channels: channel (c*Gh + ty)*Gw + tx holds tile (ty,tx) of channel c, Gh = H/out_h, Gw = W/out_w.
 * -> [N,C*Gh*Gw,out_h,out_w]. */
#include "ref.h"

/* Output channel k stands for channel, tile row and tile column: k = (c*Gh + ty)*Gw + tx. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_view *x = &c->in[0], *y = &c->out;
    int64_t h = y->dims[2], w = y->dims[3], gh = x->dims[2] / h, gw = x->dims[3] / w;
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        for (int64_t k = 0; k < y->dims[1]; k++) {
            int64_t channel = k / (gh * gw), ty = k / gw % gh, tx = k % gw;
            mb_tok(y, t)[k] = mb_px(x, t / (h * w), ty * h + t / w % h, tx * w + t % w)[channel];
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_image_to_tiles = {.name = "ref", .run = run};
