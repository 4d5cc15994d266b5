/* Helpers of the shape rules (kernels/rules/<op>.c): the checks that all of them share, each with a message that names
 * the op, the input and both sizes. Also the declarations of every rule, generated from ops.def. */
#ifndef MB_RULES_RULES_H
#define MB_RULES_RULES_H

#include "kernel.h"

#define MB_OP(name, ...)                                                                                               \
    mb_status mb_##name##_shape(int64_t out_dims[4], const mb_call *c, mb_error *err);                                 \
    double mb_##name##_macs(const mb_call *c);
#include "ops.def"
#undef MB_OP

static inline bool mb_call_has(const mb_call *c, int input)
{
    return input < c->n_in && mb_view_present(&c->in[input]);
}

/* The next multiple of `unit`: what a map is padded to. */
static inline int64_t mb_round_up(int64_t size, int64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* The number of inputs, and that each present one has sane dims. Every rule begins with it. */
MB_MUST_CHECK mb_status mb_rule_begin(const mb_call *c, mb_op op, mb_error *err);
/* Writes the dims, and checks that they are positive and that 4-byte elements can be addressed. */
MB_MUST_CHECK mb_status mb_rule_out(int64_t out_dims[4], const int64_t want[4], mb_op op, mb_error *err);
/* Input `i` has dims `want`; a want of -1 accepts anything. `what` names it in the message. Absent: fine. */
MB_MUST_CHECK mb_status mb_rule_dims(const mb_call *c, mb_op op, int i, const char *what, const int64_t want[4],
                                     mb_error *err);
/* Input `i` is a vector [n,1,1,1], or absent. */
MB_MUST_CHECK mb_status mb_rule_vector(const mb_call *c, mb_op op, int i, const char *what, int64_t n, mb_error *err);
MB_MUST_CHECK mb_status mb_rule_activation(mb_op op, mb_activation act, mb_error *err);
/* min <= value <= max for the attribute `what`. */
MB_MUST_CHECK mb_status mb_rule_range(mb_op op, const char *what, int64_t value, int64_t min, int64_t max,
                                      mb_error *err);

#endif
