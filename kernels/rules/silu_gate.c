/* silu_gate: the inputs it accepts, the shape it gives, its cost. The formula: ref/silu_gate.c. */
#include "rules/rules.h"

/* gate and x [N,C,H,W] -> the same. */
mb_status mb_silu_gate_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_silu_gate, err));
    MB_TRY(mb_rule_dims(c, MB_OP_silu_gate, 1, "the gated map", c->in[0].dims, err));
    MB_TRY(mb_rule_out(out_dims, c->in[0].dims, MB_OP_silu_gate, err));
done:
    return status;
}

/* Not counted: memory decides its time. */
double mb_silu_gate_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
