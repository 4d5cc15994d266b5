/* Bilinear resize, both kinds, both directions. Bench: BiRefNet and VITMatte at 1024 x 1024. */
#include "harness/op_harness.h"

#define CORNERS(h, w) .attrs.resize_bilinear = {(h), (w), true}
#define CENTRES(h, w) .attrs.resize_bilinear = {(h), (w), false}

static const op_case cases[] = {
    {"corners, twice", CORNERS(10, 14), .in = {{1, 28, 5, 7}}},
    {"corners, odd factor", CORNERS(11, 20), .in = {{2, 7, 5, 7}}},
    {"corners, smaller", CORNERS(3, 4), .in = {{1, 9, 11, 13}}},
    {"corners, the same", CORNERS(5, 7), .in = {{2, 17, 5, 7}}},
    {"corners, to one pixel", CORNERS(1, 1), .in = {{1, 5, 6, 6}}},
    {"corners, from one pixel", CORNERS(4, 3), .in = {{1, 147, 1, 1}}},
    {"corners, from one row", CORNERS(4, 3), .in = {{1, 64, 1, 9}}},
    {"corners, one channel", CORNERS(33, 65), .in = {{1, 1, 9, 17}}},
    {"corners, long", CORNERS(2, 1999), .in = {{1, 3, 2, 500}}},
    {"corners, addend", CORNERS(10, 14), .in = {{2, 33, 5, 7}, {2, 33, 10, 14}}},
    {"corners, the same, addend", CORNERS(5, 7), .in = {{2, 8, 5, 7}, {2, 8, 5, 7}}},
    {"centres, twice", CENTRES(10, 14), .in = {{2, 28, 5, 7}}},
    {"centres, smaller", CENTRES(3, 5), .in = {{1, 7, 11, 13}}},
    {"centres, half", CENTRES(4, 6), .in = {{1, 3, 8, 12}}},
    {"centres, the same", CENTRES(5, 7), .in = {{1, 64, 5, 7}}},
    {"centres, from one pixel", CENTRES(4, 3), .in = {{1, 5, 1, 1}}},
    {"centres, to one pixel", CENTRES(1, 1), .in = {{1, 5, 7, 6}}},
    {"centres, addend", CENTRES(9, 14), .in = {{1, 65, 5, 7}, {1, 65, 9, 14}}},
    {"picture to half", CORNERS(512, 512), .in = {{1, 3, 1024, 1024}}, .bench = true},
    {"logits 256^2 to 1024^2", CORNERS(1024, 1024), .in = {{1, 1, 256, 256}, {1, 1, 1024, 1024}}, .bench = true},
    {"192, 128^2 to 256^2", CORNERS(256, 256), .in = {{1, 192, 128, 128}}, .bench = true},
    {"768, 64^2 to 128^2, addend", CORNERS(128, 128), .in = {{1, 768, 64, 64}, {1, 768, 128, 128}}, .bench = true},
    {"VITMatte 64, 512^2 to 1024^2", CENTRES(1024, 1024), .in = {{1, 64, 512, 512}}, .bench = true},
};

OP_HARNESS(MB_OP_resize_bilinear, cases)
