/* window_attention: the inputs it accepts, the shape it gives, its cost. The formula: ref/window_attention.c. */
#include "rules/rules.h"

#define OP MB_OP_window_attention

/* qkv [N,3C,H,W], relative position bias table [(2w-1)^2,heads], pad_qkv [3C] -> [N,C,H,W]. pad_qkv is
 * needed where H or W is no multiple of the window. */
mb_status mb_window_attention_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_window_attention_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "window", a->window, 1, 1024, err));
    MB_TRY(mb_rule_range(OP, "shift", a->shift, 0, a->window - 1, err));
    MB_TRY(mb_rule_range(OP, "number of heads", a->heads, 1, 1 << 16, err));
    const int64_t *x = c->in[0].dims;
    /* Differences of two places in a window run from 1 - w to w - 1. */
    int64_t table = 2 * (int64_t)a->window - 1;
    if (x[1] % (3 * (int64_t)a->heads) != 0) {
        return mb_fail(err, MB_E_MISMATCH, "window_attention: %lld channels of qkv are not 3 x %d heads x d",
                       (long long)x[1], a->heads);
    }
    MB_TRY(mb_rule_dims(c, OP, 1, "the bias table", (const int64_t[4]){table * table, a->heads, 1, 1}, err));
    MB_TRY(mb_rule_vector(c, OP, 2, "pad_qkv", x[1], err));
    if ((x[2] % a->window != 0 || x[3] % a->window != 0) && !mb_call_has(c, 2)) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "window_attention: a map of %lldx%lld is not a multiple of the window %d: "
                       "pad_qkv is needed",
                       (long long)x[2], (long long)x[3], a->window);
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1] / 3, x[2], x[3]}, OP, err));
done:
    return status;
}

/* QK and PV over the padded map. */
double mb_window_attention_macs(const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    const int64_t *x = c->in[0].dims;
    double tokens = (double)x[0] * (double)mb_round_up(x[2], a->window) * (double)mb_round_up(x[3], a->window);
    return 2 * tokens * (double)a->window * (double)a->window * (double)(x[1] / 3);
}
