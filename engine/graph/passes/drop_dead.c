/* Removes nodes that no kept value needs (auxiliary heads, leftovers of other passes). D2 of docs/models/birefnet.md.
 */
#include "graph/passes/passes.h"

mb_status mb_pass_drop_dead(mb_graph *g, mb_error *err)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (int i = g->n_nodes - 1; i >= 0; i--) {
            mb_node *n = &g->nodes[i];
            if (n->removed) {
                continue;
            }
            bool needed = false;
            for (int v = 0; v < g->n_values && !needed; v++) { /* its output and the slices of it */
                if (g->values[v].producer == i) {
                    needed = g->values[v].kept || mb_graph_users(g, v, NULL) > 0;
                }
            }
            if (!needed) {
                mb_graph_remove(g, i);
                changed = true;
            }
        }
    }
    return mb_graph_status(g, err);
}
