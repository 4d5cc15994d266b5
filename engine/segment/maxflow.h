/* Minimum s-t cut on sparse sets of grid pixels with 8 neighbours: the solver under GrabCut.
 *
 * Y. Boykov, V. Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for energy minimization in
 * vision", PAMI 2004: two search trees, kept between augmentations. Integer capacities, so the result does not depend
 * on the order of additions and is the same on every machine. */
#ifndef MB_SEGMENT_MAXFLOW_H
#define MB_SEGMENT_MAXFLOW_H

#include "core/task.h"

/* Direction d and its reverse d ^ 1: right, left, down, up, down-right, up-left, down-left, up-right. */
enum { MB_CUT_DIRECTIONS = 8 };
extern const int mb_maxflow_dx[MB_CUT_DIRECTIONS];
extern const int mb_maxflow_dy[MB_CUT_DIRECTIONS];

typedef struct mb_maxflow mb_maxflow;

/* `nodes` >= 1 nodes without edges and without terminal links. */
MB_MUST_CHECK mb_status mb_maxflow_create(mb_maxflow **out, int nodes, mb_error *err);
void mb_maxflow_free(mb_maxflow *cut);

/* Joins a and its neighbour b in direction d (a -> b) with capacity c >= 0 both ways. Once a pair. */
void mb_maxflow_edge(mb_maxflow *cut, int a, int b, int d, int c);
/* Adds source (> 0: costs that much to be on the sink's side) minus sink capacity to a node. Also after a solution: the
 * next one then starts from the flow that is there, which makes a small change cheap. */
void mb_maxflow_terminal(mb_maxflow *cut, int a, int source_minus_sink);
/* Solves; every node is then on the source's side or on the sink's. The source's side are the nodes that residual
 * capacity reaches from the source: of all minimum cuts the one with the smallest source side, so the result does not
 * depend on the way there. */
MB_MUST_CHECK mb_status mb_maxflow_solve(const mb_task *task, mb_maxflow *cut, mb_error *err);
int mb_maxflow_on_source_side(const mb_maxflow *cut, int a);

#endif
