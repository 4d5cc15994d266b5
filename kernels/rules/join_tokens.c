/* join_tokens: the inputs it accepts, the shape it gives, its cost. The formula: ref/join_tokens.c. */
#include "rules/rules.h"

#define OP MB_OP_join_tokens

/* x [N,C,H,W], class token [1,C], registers [R,C] or absent -> [N,C,1,1+R+H*W]. */
mb_status mb_join_tokens_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    const int64_t *x = c->in[0].dims;
    MB_TRY(mb_rule_dims(c, OP, 1, "the class token", (const int64_t[4]){1, x[1], 1, 1}, err));
    MB_TRY(mb_rule_dims(c, OP, 2, "the registers", (const int64_t[4]){-1, x[1], 1, 1}, err));
    int64_t registers = mb_call_has(c, 2) ? c->in[2].dims[0] : 0;
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1], 1, 1 + registers + x[2] * x[3]}, OP, err));
done:
    return status;
}

/* It only copies. */
double mb_join_tokens_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
