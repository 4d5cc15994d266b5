/* scale_by_map: the inputs it accepts, the shape it gives, its cost. The formula: ref/scale_by_map.c. */
#include "rules/rules.h"

/* x [N,C,H,W], map [N,1,H,W] -> [N,C,H,W]. */
mb_status mb_scale_by_map_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_scale_by_map, err));
    const int64_t *x = c->in[0].dims;
    MB_TRY(mb_rule_dims(c, MB_OP_scale_by_map, 1, "the map", (const int64_t[4]){x[0], 1, x[2], x[3]}, err));
    MB_TRY(mb_rule_out(out_dims, x, MB_OP_scale_by_map, err));
done:
    return status;
}

/* Not counted: memory decides its time. */
double mb_scale_by_map_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
