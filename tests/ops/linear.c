/* Linear layers on tokens. Bench: Swin-L, Swin-T and VITMatte-S at 1024 x 1024. */
#include "harness/op_harness.h"

#define ACT(a) .attrs.linear = {MB_ACT_##a}, .fill[1] = OP_FILL_WEIGHT

static const op_case cases[] = {
    {"plain", ACT(NONE), .in = {{1, 64, 5, 7}, {64, 64}, {64}}},
    {"no bias", ACT(NONE), .in = {{2, 28, 3, 5}, {14, 28}}},
    {"gelu", ACT(GELU), .in = {{1, 96, 9, 4}, {384, 96}, {384}}},
    {"relu", ACT(RELU), .in = {{1, 17, 9, 4}, {33, 17}, {33}}},
    {"sigmoid", ACT(SIGMOID), .in = {{1, 17, 2, 2}, {5, 17}, {5}}},
    {"addend", ACT(NONE), .in = {{2, 384, 3, 5}, {96, 384}, {96}, {2, 96, 3, 5}}},
    {"addend and gelu, no bias", ACT(GELU), .in = {{1, 40, 3, 5}, {24, 40}, {0}, {1, 24, 3, 5}}},
    {"one token", ACT(NONE), .in = {{1, 147, 1, 1}, {65, 147}, {65}}},
    {"1 to 1", ACT(NONE), .in = {{1, 1, 3, 3}, {1, 1}, {1}}},
    {"3 to 7", ACT(NONE), .in = {{3, 3, 11, 1}, {7, 3}, {7}}},
    {"many tokens", ACT(NONE), .in = {{1, 48, 37, 41}, {50, 48}, {50}}},
    {"wide", ACT(NONE), .in = {{1, 770, 3, 3}, {1030, 770}, {1030}}},
    {"values of 1e4", ACT(NONE), .in = {{1, 64, 6, 6}, {64, 64}, {64}}, .amplitude = 1e4f},
    {"Swin-L 0 qkv", ACT(NONE), .in = {{1, 192, 256, 256}, {576, 192}, {576}}, .bench = true},
    {"Swin-L 2 qkv", ACT(NONE), .in = {{1, 768, 64, 64}, {2304, 768}, {2304}}, .bench = true},
    {"Swin-L 2 proj", ACT(NONE), .in = {{1, 768, 64, 64}, {768, 768}, {768}, {1, 768, 64, 64}}, .bench = true},
    {"Swin-L 2 fc1", ACT(GELU), .in = {{1, 768, 64, 64}, {3072, 768}, {3072}}, .bench = true},
    {"Swin-L 2 fc2", ACT(NONE), .in = {{1, 3072, 64, 64}, {768, 3072}, {768}, {1, 768, 64, 64}}, .bench = true},
    {"Swin-L 3 fc1", ACT(GELU), .in = {{1, 1536, 32, 32}, {6144, 1536}, {6144}}, .bench = true},
    {"Swin-T 0 fc1", ACT(GELU), .in = {{1, 96, 256, 256}, {384, 96}, {384}}, .bench = true},
    {"Swin-T 0 fc2", ACT(NONE), .in = {{1, 384, 256, 256}, {96, 384}, {96}, {1, 96, 256, 256}}, .bench = true},
    {"Swin-T 2 fc1", ACT(GELU), .in = {{1, 384, 64, 64}, {1536, 384}, {1536}}, .bench = true},
    {"VITMatte-S qkv", ACT(NONE), .in = {{1, 384, 64, 64}, {1152, 384}, {1152}}, .bench = true},
    {"VITMatte-S fc1", ACT(GELU), .in = {{1, 384, 64, 64}, {1536, 384}, {1536}}, .bench = true},
    {"VITMatte-S fc2", ACT(NONE), .in = {{1, 1536, 64, 64}, {384, 1536}, {384}, {1, 384, 64, 64}}, .bench = true},
};

OP_HARNESS(MB_OP_linear, cases)
