/* See dense_tile.h. */
#define VECTOR_BYTES 16
#define TILE_VECTORS 2
#define TILE_COLUMNS 4
#define SUBTRACT     mb_dense_subtract_generic
#include "sparse/dense_tile.h"
