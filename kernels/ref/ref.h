/* What the plain kernels share: addressing of channels-last views, activations in double. They are the truth that all
 * other kernels are held to, so sums run in double, formulas stand as in the papers, and nothing is clever. */
#ifndef MB_REF_H
#define MB_REF_H

#include "rules/rules.h"

#include <math.h>

#define MB_OP(name, ...) extern const mb_kernel mb_ref_##name;
#include "ops.def"
#undef MB_OP

/* The channels of one pixel. */
static inline float *mb_px(const mb_view *v, int64_t n, int64_t y, int64_t x)
{
    return (float *)v->data + ((n * v->dims[2] + y) * v->dims[3] + x) * v->pitch;
}

/* The channels of token t, counted through n, y, x. */
static inline float *mb_tok(const mb_view *v, int64_t t)
{
    return (float *)v->data + t * v->pitch;
}

/* Element i of an optional vector, or `otherwise`. */
static inline double mb_vec(const mb_call *c, int input, int64_t i, double otherwise)
{
    return mb_call_has(c, input) ? ((const float *)c->in[input].data)[i] : otherwise;
}

/* In double; GELU by erf, as the models define it. */
static inline double mb_ref_activate(mb_activation act, double x)
{
    switch (act) {
    case MB_ACT_RELU:
        return x < 0 ? 0 : x; /* NaN stays NaN */
    case MB_ACT_GELU:         /* x Phi(x), the exact form */
        return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    case MB_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case MB_ACT_NONE:
    default:
        return x;
    }
}

#endif
