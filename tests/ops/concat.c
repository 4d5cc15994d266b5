/* Concatenation of channels. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"one", .in = {{1, 64, 5, 7}}},
    {"two", .in = {{2, 7, 3, 5}, {2, 12, 3, 5}}},
    {"eight", .in = {{1, 1, 4, 3},
                     {1, 2, 4, 3},
                     {1, 3, 4, 3},
                     {1, 4, 4, 3},
                     {1, 64, 4, 3},
                     {1, 6, 4, 3},
                     {1, 7, 4, 3},
                     {1, 147, 4, 3}}},
    {"one pixel", .in = {{1, 5, 1, 1}, {1, 1, 1, 1}}},
    {"5 x 256, 256^2", .in = {{1, 256, 256, 256}, {1, 256, 256, 256}, {1, 256, 256, 256}}, .bench = true},
};

OP_HARNESS(MB_OP_concat, cases)
