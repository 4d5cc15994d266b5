/* max_pool2d: the inputs it accepts, the shape it gives, its cost. The formula: ref/max_pool2d.c. */
#include "rules/rules.h"

#define OP MB_OP_max_pool2d

/* x [N,C,H,W] -> [N,C,Ho,Wo], Ho = floor((H + 2 pad - kernel) / stride) + 1, Wo likewise. */
mb_status mb_max_pool2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_pool_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "kernel", a->kernel, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "stride", a->stride, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "pad", a->pad, 0, a->kernel / 2, err));
    const int64_t *x = c->in[0].dims;
    const int64_t h = x[2] + 2 * a->pad - a->kernel, w = x[3] + 2 * a->pad - a->kernel;
    if (h < 0 || w < 0) {
        return mb_fail(err, MB_E_MISMATCH, "max_pool2d: the window %dx%d is larger than the padded map %lldx%lld",
                       a->kernel, a->kernel, (long long)(x[2] + 2 * a->pad), (long long)(x[3] + 2 * a->pad));
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1], h / a->stride + 1, w / a->stride + 1}, OP, err));
done:
    return status;
}

/* Comparisons are not counted. */
double mb_max_pool2d_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
