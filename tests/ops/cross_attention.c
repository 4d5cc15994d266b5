/* Attention to the keys of another map. Bench: PVTv2 at 1024 x 1024. */
#include "harness/op_harness.h"

#define CROSS(h, s) .attrs.cross_attention = {(h), (s)}

static const op_case cases[] = {
    {"one head", CROSS(1, 0.25f), .in = {{1, 16, 8, 8}, {1, 32, 4, 4}}},
    {"five heads", CROSS(5, 0.25f), .in = {{2, 80, 6, 10}, {2, 160, 3, 5}}},
    {"one key", CROSS(2, 0.25f), .in = {{1, 32, 4, 5}, {1, 64, 1, 1}}},
    {"one query, one key", CROSS(8, 0.25f), .in = {{2, 128, 1, 1}, {2, 256, 1, 1}}},
    {"more keys than queries", CROSS(1, 0.125f), .in = {{1, 64, 3, 3}, {1, 128, 9, 11}}},
    {"several tiles of keys", CROSS(2, 0.125f), .in = {{1, 128, 9, 7}, {1, 256, 23, 29}}},
    {"a whole tile and one key", CROSS(1, 0.125f), .in = {{1, 64, 5, 9}, {1, 128, 1, 257}}},
    {"head width 32", CROSS(2, 0.17f), .in = {{1, 64, 12, 13}, {1, 128, 6, 6}}},
    {"head width 24", CROSS(2, 0.2f), .in = {{1, 48, 5, 13}, {1, 96, 7, 6}}},
    {"head width 40", CROSS(3, 0.15f), .in = {{2, 120, 9, 8}, {2, 240, 5, 3}}},
    {"head width 7", CROSS(3, 0.4f), .in = {{1, 21, 9, 8}, {1, 42, 5, 3}}},
    {"head width 1", CROSS(2, 1), .in = {{1, 2, 4, 5}, {1, 4, 2, 2}}},
    {"head width 128", CROSS(1, 0.09f), .in = {{1, 128, 4, 9}, {1, 256, 6, 7}}},
    /* logits to several hundred: the last bit of a logit in f32 is 3e-5, and so is the error of a weight */
    {"big logits", CROSS(2, 1), .in = {{1, 64, 9, 17}, {1, 128, 8, 9}}, .amplitude = 8, .looser = 30, .f32_only = true},
    {"stage 1", CROSS(1, 0.125f), .in = {{1, 64, 256, 256}, {1, 128, 32, 32}}, .bench = true},
    {"stage 2", CROSS(2, 0.125f), .in = {{1, 128, 128, 128}, {1, 256, 32, 32}}, .bench = true},
    {"stage 3", CROSS(5, 0.125f), .in = {{1, 320, 64, 64}, {1, 640, 32, 32}}, .bench = true},
    {"stage 4", CROSS(8, 0.125f), .in = {{1, 512, 32, 32}, {1, 1024, 32, 32}}, .bench = true},
    {"stage 1, half", CROSS(1, 0.125f), .in = {{1, 64, 128, 128}, {1, 128, 16, 16}}, .bench = true},
};

OP_HARNESS(MB_OP_cross_attention, cases)
