/* Dense kernels of the sparse Cholesky, f64, column-major, lower triangles. Ours rather than a BLAS: packaged ones pick
 * old kernels on processors that they do not know, and allocate and start threads behind the caller's back. */
#ifndef MB_SPARSE_DENSE_H
#define MB_SPARSE_DENSE_H

#include "core/task.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct mb_dense_product mb_dense_product;

/* What the functions below work with: the product of this processor, and who may stop them. */
typedef struct mb_dense {
    void (*subtract)(const mb_dense_product *p);
    const mb_task *task; /* borrowed; may be NULL */
} mb_dense;
mb_dense mb_dense_begin(const mb_task *task); /* MATTEBOX_ISA caps the instruction set, as for the networks */

/* Factors the n x n lower triangle in place: A = L L^T. False if a pivot is not positive; true after a stop, which
 * leaves it unfinished. */
bool mb_dense_cholesky(const mb_dense *d, double *a, size_t n, size_t stride);

/* b [rows, n] becomes b L^-T, L the factored n x n triangle; both have `stride`. Unfinished after a stop. */
void mb_dense_solve_right(const mb_dense *d, double *b, size_t rows, const double *l, size_t n, size_t stride);

/* c [rows, cols] -= a [rows, k] * b [cols, k]^T; a and b have one stride. lower: c's rows and columns count from one
 * diagonal, and what lies above it is neither computed nor written. */
struct mb_dense_product {
    double *c;
    const double *a, *b;
    size_t rows, cols, k, c_stride, stride;
    bool lower;
};
void mb_dense_subtract(const mb_dense *d, const mb_dense_product *p);

/* x [n] becomes L^-1 x, then below [b] -= L21 x with L21 the b rows under the triangle. `below` may be NULL if b is 0.
 */
void mb_dense_forward(const double *l, size_t n, size_t b, double *x, double *below);
/* x [n] becomes L^-T (x - L21^T below). */
void mb_dense_backward(const double *l, size_t n, size_t b, double *x, const double *below);

#endif
