/* Queries and keys turned by a table; class and register tokens, and values, stay. */
#include "harness/op_harness.h"

#define HEADS(n) .attrs.rotary_embedding = {(n)}

static const op_case cases[] = {
    {"heads of 64", HEADS(2), .in = {{1, 384, 1, 20}, {1, 128, 3, 5}}},
    {"heads of 128", HEADS(1), .in = {{1, 384, 1, 9}, {1, 256, 2, 2}}},
    {"nothing before", HEADS(3), .in = {{1, 144, 1, 12}, {1, 32, 3, 4}}},
    {"batch", HEADS(2), .in = {{3, 96, 1, 11}, {1, 32, 2, 3}}},
    {"one patch", HEADS(2), .in = {{2, 384, 1, 6}, {1, 128, 1, 1}}},
    {"heads of 4", HEADS(5), .in = {{1, 60, 1, 7}, {1, 8, 3, 2}}},
    {"heads of 10, odd halves", HEADS(3), .in = {{1, 90, 1, 9}, {1, 20, 2, 4}}},
    {"DINOv3-B 1024", HEADS(12), .in = {{1, 2304, 1, 4101}, {1, 128, 64, 64}}, .bench = true},
};

OP_HARNESS(MB_OP_rotary_embedding, cases)
