/* The affine part of a layer norm moves into the linear layers that alone read it: S1 of docs/models/birefnet.md, M1
 * and the first half of R3 of docs/models/vitmatte.md.
 *
 *   W (g n + e) + b = (W diag(g)) n + (b + W e)        (in double, rounded once)
 *
 * For attention the padding tokens' qkv is a constant of its own (the bias of the layer, since padding comes after the
 * affine part), so it stays as it is. */
#include "graph/passes/passes.h"

#include <string.h>

static int scaled_weight(mb_graph *g, int weight, int gamma)
{
    int64_t d[4];
    float *out;
    int used[] = {weight, gamma};
    const float *w = mb_graph_floats(g, weight), *scale = gamma >= 0 ? mb_graph_floats(g, gamma) : NULL;
    memcpy(d, g->values[weight].dims, sizeof d);
    int id = mb_graph_constant(g, g->values[weight].name, d, mb_graph_key(g, "fold_norm_affine weight", used, 2), &out);
    for (int64_t i = 0; id >= 0 && w != NULL && i < d[0] * d[1]; i++) {
        out[i] = scale != NULL ? (float)((double)w[i] * (double)scale[i % d[1]]) : w[i];
    }
    return id;
}

static int shifted_bias(mb_graph *g, int weight, int bias, int beta)
{
    int64_t d[4];
    float *out;
    int used[] = {weight, bias, beta};
    const float *w = mb_graph_floats(g, weight), *e = mb_graph_floats(g, beta);
    const float *b = bias >= 0 ? mb_graph_floats(g, bias) : NULL;
    memcpy(d, g->values[weight].dims, sizeof d);
    int id = mb_graph_constant(g, g->values[weight].name, (int64_t[]){d[0], 1, 1, 1},
                               mb_graph_key(g, "fold_norm_affine bias", used, 3), &out);
    for (int64_t o = 0; id >= 0 && w != NULL && e != NULL && o < d[0]; o++) {
        double sum = b != NULL ? (double)b[o] : 0.0;
        for (int64_t i = 0; i < d[1]; i++) {
            sum += (double)w[o * d[1] + i] * (double)e[i];
        }
        out[o] = (float)sum;
    }
    return id;
}

static void fold(mb_graph *g, mb_node *norm, mb_node *linear)
{
    int gamma = norm->n_in > 1 ? norm->in[1] : MB_NONE, beta = norm->n_in > 2 ? norm->in[2] : MB_NONE;
    int bias = linear->n_in > 2 ? linear->in[2] : MB_NONE;
    if ((gamma < 0 && beta < 0) || !mb_graph_is_constant(g, linear->in[1]) ||
        (bias >= 0 && !mb_graph_is_constant(g, bias))) {
        return;
    }
    int new_bias = beta >= 0 ? shifted_bias(g, linear->in[1], bias, beta) : bias;
    int new_weight = scaled_weight(g, linear->in[1], gamma);
    if (g->error.code != MB_OK) {
        return;
    }
    linear->in[1] = new_weight;
    linear->in[2] = new_bias;
    linear->n_in = linear->n_in > 3 ? linear->n_in : 3;
    norm->n_in = 1;
}

mb_status mb_pass_fold_norm_affine(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *linear = &g->nodes[i];
        if (!linear->removed && linear->op == MB_OP_linear) {
            mb_node *norm = mb_graph_sole_producer(g, linear->in[0], MB_OP_layer_norm);
            if (norm != NULL) {
                fold(g, norm, linear);
            }
        }
    }
    return mb_graph_status(g, err);
}
