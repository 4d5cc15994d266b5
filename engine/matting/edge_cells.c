/* Two steps: what each cell holds, in parallel, then the cells around edges, of which there are few. */
#include "matting/edge_cells.h"

#include "core/alloc.h"

/* What a cell holds; a kind for "both or between" is the union of the two. */
enum { CLEAR = 1, OPAQUE = 2, MIXED = CLEAR | OPAQUE };

typedef struct kinds_job {
    const mb_image_f32 *alpha;
    uint8_t *kind;
    int columns;
} kinds_job;

/* Rows of cells. */
static void find_kinds(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const kinds_job *j = arg;
    const size_t w = (size_t)j->alpha->width, h = (size_t)j->alpha->height;
    for (size_t row = begin; row < end; row++) {
        uint8_t *kind = j->kind + row * (size_t)j->columns;
        const size_t bottom = (row + 1) * MB_EDGE_CELL < h ? (row + 1) * MB_EDGE_CELL : h;
        for (size_t y = row * MB_EDGE_CELL; y < bottom; y++) {
            const float *a = j->alpha->v + y * w;
            for (size_t column = 0; column < (size_t)j->columns; column++) {
                const size_t right = (column + 1) * MB_EDGE_CELL < w ? (column + 1) * MB_EDGE_CELL : w;
                int not_clear = 0, not_opaque = 0;
                for (size_t x = column * MB_EDGE_CELL; x < right; x++) {
                    not_clear |= a[x] != 0.0f;
                    not_opaque |= a[x] != 1.0f;
                }
                kind[column] |= (uint8_t)((not_clear ? OPAQUE : 0) | (not_opaque ? CLEAR : 0));
            }
        }
    }
}

/* The kinds of a cell and of those around it, together. */
static int around(const mb_edge_cells *c, const uint8_t *kind, int row, int column)
{
    int all = 0;
    for (int y = row > 0 ? row - 1 : 0; y <= row + 1 && y < c->rows; y++) {
        for (int x = column > 0 ? column - 1 : 0; x <= column + 1 && x < c->columns; x++) {
            all |= kind[y * c->columns + x];
        }
    }
    return all;
}

mb_status mb_edge_cells_create(const mb_task *task, mb_edge_cells *out, const mb_image_f32 *alpha, mb_error *err)
{
    *out = (mb_edge_cells){.columns = (alpha->width - 1) / MB_EDGE_CELL + 1,
                           .rows = (alpha->height - 1) / MB_EDGE_CELL + 1};
    const size_t n = (size_t)out->columns * (size_t)out->rows;
    uint8_t *kind = mb_calloc(n, 1);
    out->is_near = mb_alloc_array(n, 1);
    kinds_job j = {alpha, kind, out->columns};
    mb_status status = MB_OK;
    if (kind == NULL || out->is_near == NULL) {
        status = mb_fail_memory(err, 2 * n, "a map of the edges");
        goto done;
    }
    MB_TRY(mb_task_for(task, (size_t)out->rows, 1, find_kinds, &j, err));
    /* MIXED around a cell: it, or one beside it, is mixed, or both pure kinds meet there. */
    for (int row = 0; row < out->rows; row++) {
        for (int column = 0; column < out->columns; column++) {
            out->is_near[row * out->columns + column] = around(out, kind, row, column) == MIXED;
        }
    }
done:
    mb_free(kind);
    if (status != MB_OK) {
        mb_edge_cells_dispose(out);
    }
    return status;
}

void mb_edge_cells_dispose(mb_edge_cells *c)
{
    mb_free(c->is_near);
    *c = (mb_edge_cells){0};
}
