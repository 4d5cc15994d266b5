/* Max pooling. */
#include "harness/op_harness.h"

#define POOL(k, s, p) .attrs.max_pool2d = {(k), (s), (p)}

static const op_case cases[] = {
    {"2x2", POOL(2, 2, 0), .in = {{1, 64, 6, 8}}},
    {"2x2, odd sides", POOL(2, 2, 0), .in = {{2, 7, 5, 9}}},
    {"2x2 of one cell", POOL(2, 2, 0), .in = {{1, 33, 3, 2}}},
    {"3x3 stride 2 padded", POOL(3, 2, 1), .in = {{1, 64, 8, 12}}},
    {"3x3 stride 2 padded, odd", POOL(3, 2, 1), .in = {{2, 20, 7, 9}}},
    {"3x3 on one pixel", POOL(3, 2, 1), .in = {{2, 5, 1, 1}}},
    {"3x3 stride 1 on one row", POOL(3, 1, 1), .in = {{1, 17, 1, 21}}},
    {"1x1", POOL(1, 1, 0), .in = {{1, 19, 4, 5}}},
    {"5x5 stride 3", POOL(5, 3, 2), .in = {{1, 40, 13, 11}}},
    {"ResNet's stem at 1024^2", POOL(3, 2, 1), .in = {{1, 64, 512, 512}}, .bench = true},
    {"VGG's first at 1024^2", POOL(2, 2, 0), .in = {{1, 64, 1024, 1024}}, .bench = true},
};

OP_HARNESS(MB_OP_max_pool2d, cases)
