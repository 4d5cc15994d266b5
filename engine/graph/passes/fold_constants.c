/* Nodes whose inputs are all constants (VITMatte's position embedding, resized once per size) are run now, by the
 * reference kernel. */
#include "graph/passes/passes.h"

#include <string.h>

/* Nodes of constants give a constant. */
static bool all_constant(const mb_graph *g, const mb_node *n)
{
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] >= 0 && !mb_graph_is_constant(g, n->in[i])) {
            return false;
        }
    }
    return !g->values[n->out].kept;
}

/* A constant is read as [O,I,kh,kw] row-major, a map is channels last; the result is used as a map (the addend of an
 * add), so it stays as the kernel wrote it. */
static void fold(mb_graph *g, int node, const mb_backend *ref)
{
    mb_node n = g->nodes[node];
    mb_call call;
    float *data;
    mb_graph_call(g, &n, &call);
    mb_graph_call_constants(g, &n, &call, NULL);
    const mb_kernel *k = mb_backend_choose(ref, n.op, &call);
    if (g->error.code != MB_OK || k == NULL || k->workspace != NULL || k->prepare != NULL) {
        return;
    }
    uint64_t key = mb_graph_key(g, g->values[n.out].name, n.in, n.n_in);
    int constant = mb_graph_constant(g, g->values[n.out].name, g->values[n.out].dims, key, &data);
    if (constant < 0) {
        return;
    }
    call.out.data = data;
    mb_error error = {0};
    if (k->run(&call, &error) != MB_OK) {
        mb_graph_fail(g, error.code, "%s: %s", n.name, error.message);
        return;
    }
    mb_graph_replace(g, n.out, constant);
    mb_graph_remove(g, node);
}

/* Producers come before their readers, so that one walk folds chains too. */
mb_status mb_pass_fold_constants(mb_graph *g, mb_error *err)
{
    mb_backend ref;
    memset(&ref, 0, sizeof ref);
    mb_backend_ref(&ref);
    for (int i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].removed && all_constant(g, &g->nodes[i])) {
            fold(g, i, &ref);
        }
    }
    return mb_graph_status(g, err);
}
