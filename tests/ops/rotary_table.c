/* Sines and cosines of rotary positions. */
#include "harness/op_harness.h"

#define TABLE(h, w, d) .attrs.rotary_table = {(h), (w), (d), 100}

static const op_case cases[] = {
    {"DINOv3's heads", TABLE(6, 10, 64)},
    {"one place", TABLE(1, 1, 64)},
    {"one row", TABLE(1, 9, 128)},
    {"one column", TABLE(7, 1, 16)},
    {"the least head", TABLE(3, 2, 4)},
    {"head of 12", TABLE(5, 5, 12)},
    {"another base", .attrs.rotary_table = {4, 6, 32, 10000}},
};

OP_HARNESS(MB_OP_rotary_table, cases)
