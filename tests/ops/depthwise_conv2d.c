/* Convolution of each channel by itself. */
#include "harness/op_harness.h"

#define ACT(a) .attrs.depthwise_conv2d = {MB_ACT_##a}, .fill[1] = OP_FILL_WEIGHT

static const op_case cases[] = {
    {"3x3", ACT(NONE), .in = {{1, 7, 9, 11}, {7, 1, 3, 3}, {7}}},
    {"3x3 gelu", ACT(GELU), .in = {{2, 64, 13, 17}, {64, 1, 3, 3}, {64}}},
    {"3x3 no bias", ACT(RELU), .in = {{1, 40, 8, 8}, {40, 1, 3, 3}}},
    {"3x3 on one pixel", ACT(NONE), .in = {{2, 33, 1, 1}, {33, 1, 3, 3}, {33}}},
    {"3x3 on one row", ACT(GELU), .in = {{1, 5, 1, 40}, {5, 1, 3, 3}, {5}}},
    {"3x3 on one column", ACT(NONE), .in = {{1, 48, 37, 1}, {48, 1, 3, 3}, {48}}},
    {"1x1", ACT(NONE), .in = {{1, 19, 4, 5}, {19, 1, 1, 1}, {19}}},
    {"5x5", ACT(SIGMOID), .in = {{1, 20, 9, 6}, {20, 1, 5, 5}, {20}}},
    {"7x7 larger than the map", ACT(NONE), .in = {{1, 8, 3, 2}, {8, 1, 7, 7}, {8}}},
    {"9x9", ACT(NONE), .in = {{1, 8, 6, 7}, {8, 1, 9, 9}, {8}}},
    {"3x3 values of 1e4", ACT(NONE), .in = {{1, 33, 9, 9}, {33, 1, 3, 3}, {33}}, .amplitude = 1e4f},
    {"PVTv2 stage 1 at 1024^2", ACT(GELU), .in = {{1, 512, 256, 256}, {512, 1, 3, 3}, {512}}, .bench = true},
    {"PVTv2 stage 3 at 1024^2", ACT(GELU), .in = {{1, 1280, 64, 64}, {1280, 1, 3, 3}, {1280}}, .bench = true},
};

OP_HARNESS(MB_OP_depthwise_conv2d, cases)
