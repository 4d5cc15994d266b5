/* LayerScale moves into the linear layer before it: N1 of docs/models/dino_v3.md.
 *
 *   gamma (W x + b) = (diag(gamma) W) x + gamma b        (in double, rounded once)
 *
 * Holds where nothing else reads the layer's output and it has no activation or addend yet. */
#include "graph/passes/passes.h"

#include <string.h>

/* Rows of a weight, or of a bias, times gamma. from: the weight or bias, gamma. */
static void fill_scaled(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t row = d->dims[1] * d->dims[2] * d->dims[3];
    for (int64_t o = begin; o < end; o++) {
        for (int64_t i = 0; i < row; i++) {
            out[o * row + i] = (float)((double)d->in[0][o * row + i] * (double)d->in[1][o]);
        }
    }
}

static int scaled(mb_graph *g, int value, int gamma)
{
    const mb_derivation how = {.how = "fold_layer_scale", .fill = fill_scaled, .from = {value, gamma}, .n_from = 2};
    int64_t d[4];
    memcpy(d, g->values[value].dims, sizeof d);
    return mb_graph_derive(g, g->values[value].name, d, &how);
}

/* The layer takes over the output of the scale. */
static void fold(mb_graph *g, int scale_index, mb_node *linear)
{
    mb_node *scale = &g->nodes[scale_index];
    int bias = mb_node_input(linear, 2), gamma = scale->in[1];
    if (linear->attrs.linear.act != MB_ACT_NONE || mb_node_input(linear, 3) >= 0 ||
        !mb_graph_is_constant(g, linear->in[1]) || (bias >= 0 && !mb_graph_is_constant(g, bias)) ||
        !mb_graph_is_constant(g, gamma)) {
        return;
    }
    int new_weight = scaled(g, linear->in[1], gamma), new_bias = bias >= 0 ? scaled(g, bias, gamma) : MB_NONE;
    if (g->error.code != MB_OK) {
        return;
    }
    linear->in[1] = new_weight;
    if (bias >= 0) {
        linear->in[2] = new_bias;
    }
    mb_graph_adopt(g, linear, scale->out);
    mb_graph_remove(g, scale_index);
}

mb_status mb_pass_fold_layer_scale(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].removed && g->nodes[i].op == MB_OP_layer_scale) {
            mb_node *linear = mb_graph_sole_producer(g, g->nodes[i].in[0], MB_OP_linear);
            if (linear != NULL) {
                fold(g, i, linear);
            }
        }
    }
    return mb_graph_status(g, err);
}
