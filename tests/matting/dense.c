/* The dense kernels of the sparse Cholesky, on every instruction set of this processor, against plain loops. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/cpu.h"
#include "harness/check.h"
#include "harness/random.h"
#include "sparse/dense_kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRIDE 333 /* rows of every array here: no multiple of a vector */

static double value(test_random *r)
{
    return (double)test_random_below(r, 2001) / 1000.0 - 1.0;
}

static void fill(test_random *r, double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = value(r);
    }
}

/* Sizes around those of tiles and blocks; what lies outside of the product stays as it was. */
static void test_subtract(void (*subtract)(const mb_dense_product *), const char *name)
{
    static const size_t sizes[] = {1, 3, 4, 11, 12, 13, 24, 25, 47, 48, 49, 100, 127, 128, 129, 300};
    enum { N = sizeof sizes / sizeof sizes[0] };
    static double a[STRIDE * STRIDE], b[STRIDE * STRIDE], c[STRIDE * STRIDE], want[STRIDE * STRIDE];
    test_random r = {7};
    fill(&r, a, STRIDE * STRIDE);
    fill(&r, b, STRIDE * STRIDE);
    for (int t = 0; t < 120; t++) {
        bool lower = t % 3 == 0;
        size_t rows = sizes[test_random_below(&r, N)], k = sizes[test_random_below(&r, N)];
        size_t cols = lower ? rows : sizes[test_random_below(&r, N)];
        fill(&r, c, STRIDE * STRIDE);
        memcpy(want, c, sizeof c);
        for (size_t j = 0; j < cols; j++) {
            for (size_t i = lower ? j : 0; i < rows; i++) {
                double sum = 0;
                for (size_t p = 0; p < k; p++) {
                    sum += a[p * STRIDE + i] * (lower ? a : b)[p * STRIDE + j];
                }
                want[j * STRIDE + i] -= sum;
            }
        }
        mb_dense_product q = {c, a, lower ? a : b, rows, cols, k, STRIDE, STRIDE, lower};
        subtract(&q);
        double worst = 0;
        for (size_t i = 0; i < STRIDE * STRIDE; i++) {
            bool inside = i % STRIDE < rows && i / STRIDE < cols && (!lower || i % STRIDE >= i / STRIDE);
            worst = fmax(worst, inside ? fabs(c[i] - want[i]) : c[i] == want[i] ? 0 : INFINITY);
        }
        CHECK_MSG(worst < 1e-12 * (double)(k + 8), "%s: %zu x %zu x %zu%s: %g", name, rows, cols, k,
                  lower ? ", lower" : "", worst);
    }
}

/* A = M M^T + n I: factored, A x = y solved. The triangle has rows below it, as a front has. */
static void test_factor(size_t n, size_t below)
{
    size_t m = n + below;
    test_random r = {n + 1};
    double *x = mb_alloc_array(m * 4, sizeof *x), *l = mb_alloc_array(m * m, sizeof *l),
           *full = mb_calloc(m * m, sizeof *l);
    mb_dense d = mb_dense_begin(NULL);
    if (!CHECK(x != NULL && l != NULL && full != NULL)) {
        return;
    }
    double *y = x + m, *work = x + 2 * m, *truth = x + 3 * m;
    fill(&r, l, m * m);
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < m; i++) {
            for (size_t p = 0; p < m; p++) {
                full[j * m + i] += l[p * m + i] * l[p * m + j];
            }
            full[j * m + i] += i == j ? (double)m : 0;
        }
    }
    memcpy(l, full, m * m * sizeof *l);
    CHECK(mb_dense_cholesky(&d, l, n, m));
    mb_dense_solve_right(&d, l + n, below, l, n, m);
    mb_dense_product rest = {l + n * m + n, l + n, l + n, below, below, n, m, m, true};
    mb_dense_subtract(&d, &rest);
    CHECK(mb_dense_cholesky(&d, l + n * m + n, below, m));
    fill(&r, truth, m);
    for (size_t i = 0; i < m; i++) {
        y[i] = 0;
        for (size_t j = 0; j < m; j++) {
            y[i] += full[j * m + i] * truth[j];
        }
    }
    memcpy(x, y, m * sizeof *x);
    memset(work, 0, m * sizeof *work);
    mb_dense_forward(l, n, below, x, work);
    for (size_t i = 0; i < below; i++) {
        x[n + i] += work[i];
    }
    /* the second triangle has no rows below; its columns are m apart, so it is copied together first */
    double *tail = mb_alloc_array(below * below + 1, sizeof *tail);
    if (CHECK(tail != NULL)) {
        for (size_t j = 0; j < below; j++) {
            memcpy(tail + j * below, l + (n + j) * m + n, below * sizeof *tail);
        }
        mb_dense_forward(tail, below, 0, x + n, NULL);
        mb_dense_backward(tail, below, 0, x + n, NULL);
        mb_dense_backward(l, n, below, x, x + n);
    }
    double worst = 0;
    for (size_t i = 0; i < m; i++) {
        worst = fmax(worst, fabs(x[i] - truth[i]));
    }
    CHECK_MSG(worst < 1e-10, "n %zu, below %zu: %g", n, below, worst);
    full[0] = -1;
    CHECK(!mb_dense_cholesky(&d, full, n, m));
    mb_free(tail);
    mb_free(x);
    mb_free(l);
    mb_free(full);
}

TEST(subtract_generic)
{
    test_subtract(mb_dense_subtract_generic, "generic");
}

#if defined(__x86_64__)
TEST(subtract_avx2)
{
    if (mb_cpu_best_isa() < MB_ISA_AVX2) {
        SKIP("this machine has no AVX2");
    }
    test_subtract(mb_dense_subtract_avx2, "avx2");
}

TEST(subtract_avx512)
{
    if (mb_cpu_best_isa() < MB_ISA_AVX512) {
        SKIP("this machine has no AVX-512");
    }
    test_subtract(mb_dense_subtract_avx512, "avx512");
}
#endif

static const struct {
    const char *name;
    mb_isa isa;
#if defined(__aarch64__)
} sets[] = {{"generic", MB_ISA_GENERIC}, {"neon", MB_ISA_NEON}};
#else
} sets[] = {{"generic", MB_ISA_GENERIC}, {"avx2", MB_ISA_AVX2}, {"avx512", MB_ISA_AVX512}};
#endif

TEST_ROWS(factor, sets)
{
    if (mb_cpu_best_isa() < row->isa) {
        SKIP("this machine has no %s", row->name);
    }
    (void)setenv("MATTEBOX_ISA", row->name, 1);
    test_factor(1, 1);
    test_factor(15, 40);
    test_factor(130, 57);
    test_factor(260, 3);
}
