/* See dense_tile.h. */
#define VECTOR_BYTES 32
#define TILE_VECTORS 3
#define TILE_COLUMNS 4
#define SUBTRACT     mb_dense_subtract_avx2
#include "sparse/dense_tile.h"
