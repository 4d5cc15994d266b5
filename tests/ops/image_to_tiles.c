/* Image tiles as channels. */
#include "harness/op_harness.h"

static const op_case cases[] = {
    {"2x3 tiles", .attrs.image_to_tiles = {4, 5}, .in = {{2, 3, 8, 15}}},
    {"one tile", .attrs.image_to_tiles = {6, 7}, .in = {{1, 3, 6, 7}}},
    {"tiles of one pixel", .attrs.image_to_tiles = {1, 1}, .in = {{1, 3, 4, 6}}},
    {"tiles of a row", .attrs.image_to_tiles = {1, 6}, .in = {{1, 2, 4, 6}}},
    {"32^2", .attrs.image_to_tiles = {32, 32}, .in = {{1, 3, 1024, 1024}}, .bench = true},
    {"256^2", .attrs.image_to_tiles = {256, 256}, .in = {{1, 3, 1024, 1024}}, .bench = true},
};

OP_HARNESS(MB_OP_image_to_tiles, cases)
