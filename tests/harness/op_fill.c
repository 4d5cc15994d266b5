/* What goes into the inputs of an op's test: random, with the ugly values that each kind of input can meet. */
#include "harness/op_harness.h"

#include "harness/random.h"

#include <math.h>

uint32_t op_constants(mb_op op)
{
    return mb_op_get_rule(op)->constants;
}

/* A third small, a third on whole pixels (so that positions fall on borders exactly), the rest across the map and far
 * outside it. */
static float offset(test_random *r, const op_case *c)
{
    float size = (float)(c->in[0][2] > c->in[0][3] ? c->in[0][2] : c->in[0][3]) + 3;
    uint32_t die = test_random_below(r, 100);
    if (die < 34) {
        return test_random_float(r, -2, 2);
    }
    if (die < 67) {
        return floorf(test_random_float(r, -4, 5));
    }
    if (die < 95 || !c->hostile) {
        return test_random_float(r, -size, size);
    }
    static const float ugly[] = {1e4f, -1e4f, 3e9f, -3e9f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN};
    return ugly[test_random_below(r, sizeof ugly / sizeof ugly[0])];
}

static float map(test_random *r, float amplitude)
{
    uint32_t die = test_random_below(r, 64);
    float v = test_random_float(r, -amplitude, amplitude);
    return die == 0 ? 8 * v : (die == 1 ? 0.0f : v);
}

void op_fill(float *dst, size_t n, mb_op op, int i, const op_case *c)
{
    test_random r = {(uint64_t)op * 1000 + (uint64_t)i * 10 + n};
    const int64_t *d = c->in[i];
    float fan_in = (float)((d[1] > 0 ? d[1] : 1) * (d[2] > 0 ? d[2] : 1) * (d[3] > 0 ? d[3] : 1));
    float amplitude = c->amplitude > 0 ? c->amplitude : 1;
    op_fill_kind usual = op_constants(op) >> i & 1 ? OP_FILL_VECTOR : OP_FILL_MAP;
    op_fill_kind kind = c->fill[i] != OP_FILL_USUAL ? c->fill[i] : usual;
    for (size_t k = 0; k < n; k++) {
        switch (kind) {
        case OP_FILL_WEIGHT:
            dst[k] = test_random_float(&r, -1.7f, 1.7f) / sqrtf(fan_in);
            break;
        case OP_FILL_VECTOR:
            dst[k] = test_random_float(&r, -1, 1);
            break;
        case OP_FILL_POSITIVE:
            dst[k] = test_random_float(&r, 0.01f, 2);
            break;
        case OP_FILL_OFFSET:
            dst[k] = offset(&r, c);
            break;
        case OP_FILL_MAP:
        case OP_FILL_USUAL:
        default:
            dst[k] = map(&r, amplitude);
        }
    }
}
