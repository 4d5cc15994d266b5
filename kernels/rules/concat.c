/* concat: the inputs it accepts, the shape it gives, its cost. The formula: ref/concat.c. */
#include "rules/rules.h"

/* Maps [N,Ci,H,W] of one N, H and W -> [N,sum Ci,H,W]. No input may be absent between others. */
mb_status mb_concat_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_concat, err));
    const int64_t *first = c->in[0].dims;
    int64_t channels = 0;
    for (int i = 0; i < c->n_in; i++) {
        if (!mb_call_has(c, i)) {
            return mb_fail(err, MB_E_ARGUMENT, "concat: input %d is missing", i);
        }
        MB_TRY(mb_rule_dims(c, MB_OP_concat, i, "a map", (const int64_t[4]){first[0], -1, first[2], first[3]}, err));
        channels += c->in[i].dims[1];
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){first[0], channels, first[2], first[3]}, MB_OP_concat, err));
done:
    return status;
}

/* It only copies. */
double mb_concat_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
