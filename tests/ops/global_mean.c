/* Mean over the map. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"64", .in = {{1, 64, 5, 7}}},           {"batch", .in = {{3, 7, 9, 8}}},
    {"one pixel", .in = {{2, 5, 1, 1}}},     {"one channel", .in = {{1, 1, 33, 65}}},
    {"147, long", .in = {{1, 147, 3, 400}}}, {"64, 256^2", .in = {{1, 64, 256, 256}}, .bench = true},
};

OP_HARNESS(MB_OP_global_mean, cases)
