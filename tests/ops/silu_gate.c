/* The gate of a SwiGLU. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"64", .in = {{1, 64, 5, 7}, {1, 64, 5, 7}}},
    {"batch", .in = {{2, 7, 3, 5}, {2, 7, 3, 5}}},
    {"one value", .in = {{1, 1, 1, 1}, {1, 1, 1, 1}}},
    {"147", .in = {{1, 147, 9, 1}, {1, 147, 9, 1}}},
    {"gates to 800", .in = {{1, 33, 9, 9}, {1, 33, 9, 9}}, .amplitude = 100},
    {"DINOv3-S+ 1024", .in = {{1, 1536, 1, 4101}, {1, 1536, 1, 4101}}, .bench = true},
};

OP_HARNESS(MB_OP_silu_gate, cases)
