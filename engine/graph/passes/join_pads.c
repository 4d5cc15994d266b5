/* The padding keys of a window differ in their position only, so a query's sum over them has a closed form: they become
 * one key whose relative term is a log-sum-exp of 2 x window numbers, W2 of docs/models/vitmatte.md. Windows that have
 * no padding stay as they are. */
#include "graph/passes/passes.h"

mb_status mb_pass_join_pads(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *n = &g->nodes[i];
        if (n->removed || n->op != MB_OP_vit_attention || mb_node_input(n, 3) < 0) {
            continue;
        }
        mb_vit_attention_attrs *a = &n->attrs.vit_attention;
        const int64_t *d = g->values[n->in[0]].dims;
        a->pads_as_one = a->window > 0 && (d[2] % a->window != 0 || d[3] % a->window != 0);
    }
    return mb_graph_status(g, err);
}
