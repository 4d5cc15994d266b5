/* Topological order by repeated choice: quadratic in some thousand nodes, so a millisecond. */
#include "graph/schedule.h"

#include "core/alloc.h"

/* A concat whose parts were all made slices of its output: its producers have written it. */
bool mb_node_is_free(const mb_graph *g, const mb_node *n)
{
    if (n->op != MB_OP_concat) {
        return false;
    }
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] < 0 || g->values[n->in[i]].alias_of != n->out) {
            return false;
        }
    }
    return true;
}

/* All producers of its inputs are done. */
static bool is_ready(const mb_graph *g, const mb_node *n, const bool *done)
{
    for (int i = 0; i < n->n_in; i++) {
        int producer = n->in[i] >= 0 ? g->values[n->in[i]].producer : MB_NONE;
        if (producer >= 0 && !done[producer]) {
            return false;
        }
    }
    return true;
}

/* Positions are those of the recording, or between two of them for nodes that a pass added: the order is that of the
 * paper except where the graph demands another. */
mb_status mb_schedule(int *order, int *n, const mb_graph *g, mb_error *err)
{
    bool *done = mb_calloc((size_t)g->n_nodes + 1, sizeof *done);
    int live = 0;
    *n = 0;
    if (done == NULL) {
        return mb_fail_memory(err, (size_t)g->n_nodes, "the schedule");
    }
    for (int i = 0; i < g->n_nodes; i++) {
        live += !g->nodes[i].removed;
    }
    while (*n < live) {
        int best = MB_NONE;
        for (int i = 0; i < g->n_nodes; i++) {
            const mb_node *node = &g->nodes[i];
            if (!node->removed && !done[i] && (best < 0 || node->position < g->nodes[best].position) &&
                is_ready(g, node, done)) {
                best = i;
            }
        }
        if (best < 0) {
            mb_free(done);
            return mb_fail(err, MB_E_INTERNAL, "the graph has a cycle or reads a removed node");
        }
        done[best] = true;
        order[(*n)++] = best;
    }
    mb_free(done);
    return MB_OK;
}
