/* The resized position table of VITMatte. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"the same", .attrs.size = {4, 4}, .in = {{17, 24}}},
    {"larger", .attrs.size = {7, 10}, .in = {{37, 24}}},
    {"smaller", .attrs.size = {2, 3}, .in = {{37, 7}}},
    {"one axis", .attrs.size = {6, 9}, .in = {{37, 3}}},
    {"from one pixel", .attrs.size = {3, 2}, .in = {{2, 5}}},
    {"to one pixel", .attrs.size = {1, 1}, .in = {{197, 8}}},
    {"VITMatte-S 1024^2", .attrs.size = {64, 64}, .in = {{197, 384}}, .bench = true},
};

OP_HARNESS(MB_OP_position_embedding, cases)
