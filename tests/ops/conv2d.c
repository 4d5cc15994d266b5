/* Convolution. Bench: BiRefNet's decoder and VITMatte's detail capture at 1024 x 1024. */
#include "harness/op_harness.h"

#define CONV(s, p, a) .attrs.conv2d = {.stride = (s), .pad = (p), .act = MB_ACT_##a}, .fill[1] = OP_FILL_WEIGHT
#define BORDERS(p, a) .attrs.conv2d = {1, (p), MB_ACT_##a, true}, .fill[1] = OP_FILL_WEIGHT

#define WINOGRAD .looser = 10

static const op_case cases[] = {
    {"3x3", CONV(1, 1, NONE), .in = {{1, 7, 9, 11}, {5, 7, 3, 3}, {5}}},
    {"3x3 no bias", CONV(1, 1, NONE), .in = {{1, 16, 8, 8}, {16, 16, 3, 3}}},
    {"3x3 relu", CONV(1, 1, RELU), .in = {{2, 64, 13, 17}, {64, 64, 3, 3}, {64}}},
    {"3x3 gelu", CONV(1, 1, GELU), .in = {{1, 17, 6, 5}, {33, 17, 3, 3}, {33}}},
    {"3x3 sigmoid to one channel", CONV(1, 1, SIGMOID), .in = {{2, 64, 21, 10}, {1, 64, 3, 3}, {1}}},
    {"3x3 addend map", CONV(1, 1, RELU), .in = {{2, 24, 9, 14}, {48, 24, 3, 3}, {48}, {2, 48, 9, 14}}},
    {"3x3 addend vector", CONV(1, 1, RELU), .in = {{2, 24, 9, 14}, {40, 24, 3, 3}, {40}, {2, 40, 1, 1}}},
    {"3x3 addend without bias", CONV(1, 1, NONE), .in = {{1, 8, 6, 9}, {8, 8, 3, 3}, {0}, {1, 8, 6, 9}}},
    {"3x3 on one pixel", CONV(1, 1, NONE), .in = {{2, 3, 1, 1}, {6, 3, 3, 3}, {6}}},
    {"3x3 on one row", CONV(1, 1, NONE), .in = {{1, 5, 1, 40}, {6, 5, 3, 3}, {6}}},
    {"3x3 on one column", CONV(1, 1, NONE), .in = {{1, 5, 37, 1}, {6, 5, 3, 3}, {6}}},
    {"3x3 stride 2", CONV(2, 1, RELU), .in = {{2, 4, 18, 22}, {48, 4, 3, 3}, {48}}},
    {"3x3 stride 2, odd", CONV(2, 1, NONE), .in = {{1, 48, 17, 9}, {20, 48, 3, 3}}},
    {"3x3 from 1 channel", CONV(1, 1, NONE), .in = {{1, 1, 12, 13}, {64, 1, 3, 3}, {64}}},
    {"3x3 from 3 channels", CONV(1, 1, NONE), .in = {{1, 3, 31, 33}, {64, 3, 3, 3}, {64}}},
    {"3x3 from 480 channels", CONV(1, 1, NONE), .in = {{1, 480, 6, 7}, {64, 480, 3, 3}, {64}}},
    {"3x3 to 147 channels", CONV(1, 1, NONE), .in = {{1, 64, 10, 9}, {147, 64, 3, 3}, {147}}},
    {"7x7 to 147 channels", CONV(1, 3, NONE), .in = {{1, 64, 9, 12}, {147, 64, 7, 7}, {147}}},
    {"7x7 larger than the map", CONV(1, 3, NONE), .in = {{1, 8, 3, 2}, {9, 8, 7, 7}, {9}}},
    /* By Winograd's tiles: whole and partial ones, blocks of K, groups of outputs, borders. looser: the transforms add
     * values several times as large as their sum (docs/precision.md). */
    {"3x3 on 32 x 33", CONV(1, 1, RELU), WINOGRAD, .in = {{1, 16, 32, 33}, {16, 16, 3, 3}, {16}}},
    {"3x3 on 31 x 34, odd channels", CONV(1, 1, NONE), WINOGRAD, .in = {{2, 20, 31, 34}, {27, 20, 3, 3}, {27}}},
    {"3x3 on 32 x 32 from 130", CONV(1, 1, NONE), WINOGRAD, .in = {{1, 130, 32, 32}, {17, 130, 3, 3}}},
    {"3x3 on 35 x 30, addend", CONV(1, 1, GELU), WINOGRAD,
     .in = {{1, 16, 35, 30}, {70, 16, 3, 3}, {70}, {1, 70, 35, 30}}},
    {"3x3 on 1025 x 1, vector", CONV(1, 1, NONE), WINOGRAD,
     .in = {{2, 16, 1025, 1}, {16, 16, 3, 3}, {0}, {2, 16, 1, 1}}},
    {"3x3 on 35 x 36, no padding", CONV(1, 0, SIGMOID), WINOGRAD, .in = {{1, 17, 35, 36}, {19, 17, 3, 3}, {19}}},
    {"7x7 on 31 x 35", CONV(1, 3, NONE), WINOGRAD, .in = {{1, 17, 31, 35}, {19, 17, 7, 7}, {19}}},
    {"1x1", CONV(1, 0, NONE), .in = {{2, 64, 7, 9}, {256, 64, 1, 1}, {256}}},
    {"1x1 to one channel", CONV(1, 0, NONE), .in = {{1, 147, 5, 5}, {1, 147, 1, 1}, {1}}},
    {"1x1 sigmoid to one channel", CONV(1, 0, SIGMOID), .in = {{2, 16, 19, 31}, {1, 16, 1, 1}, {1}}},
    {"1x1 gelu to 3 channels", CONV(1, 0, GELU), .in = {{1, 20, 9, 13}, {3, 20, 1, 1}, {3}, {1, 3, 9, 13}}},
    {"1x1 relu to 4 of 500 channels", CONV(1, 0, RELU), .in = {{1, 500, 8, 13}, {4, 500, 1, 1}, {4}}},
    {"1x1 on one pixel", CONV(1, 0, RELU), .in = {{2, 64, 1, 1}, {64, 64, 1, 1}}},
    {"1x1 padded", CONV(1, 1, NONE), .in = {{1, 5, 4, 4}, {3, 5, 1, 1}, {3}}},
    {"1x1 stride 2", CONV(2, 0, NONE), .in = {{1, 5, 7, 8}, {3, 5, 1, 1}, {3}}},
    {"4x4 stride 4 (Swin's patches)", CONV(4, 0, NONE), .in = {{2, 3, 16, 24}, {96, 3, 4, 4}, {96}}},
    {"16x16 stride 16 (ViT's patches)", CONV(16, 0, NONE), .in = {{1, 4, 32, 48}, {64, 4, 16, 16}, {64}}},
    {"2x3 kernel", CONV(1, 1, NONE), .in = {{1, 6, 5, 6}, {7, 6, 2, 3}, {7}}},
    {"5x5 without padding", CONV(1, 0, NONE), .in = {{1, 6, 9, 8}, {7, 6, 5, 5}, {7}}},
    {"5x5 border variants", BORDERS(2, NONE), .in = {{2, 3, 9, 11}, {36, 3, 5, 5}, {36}}},
    {"5x5 border variants, 2x2", BORDERS(2, RELU), .in = {{1, 3, 2, 2}, {9, 3, 5, 5}, {9}, {1, 1, 2, 2}}},
    {"3x3 border variants, addend vector", BORDERS(1, NONE), .in = {{2, 8, 5, 3}, {63, 8, 3, 3}, {63}, {2, 7, 1, 1}}},
    {"3x3 values of 1e4", CONV(1, 1, NONE), .in = {{1, 33, 9, 9}, {17, 33, 3, 3}, {17}}, .amplitude = 1e4f},
    /* BiRefNet */
    {"7x7 64 to 147, 256^2", CONV(1, 3, NONE), .in = {{1, 64, 256, 256}, {147, 64, 7, 7}, {147}}, .bench = true},
    {"3x3 480 to 64, 256^2", CONV(1, 1, RELU), .in = {{1, 480, 256, 256}, {64, 480, 3, 3}, {64}}, .bench = true},
    {"3x3 1920 to 64, 64^2", CONV(1, 1, RELU), .in = {{1, 1920, 64, 64}, {64, 1920, 3, 3}, {64}}, .bench = true},
    {"3x3 64 to 192, 256^2", CONV(1, 1, NONE), .in = {{1, 64, 256, 256}, {192, 64, 3, 3}, {192}}, .bench = true},
    {"3x3 64 to 1, 256^2", CONV(1, 1, NONE), .in = {{1, 64, 256, 256}, {1, 64, 3, 3}, {1}}, .bench = true},
    {"5x5 3 to 1, border variants, 1024^2", BORDERS(2, NONE),
     .in = {{1, 3, 1024, 1024}, {9, 3, 5, 5}, {9}, {1, 1, 1024, 1024}}, .bench = true},
    {"1x1 384 to 768, 128^2", CONV(1, 0, NONE), .in = {{1, 384, 128, 128}, {768, 384, 1, 1}, {768}}, .bench = true},
    {"4x4/4 3 to 192, 1024^2", CONV(4, 0, NONE), .in = {{1, 3, 1024, 1024}, {192, 3, 4, 4}, {192}}, .bench = true},
    /* VITMatte-S */
    {"16x16/16 4 to 384, 1024^2", CONV(16, 0, NONE), .in = {{1, 4, 1024, 1024}, {384, 4, 16, 16}, {384}},
     .bench = true},
    {"3x3/2 4 to 48, 1024^2", CONV(2, 1, RELU), .in = {{1, 4, 1024, 1024}, {48, 4, 3, 3}, {48}}, .bench = true},
    {"3x3 576 to 256, 128^2", CONV(1, 1, RELU), .in = {{1, 576, 128, 128}, {256, 576, 3, 3}, {256}}, .bench = true},
    {"3x3 176 to 64, 512^2", CONV(1, 1, RELU), .in = {{1, 176, 512, 512}, {64, 176, 3, 3}, {64}}, .bench = true},
    {"3x3 68 to 32, 1024^2", CONV(1, 1, RELU), .in = {{1, 68, 1024, 1024}, {32, 68, 3, 3}, {32}}, .bench = true},
    {"1x1 16 to 1, 1024^2", CONV(1, 0, SIGMOID), .in = {{1, 16, 1024, 1024}, {1, 16, 1, 1}, {1}}, .bench = true},
    {"1x1 16 to 1, plain, 1024^2", CONV(1, 0, NONE), .in = {{1, 16, 1024, 1024}, {1, 16, 1, 1}, {1}}, .bench = true},
    {"1x1 64 to 3, gelu, 256^2", CONV(1, 0, GELU), .in = {{1, 64, 256, 256}, {3, 64, 1, 1}, {3}}, .bench = true},
    {"3x3 32 to 16, 1024^2", CONV(1, 1, RELU), .in = {{1, 32, 1024, 1024}, {16, 32, 3, 3}, {16}}, .bench = true},
};

OP_HARNESS(MB_OP_conv2d, cases)
