/* Linear solvers of closed-form matting behind one call. */
#ifndef MB_MATTING_SOLVE_H
#define MB_MATTING_SOLVE_H

#include "matting/closed_form.h"
#include "matting/laplacian.h"

/* The rows to solve for: rows[0..n), grouped by component; component c is [begin[c], begin[c+1]). Rows of different
 * components are not coupled. */
typedef struct mb_solve_rows {
    int32_t *rows; /* reordered by the solver */
    const int32_t *begin;
    int32_t n, n_components;
    int32_t width; /* of the picture */
} mb_solve_rows;

/* x[row] = solution, for these rows alone. Fills the report's solver part. */
MB_MUST_CHECK mb_status mb_solve(const mb_task *task, double *x, const mb_matting_system *s, const mb_solve_rows *rows,
                                 const mb_closed_form_options *o, mb_closed_form_report *report, mb_error *err);

#ifdef MATTEBOX_HAVE_CHOLMOD
/* x [n] = A^-1 b by CHOLMOD. *positive = false if it gave up. */
MB_MUST_CHECK mb_status mb_cholmod_solve(double *x, const mb_symmetric *a, const double *b, bool *positive,
                                         size_t *factor_bytes, mb_error *err);
#endif

#endif
