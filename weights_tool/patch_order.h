/* The order in which BiRefNet's decoder sees the tiles of the picture as channels (docs/models/birefnet.md, "patch
 * order"): rows (current code) or columns (older code). Files of this project always hold rows. */
#ifndef MB_WEIGHTS_TOOL_PATCH_ORDER_H
#define MB_WEIGHTS_TOOL_PATCH_ORDER_H

#include "source.h"

typedef enum patch_order { PATCH_AUTO, PATCH_ROWS, PATCH_COLUMNS } patch_order;

const char *patch_order_name(patch_order o);

/* Tiles a side that a tensor's input channels stand for (32, 16, 8, 4); 0: the tensor has nothing to do with tiles. */
int64_t patch_grid(const char *tensor_name);

/* The channel of a column-order checkpoint that holds what channel `row_channel` of row order holds. */
static inline int64_t patch_column_channel(int64_t row_channel, int64_t grid)
{
    int64_t colour = row_channel / (grid * grid), ty = row_channel / grid % grid, tx = row_channel % grid;
    return (tx * grid + ty) * 3 + colour;
}

/* source_read with the input channels of a column-order tile convolution put into row order; grid 0: as they are. */
void patch_read(const source_tensor *t, int64_t grid, size_t first, size_t n, void *dst);

typedef struct patch_guess {
    patch_order order;      /* the likelier one, or PATCH_AUTO where the kernels do not tell */
    double rows, columns;   /* mean correlation of the three colours' kernels of a tile under each assumption */
    int n_agree, n_tensors; /* tensors whose own figures point the same way */
} patch_guess;

/* Judges by the kernels: the three colours of one tile have similar kernels in a trained model. */
MB_MUST_CHECK mb_status patch_guess_order(patch_guess *g, const source *s, mb_error *err);

#endif
