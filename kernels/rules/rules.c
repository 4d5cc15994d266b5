/* The checks that the rules share. */
#include "rules/rules.h"

#include <limits.h>

/* What the checks say of an op, from ops.def. */
typedef struct op_name {
    const char *name;
    int most_inputs, least_inputs;
} op_name;
#define MB_OP(name, most, least, ...) {#name, most, least},
static const op_name ops[MB_OP_COUNT] = {
#include "ops.def"
};
#undef MB_OP

/* Positive, each below 2^31, and the bytes of the whole fit well into 63 bits. */
static bool sane(const int64_t d[4])
{
    /* f32: no type of a map is larger. */
    int64_t bytes = 4;
    for (int i = 0; i < 4; i++) {
        if (d[i] < 1 || d[i] > INT32_MAX || __builtin_mul_overflow(bytes, d[i], &bytes)) {
            return false;
        }
    }
    return bytes <= INT64_MAX / 16;
}

/* Every rule calls this first, so that the checks behind it may read the dims of the inputs that must be there. */
mb_status mb_rule_begin(const mb_call *c, mb_op op, mb_error *err)
{
    const op_name *r = &ops[op];
    if (c->n_in < r->least_inputs || c->n_in > r->most_inputs) {
        return mb_fail(err, MB_E_ARGUMENT, "%s: got %d inputs, expected %d to %d", r->name, c->n_in, r->least_inputs,
                       r->most_inputs);
    }
    for (int i = 0; i < c->n_in; i++) {
        const int64_t *d = c->in[i].dims;
        if (!mb_view_present(&c->in[i])) {
            if (i < r->least_inputs) {
                return mb_fail(err, MB_E_ARGUMENT, "%s: input %d is missing", r->name, i);
            }
        } else if (!sane(d)) {
            return mb_fail(err, MB_E_ARGUMENT, "%s: input %d has invalid dims [%lld,%lld,%lld,%lld]", r->name, i,
                           (long long)d[0], (long long)d[1], (long long)d[2], (long long)d[3]);
        }
    }
    return MB_OK;
}

/* The last step of every rule: the output's dims, if memory for them can be counted. */
mb_status mb_rule_out(int64_t out_dims[4], const int64_t want[4], mb_op op, mb_error *err)
{
    if (!sane(want)) {
        return mb_fail(err, MB_E_ARGUMENT, "%s: the output would have invalid dims [%lld,%lld,%lld,%lld]", ops[op].name,
                       (long long)want[0], (long long)want[1], (long long)want[2], (long long)want[3]);
    }
    for (int i = 0; i < 4; i++) {
        out_dims[i] = want[i];
    }
    return MB_OK;
}

/* Compares dim by dim; -1 in `want` is any size. The message shows a -1 as the size that is there. */
mb_status mb_rule_dims(const mb_call *c, mb_op op, int i, const char *what, const int64_t want[4], mb_error *err)
{
    if (!mb_call_has(c, i)) {
        return MB_OK;
    }
    const int64_t *d = c->in[i].dims;
    for (int k = 0; k < 4; k++) {
        if (want[k] >= 0 && want[k] != d[k]) {
            int64_t w[4];
            for (int j = 0; j < 4; j++) {
                w[j] = want[j] >= 0 ? want[j] : d[j];
            }
            return mb_fail(err, MB_E_MISMATCH, "%s: %s has dims [%lld,%lld,%lld,%lld], expected [%lld,%lld,%lld,%lld]",
                           ops[op].name, what, (long long)d[0], (long long)d[1], (long long)d[2], (long long)d[3],
                           (long long)w[0], (long long)w[1], (long long)w[2], (long long)w[3]);
        }
    }
    return MB_OK;
}

/* A bias, a scale: rank 1, the missing dims are 1. */
mb_status mb_rule_vector(const mb_call *c, mb_op op, int i, const char *what, int64_t n, mb_error *err)
{
    return mb_rule_dims(c, op, i, what, (const int64_t[4]){n, 1, 1, 1}, err);
}

/* Attributes may come from anywhere, so the number of an activation is checked too. */
mb_status mb_rule_activation(mb_op op, mb_activation act, mb_error *err)
{
    return mb_rule_range(op, "activation", (int64_t)act, MB_ACT_NONE, MB_ACT_SIGMOID, err);
}

/* An attribute that is a whole number. */
mb_status mb_rule_range(mb_op op, const char *what, int64_t value, int64_t min, int64_t max, mb_error *err)
{
    if (value < min || value > max) {
        return mb_fail(err, MB_E_ARGUMENT, "%s: %s is %lld, expected %lld to %lld", ops[op].name, what,
                       (long long)value, (long long)min, (long long)max);
    }
    return MB_OK;
}
