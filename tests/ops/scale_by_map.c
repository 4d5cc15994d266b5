/* The gate: a map times the sigmoid of another. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"64", .in = {{1, 64, 5, 7}, {1, 1, 5, 7}}},
    {"batch", .in = {{2, 7, 3, 5}, {2, 1, 3, 5}}},
    {"one value", .in = {{1, 1, 1, 1}, {1, 1, 1, 1}}},
    {"147", .in = {{1, 147, 9, 1}, {1, 1, 9, 1}}},
    {"logits to 800", .in = {{1, 33, 9, 9}, {1, 1, 9, 9}}, .amplitude = 100},
    {"384, 128^2", .in = {{1, 384, 128, 128}, {1, 1, 128, 128}}, .bench = true},
};

OP_HARNESS(MB_OP_scale_by_map, cases)
