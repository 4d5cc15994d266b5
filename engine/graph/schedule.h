/* The order in which nodes run. */
#ifndef MB_GRAPH_SCHEDULE_H
#define MB_GRAPH_SCHEDULE_H

#include "graph/graph.h"

/* order[0..*n) = the live nodes, each after the producers of its inputs; among those that could run, the lowest
 * `position` first. `order` holds g->n_nodes ints. */
MB_MUST_CHECK mb_status mb_schedule(int *order, int *n, const mb_graph *g, mb_error *err);

/* A concat whose parts are all slices of its output: nothing is left to do. */
bool mb_node_is_free(const mb_graph *g, const mb_node *n);

#endif
