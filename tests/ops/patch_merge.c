/* Gather of 2x2 blocks. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"even", .in = {{1, 28, 6, 8}}},       {"odd rows", .in = {{2, 7, 5, 8}}},
    {"odd columns", .in = {{1, 7, 4, 3}}}, {"odd both", .in = {{1, 64, 7, 5}}},
    {"one pixel", .in = {{2, 3, 1, 1}}},   {"Swin-L 0", .in = {{1, 192, 256, 256}}, .bench = true},
};

OP_HARNESS(MB_OP_patch_merge, cases)
