/* Nested dissection of unknown pixels: the elimination order of the direct solver, and its tree. */
#ifndef MB_SPARSE_NESTED_DISSECTION_H
#define MB_SPARSE_NESTED_DISSECTION_H

#include "core/task.h"
#include "core/status.h"

/* A set of pixels eliminated together: positions [first, first + n) of the order. Children come before parents. */
typedef struct mb_nd_node {
    int32_t first, n;
    int32_t parent; /* -1: a root */
    int32_t low;    /* first node of the subtree: it is [low, this] */
} mb_nd_node;

typedef struct mb_nd_tree {
    int32_t n_nodes;
    mb_nd_node *node;
} mb_nd_tree;

/* Where the unknowns lie in their picture: unknown i is pixel at[i] = y * width + x. */
typedef struct mb_nd_pixels {
    const int32_t *at;
    int32_t width;
} mb_nd_pixels;

/* Reorders order[0..n) (indices into pixels.at, grouped by connected component: component c is [begin[c], begin[c+1])).
 * Pixels couple within two rows and columns, so two adjacent rows or columns of a set separate what lies on either
 * side. */
MB_MUST_CHECK mb_status mb_nested_dissection(const mb_task *task, mb_nd_tree *out, int32_t *order, const int32_t *begin,
                                             int32_t n_components, mb_nd_pixels pixels, mb_error *err);
void mb_nd_tree_dispose(mb_nd_tree *t);

#endif
