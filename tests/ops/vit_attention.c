/* ViT attention with relative positions: global with resized tables, windows with padding keys. Bench: VITMatte-S at
 * 512, 1024 and 1472 squared, VITMatte-B at 1024. */
#include "harness/op_harness.h"

/* Probabilities are rounded to 16 bits: twice the usual tolerance there. */
#define VIT(h, w)  .attrs.vit_attention = {.heads = (h), .window = (w), .scale = 0.125f, .rel_scale = 1}, .looser16 = 2
#define VIT1(h, w) .attrs.vit_attention = {(h), (w), 0.125f, 1, true}, .looser16 = 2 /* padding as one key */

static const op_case cases[] = {
    {"global, table fits", VIT(2, 0), .in = {{1, 96, 5, 5}, {9, 16}, {9, 16}}},
    {"global, table shrunk", VIT(2, 0), .in = {{1, 96, 3, 7}, {27, 16}, {27, 16}}},
    {"global, table enlarged", VIT(2, 0), .in = {{2, 96, 9, 6}, {7, 16}, {5, 16}}},
    {"global, d 64", VIT(2, 0), .in = {{1, 384, 11, 13}, {63, 64}, {63, 64}}},
    {"global, many tokens", VIT(1, 0), .in = {{1, 192, 20, 33}, {63, 64}, {63, 64}}, .long_to_emulate = true},
    {"global, odd", VIT(3, 0), .in = {{1, 3 * 3 * 7, 9, 19}, {15, 7}, {15, 7}}},
    {"global, one token", VIT(2, 0), .in = {{2, 384, 1, 1}, {63, 64}, {63, 64}}},
    {"global, one row", VIT(2, 0), .in = {{1, 384, 1, 70}, {63, 64}, {63, 64}}},
    {"global, one column", VIT(2, 0), .in = {{1, 384, 70, 1}, {63, 64}, {63, 64}}},
    {"global, d 1", VIT(2, 0), .in = {{1, 6, 4, 5}, {3, 1}, {1, 1}}},
    {"windows", VIT(2, 4), .in = {{2, 96, 8, 12}, {7, 16}, {7, 16}}},
    {"windows, padded", VIT(2, 4), .in = {{2, 96, 7, 9}, {7, 16}, {7, 16}, {96}}},
    {"windows, table resized", VIT(2, 4), .in = {{1, 96, 7, 9}, {27, 16}, {15, 16}, {96}}},
    {"window 14", VIT(2, 14), .in = {{1, 384, 14, 28}, {27, 64}, {27, 64}, {384}}},
    {"window 14, padded", VIT(2, 14), .in = {{1, 384, 16, 19}, {27, 64}, {27, 64}, {384}}},
    {"window 14, map inside", VIT(2, 14), .in = {{1, 384, 2, 2}, {27, 64}, {27, 64}, {384}}},
    {"window 14, one token", VIT(2, 14), .in = {{2, 384, 1, 1}, {27, 64}, {27, 64}, {384}}},
    {"no tables", VIT(2, 0), .in = {{1, 96, 1, 23}}},
    {"no tables, d 64", VIT(2, 0), .in = {{2, 384, 1, 77}}},
    {"no tables, d 128", VIT(1, 0), .in = {{1, 384, 1, 41}}},
    {"no tables, several tiles", VIT(2, 0), .in = {{1, 96, 1, 277}}},
    {"no tables, odd", VIT(3, 0), .in = {{1, 63, 7, 11}}},
    {"no tables, one token", VIT(2, 0), .in = {{2, 96, 1, 1}}},
    /* logits to +-800: the last bit of a logit in f32 is 6e-5, and so is the error of a weight */
    {"big logits", VIT(2, 0), .in = {{1, 192, 9, 17}, {27, 32}, {27, 32}}, .amplitude = 12, .looser = 30,
     .f32_only = true},
    {"big logits, windows", VIT(2, 4), .in = {{1, 192, 9, 17}, {7, 32}, {7, 32}, {192}}, .amplitude = 12, .looser = 30,
     .f32_only = true},
    {"padding as one key", VIT1(2, 4), .in = {{2, 96, 7, 9}, {7, 16}, {7, 16}, {96}}},
    {"padding as one key, below only", VIT1(2, 4), .in = {{1, 96, 7, 8}, {7, 16}, {7, 16}, {96}}},
    {"padding as one key, beside only", VIT1(2, 4), .in = {{1, 96, 8, 9}, {7, 16}, {7, 16}, {96}}},
    {"padding as one key, none", VIT1(2, 4), .in = {{1, 96, 8, 12}, {7, 16}, {7, 16}, {96}}},
    {"padding as one key, window 14", VIT1(2, 14), .in = {{1, 384, 16, 19}, {27, 64}, {27, 64}, {384}}},
    {"padding as one key, map inside", VIT1(2, 14), .in = {{1, 384, 2, 2}, {27, 64}, {27, 64}, {384}}},
    {"padding as one key, one token", VIT1(2, 14), .in = {{2, 384, 1, 1}, {27, 64}, {27, 64}, {384}}},
    {"padding as one key, all but one", VIT1(2, 14), .in = {{1, 384, 13, 14}, {27, 64}, {27, 64}, {384}}},
    {"padding as one key, odd", VIT1(3, 5), .in = {{1, 63, 8, 11}, {15, 7}, {15, 7}, {63}}},
    /* 256 keys fill the CPU's tile: the padding is a tile of its own */
    {"padding as one key, alone", VIT1(1, 17), .in = {{1, 48, 16, 16}, {33, 16}, {33, 16}, {48}}},
    {"padding as one key, window 24", VIT1(1, 24), .in = {{1, 48, 21, 22}, {47, 16}, {47, 16}, {48}},
     .long_to_emulate = true},
    {"big logits, padding as one key", VIT1(2, 4), .in = {{1, 192, 9, 17}, {7, 32}, {7, 32}, {192}}, .amplitude = 12,
     .looser = 30, .f32_only = true},
    {"VITMatte-S 512 global", VIT(6, 0), .in = {{1, 1152, 32, 32}, {63, 64}, {63, 64}}, .bench = true},
    {"VITMatte-S 1024 global", VIT(6, 0), .in = {{1, 1152, 64, 64}, {63, 64}, {63, 64}}, .bench = true},
    {"VITMatte-S 1472 global", VIT(6, 0), .in = {{1, 1152, 92, 92}, {63, 64}, {63, 64}}, .bench = true},
    {"VITMatte-B 1024 global", VIT(12, 0), .in = {{1, 2304, 64, 64}, {63, 64}, {63, 64}}, .bench = true},
    {"VITMatte-S 1024 windows", VIT(6, 14), .in = {{1, 1152, 64, 64}, {27, 64}, {27, 64}, {1152}}, .bench = true},
    {"VITMatte-S 1024 windows, padding as one", VIT1(6, 14), .in = {{1, 1152, 64, 64}, {27, 64}, {27, 64}, {1152}},
     .bench = true},
    {"DINOv3-B 1024", VIT(12, 0), .in = {{1, 2304, 1, 4101}}, .bench = true},
    {"DINOv3-B 1024, half", VIT(12, 0), .in = {{1, 2304, 1, 1029}}, .bench = true},
    {"VITMatte-S 672x512 windows", VIT(6, 14), .in = {{1, 1152, 42, 32}, {27, 64}, {27, 64}, {1152}}, .bench = true},
    {"VITMatte-S 672x512 windows, padding as one", VIT1(6, 14), .in = {{1, 1152, 42, 32}, {27, 64}, {27, 64}, {1152}},
     .bench = true},
    {"VITMatte-S 1472 windows", VIT(6, 14), .in = {{1, 1152, 92, 92}, {27, 64}, {27, 64}, {1152}}, .bench = true},
};

OP_HARNESS(MB_OP_vit_attention, cases)
