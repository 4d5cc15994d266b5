/* Swin's window attention: padded maps, shift, single windows. Bench: Swin-L and Swin-T at 1024 x 1024. */
#include "harness/op_harness.h"

/* Probabilities are rounded to 16 bits: twice the usual tolerance there. */
#define SWIN(h, w, s)                                                                                                  \
    .attrs.window_attention = {.heads = (h), .window = (w), .shift = (s), .scale = 0.25f}, .looser16 = 2

static const op_case cases[] = {
    {"one window", SWIN(2, 4, 0), .in = {{1, 48, 4, 4}, {49, 2}}},
    {"four windows", SWIN(2, 4, 0), .in = {{2, 48, 8, 8}, {49, 2}}},
    {"padded", SWIN(2, 4, 0), .in = {{1, 48, 6, 9}, {49, 2}, {48}}},
    {"shifted", SWIN(2, 4, 2), .in = {{2, 48, 8, 12}, {49, 2}}},
    {"shifted and padded", SWIN(3, 5, 2), .in = {{2, 72, 11, 13}, {81, 3}, {72}}},
    {"one window, shifted", SWIN(2, 7, 3), .in = {{1, 96, 7, 7}, {169, 2}}},
    {"one window, shifted and padded", SWIN(2, 7, 3), .in = {{1, 96, 3, 5}, {169, 2}, {96}}},
    {"one row", SWIN(2, 7, 3), .in = {{1, 96, 1, 20}, {169, 2}, {96}}},
    {"one token", SWIN(2, 7, 0), .in = {{1, 96, 1, 1}, {169, 2}, {96}}},
    {"one token, shifted", SWIN(2, 7, 3), .in = {{2, 96, 1, 1}, {169, 2}, {96}}},
    {"window 7, d 32", SWIN(3, 7, 0), .in = {{1, 288, 15, 16}, {169, 3}, {288}}},
    {"window 7, d 32, shifted", SWIN(3, 7, 3), .in = {{1, 288, 15, 16}, {169, 3}, {288}}},
    {"window 12, d 32", SWIN(2, 12, 0), .in = {{1, 192, 13, 24}, {529, 2}, {192}}},
    {"window 12, d 32, shifted", SWIN(2, 12, 6), .in = {{1, 192, 24, 13}, {529, 2}, {192}}},
    {"window 1", SWIN(2, 1, 0), .in = {{1, 24, 3, 3}, {1, 2}}},
    {"d 1", SWIN(4, 3, 1), .in = {{1, 12, 4, 4}, {25, 4}, {12}}},
    {"d 5", SWIN(2, 4, 1), .in = {{1, 30, 5, 4}, {49, 2}, {30}}},
    {"pad given, not needed", SWIN(2, 4, 2), .in = {{1, 48, 8, 8}, {49, 2}, {48}}},
    /* logits to +-500: the last bit of a logit in f32 is 3e-5, and so is the error of a weight */
    {"big logits", SWIN(2, 7, 3), .in = {{1, 192, 9, 9}, {169, 2}, {192}}, .amplitude = 12, .looser = 30},
    {"Swin-L 0", SWIN(6, 12, 0), .in = {{1, 576, 256, 256}, {529, 6}, {576}}, .bench = true},
    {"Swin-L 2", SWIN(24, 12, 0), .in = {{1, 2304, 64, 64}, {529, 24}, {2304}}, .bench = true},
    {"Swin-L 2 shifted", SWIN(24, 12, 6), .in = {{1, 2304, 64, 64}, {529, 24}, {2304}}, .bench = true},
    {"Swin-T 0", SWIN(3, 7, 0), .in = {{1, 288, 256, 256}, {169, 3}, {288}}, .bench = true},
    {"Swin-T 2 shifted", SWIN(12, 7, 3), .in = {{1, 1152, 64, 64}, {169, 12}, {1152}}, .bench = true},
};

OP_HARNESS(MB_OP_window_attention, cases)
