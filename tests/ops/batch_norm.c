/* Batch norm with fixed statistics. */
#include "harness/op_harness.h"

#define EPS(e) .attrs.batch_norm = {(e)}, .fill[4] = OP_FILL_POSITIVE

static const op_case cases[] = {
    {"64", EPS(1e-5f), .in = {{1, 64, 5, 7}, {64}, {64}, {64}, {64}}},
    {"16, batch", EPS(1e-5f), .in = {{2, 16, 3, 5}, {16}, {16}, {16}, {16}}},
    {"one channel, one pixel", EPS(1e-5f), .in = {{1, 1, 1, 1}, {1}, {1}, {1}, {1}}},
    {"147", EPS(1e-5f), .in = {{1, 147, 2, 9}, {147}, {147}, {147}, {147}}},
    {"64, 256^2", EPS(1e-5f), .in = {{1, 64, 256, 256}, {64}, {64}, {64}, {64}}, .bench = true},
};

OP_HARNESS(MB_OP_batch_norm, cases)
