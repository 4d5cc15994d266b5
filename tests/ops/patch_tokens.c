/* The patches of a sequence as a map. */
#include "harness/op_harness.h"

#define SIZE(h, w) .attrs.patch_tokens = {(h), (w)}

static const op_case cases[] = {
    {"five before", SIZE(5, 7), .in = {{1, 64, 1, 40}}},
    {"none before", SIZE(3, 4), .in = {{1, 19, 1, 12}}},
    {"batch", SIZE(4, 3), .in = {{3, 24, 1, 17}}},
    {"one patch", SIZE(1, 1), .in = {{2, 7, 1, 6}}},
    {"one channel", SIZE(9, 2), .in = {{2, 1, 1, 19}}},
    {"DINOv3-B 1024", SIZE(64, 64), .in = {{1, 768, 1, 4101}}, .bench = true},
};

OP_HARNESS(MB_OP_patch_tokens, cases)
