/* vit_attention: the inputs it accepts, the shape it gives, its cost. The formula: ref/vit_attention.c. */
#include "rules/rules.h"
#include "rules/vit_attention.h"

#define OP MB_OP_vit_attention

/* qkv [N,3C,H,W], rel_pos_h and rel_pos_w [rows,C/heads] (any number of rows: they are resized; both or neither),
 * pad_qkv [3C] -> [N,C,H,W]. pad_qkv is needed where H or W is no multiple of the window, and for pads_as_one. */
mb_status mb_vit_attention_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_vit_attention_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "window", a->window, 0, 1024, err));
    MB_TRY(mb_rule_range(OP, "number of heads", a->heads, 1, 1 << 16, err));
    const int64_t *x = c->in[0].dims;
    if (x[1] % (3 * (int64_t)a->heads) != 0) {
        return mb_fail(err, MB_E_MISMATCH, "vit_attention: %lld channels of qkv are not 3 x %d heads x d",
                       (long long)x[1], a->heads);
    }
    const int64_t table[4] = {-1, x[1] / 3 / a->heads, 1, 1};
    MB_TRY(mb_rule_dims(c, OP, 1, "rel_pos_h", table, err));
    MB_TRY(mb_rule_dims(c, OP, 2, "rel_pos_w", table, err));
    MB_TRY(mb_rule_vector(c, OP, 3, "pad_qkv", x[1], err));
    if (mb_call_has(c, 1) != mb_call_has(c, 2) || (a->window > 0 && !mb_call_has(c, 1))) {
        return mb_fail(err, MB_E_ARGUMENT, "vit_attention: %s",
                       a->window > 0 ? "windows need rel_pos_h and rel_pos_w"
                                     : "one of rel_pos_h and rel_pos_w is there without the other");
    }
    if (a->window > 0 && (x[2] % a->window != 0 || x[3] % a->window != 0) && !mb_call_has(c, 3)) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "vit_attention: a map of %lldx%lld is not a multiple of the window %d: pad_qkv "
                       "is needed",
                       (long long)x[2], (long long)x[3], a->window);
    }
    if (a->pads_as_one && (a->window == 0 || !mb_call_has(c, 3))) {
        return mb_fail(err, MB_E_ARGUMENT, "vit_attention: pads_as_one needs windows and pad_qkv");
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){x[0], x[1] / 3, x[2], x[3]}, OP, err));
done:
    return status;
}

/* QK and PV of all pairs of a query and a key; with pads_as_one pairs of real tokens, and one key more with padding. */
static double pairs_of(const mb_vit_map *m, const int64_t dims[4], bool pads_as_one)
{
    double pairs = 0;
    for (int64_t y = 0; y < m->rows; y++) {
        for (int64_t x = 0; x < m->cols; x++) {
            double all = (double)m->a * (double)m->b;
            double real = (double)mb_vit_inside(dims[2], m->a, y) * (double)mb_vit_inside(dims[3], m->b, x);
            pairs += pads_as_one ? real * (real < all ? real + 1 : real) : all * all;
        }
    }
    return pairs;
}

/* QK, PV and the relative terms, padding included unless it is one key (docs/models/vitmatte.md 5). */
double mb_vit_attention_macs(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    mb_vit_map m = mb_vit_map_of(c);
    const int64_t *x = c->in[0].dims;
    if (!mb_call_has(c, 1)) {
        return (double)x[0] * (double)(x[1] / 3) * 2 * pairs_of(&m, x, false);
    }
    double queries = at->pads_as_one ? (double)x[2] * (double)x[3] : (double)(m.rows * m.a) * (double)(m.cols * m.b);
    double terms = queries * ((double)m.a + (double)m.b);
    return (double)x[0] * (double)(x[1] / 3) * (2 * pairs_of(&m, x, at->pads_as_one) + terms);
}
