/* The inner kernel of the dense products, included once per instruction set with
 *
 *     VECTOR_BYTES   bytes of a vector register
 *     TILE_VECTORS   vectors in a tile's column: it has TILE_ROWS = TILE_VECTORS * VECTOR_BYTES / 8 rows
 *     TILE_COLUMNS   columns of a tile; TILE_VECTORS * TILE_COLUMNS sums stay in registers
 *     SUBTRACT       the name of the function
 *
 * C (column-major) -= A B^T, as in GotoBLAS (Goto, van de Geijn, "Anatomy of high-performance matrix multiplication",
 * 2008): a block of A is packed so that a tile reads it in order and it stays in the second cache; strips of B are
 * packed for the first. Packing buffers lie on the stack (56 KiB), so nothing can fail. Sums over k run in one fixed
 * order: the result does not depend on threads or on how the caller cuts C. */
#include "sparse/dense_kernels.h"

#include <string.h>

typedef double vector __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

enum {
    LANES = VECTOR_BYTES / 8,
    TILE_ROWS = TILE_VECTORS * LANES,
    BLOCK_ROWS = 48, /* a multiple of every TILE_ROWS */
    BLOCK_K = 128
};

/* a [rows, k] at `stride` -> panels of TILE_ROWS rows, [k][TILE_ROWS] each; missing rows are zeros. */
static void pack_a(double *to, const double *a, size_t rows, size_t k, size_t stride)
{
    for (size_t r = 0; r < rows; r += TILE_ROWS) {
        size_t n = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
        for (size_t p = 0; p < k; p++, to += TILE_ROWS) {
            memcpy(to, a + p * stride + r, n * sizeof *to);
            for (size_t i = n; i < TILE_ROWS; i++) {
                to[i] = 0.0;
            }
        }
    }
}

/* b [columns <= TILE_COLUMNS, k] -> [k][TILE_COLUMNS]; missing columns are zeros. */
static void pack_b(double *to, const double *b, size_t columns, size_t k, size_t stride)
{
    for (size_t p = 0; p < k; p++, to += TILE_COLUMNS) {
        for (size_t j = 0; j < TILE_COLUMNS; j++) {
            to[j] = j < columns ? b[p * stride + j] : 0.0;
        }
    }
}

/* tile [TILE_COLUMNS][TILE_ROWS] = the product of a packed panel and a packed strip. */
static inline void multiply(double *tile, const double *a, const double *b, size_t k)
{
    vector sum[TILE_COLUMNS][TILE_VECTORS];
#pragma GCC unroll 8
    for (int j = 0; j < TILE_COLUMNS; j++) {
#pragma GCC unroll 8
        for (int v = 0; v < TILE_VECTORS; v++) {
            sum[j][v] = (vector){0};
        }
    }
    for (size_t p = 0; p < k; p++, a += TILE_ROWS, b += TILE_COLUMNS) {
        vector column[TILE_VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < TILE_VECTORS; v++) {
            column[v] = *(const vector *)(const void *)(a + v * LANES);
        }
#pragma GCC unroll 8
        for (int j = 0; j < TILE_COLUMNS; j++) {
#pragma GCC unroll 8
            for (int v = 0; v < TILE_VECTORS; v++) {
                sum[j][v] += column[v] * b[j];
            }
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < TILE_COLUMNS; j++) {
#pragma GCC unroll 8
        for (int v = 0; v < TILE_VECTORS; v++) {
            *(vector *)(void *)(tile + j * TILE_ROWS + v * LANES) = sum[j][v];
        }
    }
}

/* c [rows, columns] -= tile; `above` rows of each further column lie above the diagonal and stay as they are. */
static void subtract_tile(double *c, size_t c_stride, const double *tile, size_t rows, size_t columns, size_t first_row,
                          size_t first_column, bool lower)
{
    for (size_t j = 0; j < columns; j++) {
        size_t diagonal = first_column + j;
        size_t skip = lower && diagonal > first_row ? diagonal - first_row : 0;
        for (size_t i = skip; i < rows; i++) {
            c[j * c_stride + i] -= tile[j * TILE_ROWS + i];
        }
    }
}

void SUBTRACT(const mb_dense_product *q)
{
    double packed_a[BLOCK_ROWS * BLOCK_K] __attribute__((aligned(64)));
    double packed_b[TILE_COLUMNS * BLOCK_K] __attribute__((aligned(64)));
    double tile[TILE_COLUMNS * TILE_ROWS] __attribute__((aligned(64)));
    for (size_t p = 0; p < q->k; p += BLOCK_K) {
        size_t k = q->k - p < BLOCK_K ? q->k - p : BLOCK_K;
        for (size_t i = 0; i < q->rows; i += BLOCK_ROWS) {
            size_t rows = q->rows - i < BLOCK_ROWS ? q->rows - i : BLOCK_ROWS;
            size_t columns = q->lower && i + rows < q->cols ? i + rows : q->cols; /* those that reach the triangle */
            pack_a(packed_a, q->a + p * q->stride + i, rows, k, q->stride);
            for (size_t j = 0; j < columns; j += TILE_COLUMNS) {
                size_t n = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS;
                pack_b(packed_b, q->b + p * q->stride + j, n, k, q->stride);
                for (size_t r = 0; r < rows; r += TILE_ROWS) {
                    size_t m = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
                    if (q->lower && i + r + m <= j) {
                        continue; /* the whole tile lies above the diagonal */
                    }
                    multiply(tile, packed_a + r * k, packed_b, k);
                    subtract_tile(q->c + j * q->c_stride + i + r, q->c_stride, tile, m, n, i + r, j, q->lower);
                }
            }
        }
    }
}
