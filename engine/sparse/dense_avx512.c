/* See dense_tile.h. */
#define VECTOR_BYTES 64
#define TILE_VECTORS 3
#define TILE_COLUMNS 8
#define SUBTRACT     mb_dense_subtract_avx512
#include "sparse/dense_tile.h"
