/* The decoder's picture input (docs/models/birefnet.md 3.3): x [N,C,H,W] is cut into tiles of out_h x out_w, and every
 * tile becomes C channels: channel (c*Gh + ty)*Gw + tx holds tile (ty,tx) of channel c, Gh = H/out_h, Gw = W/out_w.
 * -> [N,C*Gh*Gw,out_h,out_w]. */
#include "ref.h"

mb_status mb_image_to_tiles_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_size_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_image_to_tiles, err));
    const int64_t *x = c->in[0].dims;
    MB_TRY(mb_rule_range(MB_OP_image_to_tiles, "tile height", a->out_h, 1, x[2], err));
    MB_TRY(mb_rule_range(MB_OP_image_to_tiles, "tile width", a->out_w, 1, x[3], err));
    if (x[2] % a->out_h != 0 || x[3] % a->out_w != 0) {
        return mb_fail(err, MB_E_MISMATCH, "image_to_tiles: a map of %lldx%lld is no multiple of the tile %dx%d",
                       (long long)x[2], (long long)x[3], a->out_h, a->out_w);
    }
    int64_t tiles = (x[2] / a->out_h) * (x[3] / a->out_w);
    MB_TRY(
        mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1] * tiles, a->out_h, a->out_w}, MB_OP_image_to_tiles, err));
done:
    return status;
}

double mb_image_to_tiles_macs(const mb_call *c)
{
    (void)c;
    return 0;
}

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
