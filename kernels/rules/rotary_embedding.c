/* rotary_embedding: the inputs it accepts, the shape it gives, its cost. The formula: ref/rotary_embedding.c. */
#include "rules/rules.h"

#define OP MB_OP_rotary_embedding

/* qkv [N,3C,1,T], table [1,2d,h,w] with d = C / heads even and h * w <= T -> [N,3C,1,T]. */
mb_status mb_rotary_embedding_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_heads_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "number of heads", a->heads, 1, 1 << 16, err));
    MB_TRY(mb_rule_dims(c, OP, 0, "qkv", (const int64_t[4]){-1, -1, 1, -1}, err));
    const int64_t *x = c->in[0].dims, *table = c->in[1].dims;
    if (x[1] % (6 * (int64_t)a->heads) != 0) {
        return mb_fail(err, MB_E_MISMATCH, "rotary_embedding: %lld channels of qkv are not 3 x %d heads x an even d",
                       (long long)x[1], a->heads);
    }
    MB_TRY(mb_rule_dims(c, OP, 1, "the table", (const int64_t[4]){1, 2 * (x[1] / 3 / a->heads), -1, -1}, err));
    if (table[2] * table[3] > x[3]) {
        return mb_fail(err, MB_E_MISMATCH, "rotary_embedding: %lld tokens are fewer than the table's %lld x %lld",
                       (long long)x[3], (long long)table[2], (long long)table[3]);
    }
    MB_TRY(mb_rule_out(out_dims, x, OP, err));
done:
    return status;
}

/* Four for each pair of q and k. */
double mb_rotary_embedding_macs(const mb_call *c)
{
    const int64_t *x = c->in[0].dims, *table = c->in[1].dims;
    return (double)x[0] * (double)(table[2] * table[3]) * (double)(x[1] / 3) * 4;
}
