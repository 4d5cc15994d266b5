/* image_to_tiles: the inputs it accepts, the shape it gives, its cost. The formula: ref/image_to_tiles.c. */
#include "rules/rules.h"

/* x [N,C,H,W] -> [N,C*(H/out_h)*(W/out_w),out_h,out_w]; H and W are multiples of the tile. */
mb_status mb_image_to_tiles_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_size_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_image_to_tiles, err));
    const int64_t *x = c->in[0].dims;
    MB_TRY(mb_rule_range(MB_OP_image_to_tiles, "tile height", a->out_h, 1, x[2], err));
    MB_TRY(mb_rule_range(MB_OP_image_to_tiles, "tile width", a->out_w, 1, x[3], err));
    if (x[2] % a->out_h != 0 || x[3] % a->out_w != 0) {
        return mb_fail(err, MB_E_MISMATCH, "image_to_tiles: the map %lldx%lld is not a multiple of the tile %dx%d",
                       (long long)x[2], (long long)x[3], a->out_h, a->out_w);
    }
    int64_t tiles = (x[2] / a->out_h) * (x[3] / a->out_w);
    MB_TRY(
        mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1] * tiles, a->out_h, a->out_w}, MB_OP_image_to_tiles, err));
done:
    return status;
}

/* It only copies. */
double mb_image_to_tiles_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
