/* Where every temporary lies in one arena: size-ordered best fit among blocks whose lives overlap. */
#ifndef MB_GRAPH_PLANNER_H
#define MB_GRAPH_PLANNER_H

#include "core/status.h"

#define MB_ARENA_ALIGNMENT 64u

typedef struct mb_block {
    int first, last; /* life: index of the first node that writes it and of the last that reads it, both included */
    size_t bytes;
    size_t offset; /* out: a multiple of MB_ARENA_ALIGNMENT */
} mb_block;

/* Places the blocks; *total is the arena's size. */
MB_MUST_CHECK mb_status mb_planner_place(mb_block *blocks, int n, size_t *total, mb_error *err);
/* The largest sum of (aligned) bytes alive at one node: no placement can be smaller. */
size_t mb_planner_lower_bound(const mb_block *blocks, int n, int n_nodes);

#endif
