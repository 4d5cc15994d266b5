/* patch_tokens: the inputs it accepts, the shape it gives, its cost. The formula: ref/patch_tokens.c. */
#include "rules/rules.h"

#define OP MB_OP_patch_tokens

/* x [N,C,1,T] -> [N,C,out_h,out_w], out_h * out_w <= T. */
mb_status mb_patch_tokens_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_size_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "height", a->out_h, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "width", a->out_w, 1, 1 << 20, err));
    MB_TRY(mb_rule_dims(c, OP, 0, "the sequence", (const int64_t[4]){-1, -1, 1, -1}, err));
    const int64_t *x = c->in[0].dims;
    if ((int64_t)a->out_h * a->out_w > x[3]) {
        return mb_fail(err, MB_E_MISMATCH, "patch_tokens: %lld tokens are fewer than %d x %d", (long long)x[3],
                       a->out_h, a->out_w);
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1], a->out_h, a->out_w}, OP, err));
done:
    return status;
}

/* It only copies. */
double mb_patch_tokens_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
