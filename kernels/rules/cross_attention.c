/* cross_attention: the inputs it accepts, the shape it gives, its cost. The formula: ref/cross_attention.c. */
#include "rules/rules.h"

#define OP MB_OP_cross_attention

/* q [N,C,H,W], kv [N,2C,h,w] -> [N,C,H,W]. */
mb_status mb_cross_attention_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_cross_attention_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "number of heads", a->heads, 1, 1 << 16, err));
    const int64_t *q = c->in[0].dims;
    if (q[1] % a->heads != 0) {
        return mb_fail(err, MB_E_MISMATCH, "cross_attention: %lld channels of q are not %d heads x d", (long long)q[1],
                       a->heads);
    }
    MB_TRY(mb_rule_dims(c, OP, 1, "kv", (const int64_t[4]){q[0], 2 * q[1], -1, -1}, err));
    MB_TRY(mb_rule_out(out_dims, q, OP, err));
done:
    return status;
}

/* QK and PV of all pairs of a query and a key. */
double mb_cross_attention_macs(const mb_call *c)
{
    const int64_t *k = c->in[1].dims;
    return 2 * (double)mb_view_count(&c->out) * (double)k[2] * (double)k[3];
}
