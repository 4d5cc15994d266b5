/* Dense kernels of the sparse Cholesky, f64, column-major lower triangles, on single-threaded BLAS. */
#ifndef MB_SPARSE_DENSE_H
#define MB_SPARSE_DENSE_H

#include "core/task.h"

#include <stdbool.h>
#include <stddef.h>

/* Keeps the BLAS to the calling thread: call before a series of the functions below. */
void mb_dense_begin(void);

/* Factors the n x n lower triangle in place: A = L L^T. False if a pivot is not positive; true after a stop, which
 * leaves it unfinished. */
bool mb_dense_cholesky(const mb_task *task, double *a, size_t n, size_t stride);

/* b [rows, n] becomes b L^-T, L the factored n x n triangle. */
void mb_dense_solve_right(double *b, size_t rows, const double *l, size_t n, size_t stride);

/* c [rows, cols] -= a [rows, k] * b [cols, k]^T; a and b have one stride. */
typedef struct mb_dense_product {
    double *c;
    const double *a, *b;
    size_t rows, cols, k, c_stride, stride;
} mb_dense_product;
void mb_dense_subtract(const mb_dense_product *p);

/* Lower triangle of c [n, n] -= a [n, k] a^T. */
void mb_dense_subtract_square(double *c, size_t n, size_t c_stride, const double *a, const size_t k_stride[2]);

#endif
