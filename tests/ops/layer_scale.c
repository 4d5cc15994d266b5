/* A factor for each channel. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"64", .in = {{1, 64, 5, 7}, {64}}},
    {"batch", .in = {{2, 7, 3, 5}, {7}}},
    {"one value", .in = {{1, 1, 1, 1}, {1}}},
    {"147", .in = {{1, 147, 1, 9}, {147}}},
    {"768, 1029 tokens", .in = {{1, 768, 1, 1029}, {768}}, .bench = true},
};

OP_HARNESS(MB_OP_layer_scale, cases)
