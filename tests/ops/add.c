/* Sums of maps. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"64", .in = {{1, 64, 5, 7}, {1, 64, 5, 7}}},
    {"batch", .in = {{2, 7, 3, 5}, {2, 7, 3, 5}}},
    {"the same for every item", .in = {{3, 13, 3, 5}, {1, 13, 3, 5}}},
    {"one value", .in = {{1, 1, 1, 1}, {1, 1, 1, 1}}},
    {"147", .in = {{1, 147, 9, 1}, {1, 147, 9, 1}}},
    {"384, 128^2", .in = {{1, 384, 128, 128}, {1, 384, 128, 128}}, .bench = true},
};

OP_HARNESS(MB_OP_add, cases)
