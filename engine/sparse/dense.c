/* Recursive Cholesky and triangular solves over one product, C -= A B^T (dense_tile.h), which has a kernel per
 * instruction set. All sums run in one fixed order. */
#include "sparse/dense.h"

#include "core/cpu.h"
#include "sparse/dense_kernels.h"

#include <math.h>

#define BASE      16  /* order of triangles that plain loops take */
#define ASK       256 /* a factor of this order takes under a millisecond */
#define BASE_ROWS 256 /* rows of a strip that stays in the first cache during a triangular solve */
#define PARTS     8   /* partial sums of a dot product, so that it fills vectors in a fixed order */

mb_dense mb_dense_begin(const mb_task *task)
{
    mb_dense d = {mb_dense_subtract_generic, task};
#if defined(__x86_64__)
    mb_isa isa = MB_ISA_GENERIC;
    if (mb_cpu_choose_isa(&isa, NULL) == MB_OK && isa == MB_ISA_AVX512) {
        d.subtract = mb_dense_subtract_avx512;
    } else if (isa == MB_ISA_AVX2) {
        d.subtract = mb_dense_subtract_avx2;
    }
#endif
    return d;
}

void mb_dense_subtract(const mb_dense *d, const mb_dense_product *p)
{
    if (p->rows > 0 && p->cols > 0 && p->k > 0) {
        d->subtract(p);
    }
}

/* Column by column; false for a pivot that is not positive. */
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

/* A = [A11; A21 A22]: factor A11, solve for A21, subtract its square from A22, factor that. */
bool mb_dense_cholesky(const mb_dense *d, double *a, size_t n, size_t stride)
{
    if (n <= BASE) {
        return small_cholesky(a, n, stride);
    }
    if (n > ASK && mb_should_stop(d->task)) {
        return true; /* the caller asks too, and throws everything away */
    }
    size_t half = n / 2;
    double *low = a + half, *corner = a + half * stride + half;
    if (!mb_dense_cholesky(d, a, half, stride)) {
        return false;
    }
    mb_dense_solve_right(d, low, n - half, a, half, stride);
    mb_dense_product square = {.c = corner,
                               .a = low,
                               .b = low,
                               .rows = n - half,
                               .cols = n - half,
                               .k = half,
                               .c_stride = stride,
                               .stride = stride,
                               .lower = true};
    mb_dense_subtract(d, &square);
    return mb_dense_cholesky(d, corner, n - half, stride);
}

/* Column j of b: divided by the pivot, then taken from the columns behind it. */
static void small_solve_right(double *b, size_t rows, const double *l, size_t n, size_t stride)
{
    for (size_t begin = 0; begin < rows; begin += BASE_ROWS) {
        size_t count = rows - begin < BASE_ROWS ? rows - begin : BASE_ROWS;
        for (size_t j = 0; j < n; j++) {
            double *column = b + j * stride + begin, inverse = 1 / l[j * stride + j];
            for (size_t i = 0; i < count; i++) {
                column[i] *= inverse;
            }
            for (size_t k = j + 1; k < n; k++) {
                double *later = b + k * stride + begin, f = l[j * stride + k];
                for (size_t i = 0; i < count; i++) {
                    later[i] -= f * column[i];
                }
            }
        }
    }
}

/* L = [L11; L21 L22]: B1 L11^-T, then B2 - B1 L21^T, then that times L22^-T. */
void mb_dense_solve_right(const mb_dense *d, double *b, size_t rows, const double *l, size_t n, size_t stride)
{
    if (n <= BASE) {
        small_solve_right(b, rows, l, n, stride);
        return;
    }
    if (n > ASK && mb_should_stop(d->task)) {
        return;
    }
    size_t half = n / 2;
    double *right = b + half * stride;
    mb_dense_solve_right(d, b, rows, l, half, stride);
    mb_dense_product p = {.c = right,
                          .a = b,
                          .b = l + half,
                          .rows = rows,
                          .cols = n - half,
                          .k = half,
                          .c_stride = stride,
                          .stride = stride};
    mb_dense_subtract(d, &p);
    mb_dense_solve_right(d, right, rows, l + half * stride + half, n - half, stride);
}

void mb_dense_forward(const double *l, size_t n, size_t b, double *x, double *below)
{
    size_t m = n + b;
    for (size_t j = 0; j < n; j++) {
        const double *column = l + j * m;
        double v = x[j] / column[j];
        x[j] = v;
        for (size_t i = j + 1; i < n; i++) {
            x[i] -= column[i] * v;
        }
        for (size_t i = 0; i < b; i++) {
            below[i] -= column[n + i] * v;
        }
    }
}

/* In partial sums of fixed positions. */
static double dot(const double *a, const double *b, size_t n)
{
    double part[PARTS] = {0}, sum = 0;
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS) {
        for (size_t p = 0; p < PARTS; p++) {
            part[p] += a[i + p] * b[i + p];
        }
    }
    for (; i < n; i++) {
        sum += a[i] * b[i];
    }
    for (size_t p = 0; p < PARTS; p++) {
        sum += part[p];
    }
    return sum;
}

void mb_dense_backward(const double *l, size_t n, size_t b, double *x, const double *below)
{
    size_t m = n + b;
    for (size_t j = n; j-- > 0;) {
        const double *column = l + j * m;
        double v = x[j] - dot(column + j + 1, x + j + 1, n - j - 1);
        x[j] = (v - dot(column + n, below, b)) / column[j];
    }
}
