/* Minimum s-t cut on sparse sets of grid pixels with 8 neighbours: the solver under GrabCut.
 *
 * Y. Boykov, V. Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for energy minimization in
 * vision", PAMI 2004: two search trees, kept between augmentations. Before that, most of the flow goes to the sink in
 * waves, as in A. Goldberg, R. Tarjan, "A new approach to the maximum-flow problem", J. ACM 1988: all that comes through
 * a node is moved on at once. Integer capacities, so the result does not depend on the order of additions and is the
 * same on every machine. */
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
/* The same for all pixels of a picture of width x height (each >= 1), faster and smaller: neighbours are not stored. The
 * node of a pixel is mb_maxflow_grid_node; there are mb_maxflow_grid_nodes numbers, some of them of nodes that pad the
 * rows: these stay without edges and terminal links. */
MB_MUST_CHECK mb_status mb_maxflow_create_grid(mb_maxflow **out, int width, int height, mb_error *err);

static inline int mb_maxflow_grid_node(int width, int x, int y)
{
    return (y + 1) * (width + 1) + x + 1;
}

static inline int mb_maxflow_grid_nodes(int width, int height)
{
    return mb_maxflow_grid_node(width, 0, height + 1);
}

void mb_maxflow_free(mb_maxflow *cut);

/* Joins a and its neighbour b in direction d (a -> b) with capacity 0 <= c <= 2^28 both ways. Once a pair, before the
 * first solution. */
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
