/* Layer norm over channels. Bench: Swin and VITMatte. */
#include "harness/op_harness.h"

#define EPS(e) .attrs.layer_norm = {(e)}

static const op_case cases[] = {
    {"64", EPS(1e-5f), .in = {{1, 64, 5, 7}, {64}, {64}}},
    {"no bias", EPS(1e-5f), .in = {{2, 28, 3, 5}, {28}}},
    {"bare", EPS(1e-5f), .in = {{2, 28, 3, 5}}},
    {"bias alone", EPS(1e-6f), .in = {{1, 19, 3, 5}, {0}, {19}}},
    {"one channel", EPS(1e-6f), .in = {{1, 1, 3, 5}, {1}, {1}}},
    {"3", EPS(1e-6f), .in = {{1, 3, 9, 1}, {3}, {3}}},
    {"147, one token", EPS(1e-5f), .in = {{1, 147, 1, 1}, {147}, {147}}},
    {"1536", EPS(1e-5f), .in = {{2, 1536, 3, 3}, {1536}, {1536}}},
    {"values of 1e4", EPS(1e-5f), .in = {{1, 96, 6, 6}, {96}, {96}}, .amplitude = 1e4f},
    {"values of 1e-4: eps counts", EPS(1e-5f), .in = {{1, 96, 6, 6}, {96}, {96}}, .amplitude = 1e-4f},
    {"Swin-L 0", EPS(1e-5f), .in = {{1, 192, 256, 256}, {192}, {192}}, .bench = true},
    {"Swin-L 2", EPS(1e-5f), .in = {{1, 768, 64, 64}, {768}, {768}}, .bench = true},
    {"Swin-T 0", EPS(1e-5f), .in = {{1, 96, 256, 256}, {96}, {96}}, .bench = true},
    {"VITMatte-S", EPS(1e-6f), .in = {{1, 384, 64, 64}, {384}, {384}}, .bench = true},
};

OP_HARNESS(MB_OP_layer_norm, cases)
