/* Modulated deformable convolution, with offsets far outside of the map, on its borders, infinite and not a number.
 * Bench: BiRefNet's decoder block 1 at 1024 x 1024. */
#include "harness/op_harness.h"

#define FILL         .fill = {[1] = OP_FILL_OFFSET, [3] = OP_FILL_WEIGHT}
#define DEFORM(p, a) .attrs.deform_conv2d = {.pad = (p), .modulator_scale = 2, .act = MB_ACT_##a}, FILL

static const op_case cases[] = {
    {"3x3", DEFORM(1, NONE), .in = {{1, 8, 7, 9}, {1, 18, 7, 9}, {1, 9, 7, 9}, {5, 8, 3, 3}, {5}}},
    {"3x3 relu", DEFORM(1, RELU), .in = {{2, 64, 9, 6}, {2, 18, 9, 6}, {2, 9, 9, 6}, {64, 64, 3, 3}, {64}}},
    {"3x3 no bias", DEFORM(1, NONE), .in = {{1, 7, 5, 5}, {1, 18, 5, 5}, {1, 9, 5, 5}, {3, 7, 3, 3}}},
    {"1x1", DEFORM(0, RELU), .in = {{2, 64, 8, 8}, {2, 2, 8, 8}, {2, 1, 8, 8}, {256, 64, 1, 1}, {256}}},
    {"7x7", DEFORM(3, RELU), .in = {{1, 64, 11, 10}, {1, 98, 11, 10}, {1, 49, 11, 10}, {256, 64, 7, 7}, {256}}},
    {"7x7 on one pixel", DEFORM(3, NONE), .in = {{1, 5, 1, 1}, {1, 98, 1, 1}, {1, 49, 1, 1}, {6, 5, 7, 7}, {6}}},
    {"3x3 on one row", DEFORM(1, NONE), .in = {{1, 5, 1, 33}, {1, 18, 1, 33}, {1, 9, 1, 33}, {6, 5, 3, 3}, {6}}},
    {"3x3 one channel", DEFORM(1, NONE), .in = {{1, 1, 9, 9}, {1, 18, 9, 9}, {1, 9, 9, 9}, {1, 1, 3, 3}, {1}}},
    {"scale folded into the weights", .attrs.deform_conv2d = {.pad = 1, .modulator_scale = 1}, FILL,
     .in = {{1, 16, 6, 6}, {1, 18, 6, 6}, {1, 9, 6, 6}, {16, 16, 3, 3}, {16}}},
    {"3x3 hostile offsets", DEFORM(1, NONE),
     .in = {{2, 20, 12, 13}, {2, 18, 12, 13}, {2, 9, 12, 13}, {24, 20, 3, 3}, {24}}, .hostile = true},
    {"7x7 hostile offsets", DEFORM(3, NONE), .in = {{1, 64, 9, 9}, {1, 98, 9, 9}, {1, 49, 9, 9}, {64, 64, 7, 7}, {64}},
     .hostile = true},
    {"3x3 large values", DEFORM(1, NONE), .in = {{1, 16, 6, 6}, {1, 18, 6, 6}, {1, 9, 6, 6}, {16, 16, 3, 3}, {16}},
     .amplitude = 100},
    {"7x7 256^2", DEFORM(3, RELU),
     .in = {{1, 64, 256, 256}, {1, 98, 256, 256}, {1, 49, 256, 256}, {256, 64, 7, 7}, {256}}, .bench = true},
    {"3x3 256^2", DEFORM(1, RELU),
     .in = {{1, 64, 256, 256}, {1, 18, 256, 256}, {1, 9, 256, 256}, {256, 64, 3, 3}, {256}}, .bench = true},
    {"1x1 256^2", DEFORM(0, RELU),
     .in = {{1, 64, 256, 256}, {1, 2, 256, 256}, {1, 1, 256, 256}, {256, 64, 1, 1}, {256}}, .bench = true},
};

OP_HARNESS(MB_OP_deform_conv2d, cases)
