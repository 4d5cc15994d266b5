/* The resized position table of VITMatte. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"the same", .attrs.position_embedding = {4, 4}, .in = {{17, 24}}},
    {"larger", .attrs.position_embedding = {7, 10}, .in = {{37, 24}}},
    {"smaller", .attrs.position_embedding = {2, 3}, .in = {{37, 7}}},
    {"one axis", .attrs.position_embedding = {6, 9}, .in = {{37, 3}}},
    {"from one pixel", .attrs.position_embedding = {3, 2}, .in = {{2, 5}}},
    {"to one pixel", .attrs.position_embedding = {1, 1}, .in = {{197, 8}}},
    {"VITMatte-S 1024^2", .attrs.position_embedding = {64, 64}, .in = {{197, 384}}, .bench = true},
};

OP_HARNESS(MB_OP_position_embedding, cases)
