/* Where alpha changes: a map of square cells, so that work which only edges need is done near them alone. */
#ifndef MB_MATTING_EDGE_CELLS_H
#define MB_MATTING_EDGE_CELLS_H

#include "core/task.h"
#include "image/raster.h"

#define MB_EDGE_CELL 64 /* pixels a side */

/* is_near[row][column]: the cell or one of the eight around it is an edge: its alpha is not everywhere 0 or everywhere 1, or
 * not that of the cells beside it. So what is not near has at least MB_EDGE_CELL pixels of its own kind around it. Owned. */
typedef struct mb_edge_cells {
    int columns, rows;
    uint8_t *is_near;
} mb_edge_cells;

/* alpha: [H,W] in [0,1]. */
MB_MUST_CHECK mb_status mb_edge_cells_create(const mb_task *task, mb_edge_cells *out, const mb_image_f32 *alpha,
                                             mb_error *err);
void mb_edge_cells_dispose(mb_edge_cells *c);

#endif
