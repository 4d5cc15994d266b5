/* Closed-form matting through SuiteSparse's CHOLMOD (Chen, Davis, Hager, Rajamanickam 2008): an independent direct
 * solver, built on request (engine/matting/libs.cmake). Its allocations are its own; its errors become statuses. */
#include "matting/solve.h"

#ifdef MATTEBOX_HAVE_CHOLMOD

#include "core/alloc.h"

#include <cholmod.h>
#include <limits.h>
#include <string.h>

/* Analyse, factor, solve; the matrix is lent to the library, not copied. */
mb_status mb_cholmod_solve(double *x, const mb_symmetric *a, const double *b, bool *positive, size_t *factor_bytes,
                           mb_error *err)
{
    cholmod_common c;
    cholmod_factor *factor = NULL;
    cholmod_dense *solution = NULL;
    mb_status status = MB_OK;
    size_t n = (size_t)a->n, entries = a->begin[n];
    *positive = false;
    if (entries > INT_MAX) {
        return MB_OK; /* beyond its 32-bit indices: the caller iterates */
    }
    int *begin = mb_alloc_array(n + 1, sizeof *begin);
    if (begin == NULL) {
        return mb_fail_memory(err, (n + 1) * sizeof *begin, "closed-form matting");
    }
    for (size_t i = 0; i <= n; i++) {
        begin[i] = (int)a->begin[i];
    }
    cholmod_start(&c);
    c.print = 0;
    cholmod_sparse matrix = {
        .nrow = n, .ncol = n, .nzmax = entries, .p = begin, .i = a->row, .x = a->value, .stype = -1};
    matrix.itype = CHOLMOD_INT;
    matrix.xtype = CHOLMOD_REAL;
    matrix.dtype = CHOLMOD_DOUBLE;
    matrix.sorted = matrix.packed = 1;
    memcpy(x, b, n * sizeof *x);
    cholmod_dense right = {
        .nrow = n, .ncol = 1, .nzmax = n, .d = n, .x = x, .xtype = CHOLMOD_REAL, .dtype = CHOLMOD_DOUBLE};
    factor = cholmod_analyze(&matrix, &c);
    if (factor != NULL && cholmod_factorize(&matrix, factor, &c) && c.status == CHOLMOD_OK) {
        solution = cholmod_solve(CHOLMOD_A, factor, &right, &c);
    }
    if (solution != NULL) {
        memcpy(x, solution->x, n * sizeof *x);
        *positive = true;
        *factor_bytes = c.memory_usage;
    } else if (c.status == CHOLMOD_OUT_OF_MEMORY) {
        status = mb_fail_memory(err, c.memory_usage, "the factor of the matting Laplacian");
    }
    cholmod_free_dense(&solution, &c);
    cholmod_free_factor(&factor, &c);
    cholmod_finish(&c);
    mb_free(begin);
    return status;
}

#endif
