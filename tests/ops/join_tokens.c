/* Class and register tokens in front of the patches. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"four registers", .in = {{1, 64, 5, 7}, {1, 64}, {4, 64}}},
    {"no registers", .in = {{1, 19, 3, 4}, {1, 19}}},
    {"batch", .in = {{3, 24, 4, 3}, {1, 24}, {2, 24}}},
    {"one patch", .in = {{2, 7, 1, 1}, {1, 7}, {4, 7}}},
    {"one channel", .in = {{2, 1, 9, 5}, {1, 1}, {1, 1}}},
    {"DINOv3-B 1024", .in = {{1, 768, 64, 64}, {1, 768}, {4, 768}}, .bench = true},
};

OP_HARNESS(MB_OP_join_tokens, cases)
