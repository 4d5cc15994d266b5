/* Direct sparse Cholesky: multifrontal, on the tree of a nested dissection. docs/models/refine.md section 6.4. */
#ifndef MB_SPARSE_CHOLESKY_H
#define MB_SPARSE_CHOLESKY_H

#include "core/task.h"
#include "sparse/nested_dissection.h"
#include "sparse/symmetric.h"

/* A node of n pivots and m - n boundary rows keeps an m x n panel, column-major: its columns of L. */
typedef struct mb_cholesky {
    const mb_nd_tree *tree;
    int32_t n;
    size_t *bound_begin; /* [nodes + 1] boundary rows of node k: bound[bound_begin[k]..bound_begin[k+1]), ascending */
    int32_t *bound;      /* never NULL */
    size_t *panel;       /* [nodes + 1] offsets into l */
    double *l;
    size_t entries;      /* of l */
    size_t update_bytes; /* most memory of unfinished parts at one time */
} mb_cholesky;

/* The shape of the factor of `a` (already in elimination order), with its memory, before any arithmetic. */
MB_MUST_CHECK mb_status mb_cholesky_analyse(const mb_task *task, mb_cholesky *out, const mb_symmetric *a,
                                            const mb_nd_tree *tree, mb_error *err);
/* *positive = false (and MB_OK) if rounding made a pivot vanish: the caller needs another method. */
MB_MUST_CHECK mb_status mb_cholesky_factor(const mb_task *task, mb_cholesky *c, const mb_symmetric *a, bool *positive,
                                           mb_error *err);
/* x becomes A^-1 x; work [n]. After a stop, x is unfinished. */
void mb_cholesky_solve(const mb_task *task, const mb_cholesky *c, double *x, double *work);
void mb_cholesky_dispose(mb_cholesky *c);

static inline size_t mb_cholesky_bytes(const mb_cholesky *c)
{
    return c->entries * sizeof(double) + c->update_bytes;
}

#endif
