/* Dense kernels: a recursive Cholesky over BLAS 3, and the BLAS calls behind one small interface.
 *
 * The library keeps OpenBLAS at one thread: parallelism is ours, over subtrees and column blocks, so results do not
 * depend on the number of threads. */
#include "sparse/dense.h"

#include <cblas.h>
#include <math.h>

#define BASE 16
#define ASK  256 /* a factor of this order takes under a millisecond */

void mb_dense_begin(void)
{
    if (openblas_get_num_threads() != 1) {
        openblas_set_num_threads(1);
    }
}

static bool small_cholesky(double *a, size_t n, size_t stride)
{
    for (size_t j = 0; j < n; j++) {
        double *column = a + j * stride;
        for (size_t k = 0; k < j; k++) {
            const double *done = a + k * stride;
            double f = done[j];
            for (size_t i = j; i < n; i++) {
                column[i] -= f * done[i];
            }
        }
        if (!(column[j] > 0)) { /* NaN too */
            return false;
        }
        double inverse = 1 / sqrt(column[j]);
        for (size_t i = j; i < n; i++) {
            column[i] *= inverse;
        }
    }
    return true;
}

bool mb_dense_cholesky(const mb_task *task, double *a, size_t n, size_t stride)
{
    if (n <= BASE) {
        return small_cholesky(a, n, stride);
    }
    if (n > ASK && mb_should_stop(task)) {
        return true; /* the caller asks too, and throws everything away */
    }
    size_t half = n / 2;
    const size_t k_stride[2] = {half, stride};
    double *low = a + half, *corner = a + half * stride + half;
    if (!mb_dense_cholesky(task, a, half, stride)) {
        return false;
    }
    mb_dense_solve_right(low, n - half, a, half, stride);
    mb_dense_subtract_square(corner, n - half, stride, low, k_stride);
    return mb_dense_cholesky(task, corner, n - half, stride);
}

void mb_dense_solve_right(double *b, size_t rows, const double *l, size_t n, size_t stride)
{
    if (rows > 0) {
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (blasint)rows, (blasint)n, 1.0, l,
                    (blasint)stride, b, (blasint)stride);
    }
}

void mb_dense_subtract(const mb_dense_product *p)
{
    if (p->rows > 0 && p->cols > 0) {
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, (blasint)p->rows, (blasint)p->cols, (blasint)p->k, -1.0,
                    p->a, (blasint)p->stride, p->b, (blasint)p->stride, 1.0, p->c, (blasint)p->c_stride);
    }
}

void mb_dense_subtract_square(double *c, size_t n, size_t c_stride, const double *a, const size_t k_stride[2])
{
    if (n > 0) {
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, (blasint)n, (blasint)k_stride[0], -1.0, a,
                    (blasint)k_stride[1], 1.0, c, (blasint)c_stride);
    }
}
