/* Activations, also far out where exp and erf saturate. */
#include "harness/op_harness.h"

#define ACT(a) .attrs.unary = {MB_ACT_##a}

static const op_case cases[] = {
    {"copy", ACT(NONE), .in = {{2, 7, 5, 3}}},
    {"relu", ACT(RELU), .in = {{1, 64, 5, 7}}},
    {"gelu", ACT(GELU), .in = {{1, 64, 5, 7}}},
    {"gelu around zero", ACT(GELU), .in = {{1, 33, 16, 16}}, .amplitude = 1e-3f},
    {"gelu to 4", ACT(GELU), .in = {{1, 64, 32, 32}}, .amplitude = 4},
    {"gelu to 100", ACT(GELU), .in = {{1, 64, 32, 32}}, .amplitude = 100},
    {"sigmoid", ACT(SIGMOID), .in = {{1, 64, 5, 7}}},
    {"sigmoid to 20", ACT(SIGMOID), .in = {{1, 64, 32, 32}}, .amplitude = 20},
    {"sigmoid to 1e30", ACT(SIGMOID), .in = {{1, 64, 32, 32}}, .amplitude = 1e30f},
    {"sigmoid of one value", ACT(SIGMOID), .in = {{1, 1, 1, 1}}},
    {"sigmoid of one channel", ACT(SIGMOID), .in = {{2, 1, 19, 13}}},
    {"relu of 147", ACT(RELU), .in = {{2, 147, 3, 3}}},
    {"gelu, Swin-L 2", ACT(GELU), .in = {{1, 3072, 64, 64}}, .bench = true},
    {"relu 64, 256^2", ACT(RELU), .in = {{1, 64, 256, 256}}, .bench = true},
    {"sigmoid 1024^2", ACT(SIGMOID), .in = {{1, 1, 1024, 1024}}, .bench = true},
};

OP_HARNESS(MB_OP_unary, cases)
