/* Symmetric sparse matrices: the lower triangle by columns, rows ascending, the diagonal first in each column. */
#ifndef MB_SPARSE_SYMMETRIC_H
#define MB_SPARSE_SYMMETRIC_H

#include "core/task.h"
#include "core/status.h"

typedef struct mb_symmetric {
    int32_t n;
    size_t *begin; /* [n + 1] */
    int32_t *row;  /* [begin[n]] */
    double *value; /* [begin[n]] */
} mb_symmetric;

MB_MUST_CHECK mb_status mb_symmetric_create(mb_symmetric *out, int32_t n, size_t entries, mb_error *err);
void mb_symmetric_dispose(mb_symmetric *m);

/* out = P A P^T restricted to the n indices of `order`: row i of out is row order[i] of a. `place` [a->n] is the
 * inverse, -1 for indices left out. */
MB_MUST_CHECK mb_status mb_symmetric_permute(const mb_task *task, mb_symmetric *out, const mb_symmetric *a,
                                             const int32_t *order, int32_t n, const int32_t *place, mb_error *err);

/* out = A x; unfinished after a stop. */
void mb_symmetric_multiply(const mb_task *task, double *out, const mb_symmetric *a, const double *x);

#endif
