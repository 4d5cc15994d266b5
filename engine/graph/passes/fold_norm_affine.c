/* The affine part of a layer norm moves into the linear layers that alone read it (one, or two): S1 of docs/models/birefnet.md, M1
 * and the first half of R3 of docs/models/vitmatte.md.
 *
 *   W (g n + e) + b = (W diag(g)) n + (b + W e)        (in double, rounded once)
 *
 * For attention the padding tokens' qkv is a constant of its own (the bias of the layer, since padding comes after the
 * affine part), so it stays as it is. */
#include "graph/passes/passes.h"

#include <string.h>

static void fill_weight(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    const float *w = d->in[0], *scale = d->in[1];
    int64_t columns = d->dims[1];
    for (int64_t o = begin; o < end; o++) {
        for (int64_t i = 0; i < columns; i++) {
            out[o * columns + i] = (float)((double)w[o * columns + i] * (double)scale[i]);
        }
    }
}

/* from: the weight, its bias, the shift of the norm. */
static void fill_bias(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t columns = d->in_dims[0][1];
    for (int64_t o = begin; o < end; o++) {
        double sum = d->in[1] != NULL ? (double)d->in[1][o] : 0.0;
        for (int64_t i = 0; i < columns; i++) {
            sum += (double)d->in[0][o * columns + i] * (double)d->in[2][i];
        }
        out[o] = (float)sum;
    }
}

/* W diag(gamma), [out, in]. */
static int scaled_weight(mb_graph *g, int weight, int gamma)
{
    const mb_derivation how = {
        .how = "fold_norm_affine weight", .fill = fill_weight, .from = {weight, gamma}, .n_from = 2};
    int64_t d[4];
    memcpy(d, g->values[weight].dims, sizeof d);
    return mb_graph_derive(g, g->values[weight].name, d, &how);
}

/* b + W beta, [out]. */
static int shifted_bias(mb_graph *g, int weight, int bias, int beta)
{
    const mb_derivation how = {
        .how = "fold_norm_affine bias", .fill = fill_bias, .from = {weight, bias, beta}, .n_from = 3};
    int64_t rows = g->values[weight].dims[0];
    return mb_graph_derive(g, g->values[weight].name, (int64_t[]){rows, 1, 1, 1}, &how);
}

/* The norm's affine part can go into this layer, a reader of the norm. */
static bool takes(const mb_graph *g, const mb_node *n)
{
    int bias = mb_node_input(n, 2);
    return n->op == MB_OP_linear && mb_graph_is_constant(g, n->in[1]) && (bias < 0 || mb_graph_is_constant(g, bias));
}

/* All that read the norm's output, as their first input, are such layers. */
static bool all_take(const mb_graph *g, int norm_out)
{
    bool all = !g->values[norm_out].kept;
    for (int i = 0; i < g->n_nodes && all; i++) {
        const mb_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in && !n->removed; k++) {
            all = all && (n->in[k] != norm_out || (k == 0 && takes(g, n)));
        }
    }
    return all;
}

/* W (gamma n + beta) + b = (W gamma) n + (W beta + b). */
static void fold_into(mb_graph *g, mb_node *linear, int gamma, int beta)
{
    int bias = mb_node_input(linear, 2);
    int new_bias = beta >= 0 ? shifted_bias(g, linear->in[1], bias, beta) : bias;
    int new_weight = gamma >= 0 ? scaled_weight(g, linear->in[1], gamma) : linear->in[1];
    if (g->error.code == MB_OK) {
        linear->in[1] = new_weight;
        linear->in[2] = new_bias;
        linear->n_in = linear->n_in > 3 ? linear->n_in : 3;
    }
}

/* The norm keeps its input alone. Two layers read it in a SwiGLU. */
static void fold(mb_graph *g, mb_node *norm)
{
    int gamma = mb_node_input(norm, 1), beta = mb_node_input(norm, 2);
    if ((gamma < 0 && beta < 0) || mb_graph_users(g, norm->out, NULL) == 0 || !all_take(g, norm->out)) {
        return;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].removed && g->nodes[i].n_in > 0 && g->nodes[i].in[0] == norm->out) {
            fold_into(g, &g->nodes[i], gamma, beta);
        }
    }
    norm->n_in = 1;
}

mb_status mb_pass_fold_norm_affine(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].removed && g->nodes[i].op == MB_OP_layer_norm) {
            fold(g, &g->nodes[i]);
        }
    }
    return mb_graph_status(g, err);
}
