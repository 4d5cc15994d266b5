/* Conjugate gradients with an incomplete Cholesky factor: for systems whose exact factor would not fit in memory.
 * docs/models/refine.md section 6.5. */
#ifndef MB_SPARSE_PCG_H
#define MB_SPARSE_PCG_H

#include "core/task.h"
#include "sparse/symmetric.h"

typedef struct mb_pcg_options {
    double drop;         /* entries of the factor up to this size are dropped; 0: 1e-3 */
    size_t memory_limit; /* bytes of the factor: a coarser drop is taken until it fits */
    double tolerance;    /* |b - A x| / |b|; 0: 1e-9 */
    int max_iterations;  /* 0: 20000 */
} mb_pcg_options;

typedef struct mb_pcg_report {
    int iterations;
    double residual; /* of the x returned, relative, computed afresh */
    double drop, shift;
    size_t factor_entries;
} mb_pcg_report;

/* x [n] = A^-1 b as nearly as rounding allows: always the best x found, whatever the residual. A is in natural order.
 */
MB_MUST_CHECK mb_status mb_pcg_solve(const mb_task *task, double *x, const mb_symmetric *a, const double *b,
                                     const mb_pcg_options *o, mb_pcg_report *report, mb_error *err);

#endif
