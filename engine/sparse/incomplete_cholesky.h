/* Incomplete Cholesky with a drop tolerance. */
#ifndef MB_SPARSE_INCOMPLETE_CHOLESKY_H
#define MB_SPARSE_INCOMPLETE_CHOLESKY_H

#include "core/task.h"
#include "sparse/symmetric.h"

typedef enum mb_ic_result {
    MB_IC_DONE,
    MB_IC_NOT_POSITIVE, /* a pivot vanished: try a larger shift */
    MB_IC_TOO_LARGE,    /* more than max_entries: try a larger drop */
} mb_ic_result;

typedef struct mb_ic_options {
    double drop, shift; /* shift: added to the diagonal */
    size_t max_entries;
} mb_ic_options;

/* L L^T ~ A + shift Id. The diagonal comes first in each column of L. */
MB_MUST_CHECK mb_status mb_incomplete_cholesky(const mb_task *task, mb_symmetric *l, mb_ic_result *result,
                                               const mb_symmetric *a, const mb_ic_options *o, mb_error *err);

/* x becomes (L L^T)^-1 x. */
void mb_incomplete_solve(const mb_task *task, const mb_symmetric *l, double *x);

#endif
