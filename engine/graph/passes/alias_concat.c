/* Concatenations without a copy: every producer writes straight into its slice of the channels. D7 of
 * docs/models/birefnet.md. The concat node stays as an ordering point that costs nothing (see mb_node_is_free).
 *
 * A part can be a slice if it is a node's own output (not an input, a constant or a slice already), appears once, and
 * no other concatenation wants it. */
#include "graph/passes/passes.h"

/* The output of a node, no slice already, and not a part of this concat before. */
static bool can_alias(const mb_graph *g, const mb_node *cat, int part)
{
    const mb_value_info *v = &g->values[cat->in[part]];
    if (v->kind != MB_VALUE_TEMPORARY || v->alias_of >= 0 || v->producer < 0) {
        return false;
    }
    for (int i = 0; i < part; i++) {
        if (cat->in[i] == cat->in[part]) {
            return false;
        }
    }
    return true;
}

/* All parts or none: a concat of which one part has to be copied runs as a node, and copies them all. */
mb_status mb_pass_alias_concat(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *cat = &g->nodes[i];
        bool all = !cat->removed && cat->op == MB_OP_concat;
        for (int k = 0; all && k < cat->n_in; k++) {
            all = can_alias(g, cat, k);
        }
        int64_t channel = 0;
        for (int k = 0; all && k < cat->n_in; k++) {
            g->values[cat->in[k]].alias_of = cat->out;
            g->values[cat->in[k]].alias_channel = channel;
            channel += g->values[cat->in[k]].dims[1];
        }
    }
    return mb_graph_status(g, err);
}
