/* The 3x3 convolution of an enlarged map. Bench: VITMatte-S at 1024 x 1024. */
#include "harness/op_harness.h"

#define ACT(a) .attrs.upsample_conv2d = {MB_ACT_##a}, .fill[1] = OP_FILL_WEIGHT

static const op_case cases[] = {
    {"plain", ACT(NONE), .in = {{1, 7, 5, 4}, {3, 7, 3, 3}}},
    {"bias, addend, relu", ACT(RELU), .in = {{2, 16, 3, 6}, {5, 16, 3, 3}, {5}, {2, 5, 6, 12}}},
    {"one pixel", ACT(NONE), .in = {{1, 3, 1, 1}, {4, 3, 3, 3}, {4}}},
    {"one row", ACT(RELU), .in = {{1, 24, 1, 9}, {8, 24, 3, 3}, {8}, {1, 8, 2, 18}}},
    {"one column", ACT(NONE), .in = {{2, 9, 11, 1}, {17, 9, 3, 3}, {17}}},
    {"wide", ACT(RELU), .in = {{1, 65, 7, 33}, {40, 65, 3, 3}, {40}, {1, 40, 14, 66}}},
    {"many rows", ACT(RELU), .in = {{1, 12, 40, 5}, {24, 12, 3, 3}, {24}, {1, 24, 80, 10}}},
    {"fusion 0", ACT(RELU), .in = {{1, 384, 64, 64}, {256, 384, 3, 3}, {256}, {1, 256, 128, 128}}, .bench = true},
    {"fusion 1", ACT(RELU), .in = {{1, 256, 128, 128}, {128, 256, 3, 3}, {128}, {1, 128, 256, 256}}, .bench = true},
    {"fusion 2", ACT(RELU), .in = {{1, 128, 256, 256}, {64, 128, 3, 3}, {64}, {1, 64, 512, 512}}, .bench = true},
    {"fusion 3", ACT(RELU), .in = {{1, 64, 512, 512}, {32, 64, 3, 3}, {32}, {1, 32, 1024, 1024}}, .bench = true},
};

OP_HARNESS(MB_OP_upsample_conv2d, cases)
