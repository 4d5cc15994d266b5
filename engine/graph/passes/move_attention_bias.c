/* The key bias of attention adds the same number to a whole row of logits, so it goes; the value bias passes through
 * the softmax unchanged (its rows sum to one), so it moves behind the projection: S3, S4 of docs/models/birefnet.md, R3
 * of docs/models/vitmatte.md.
 *
 *   k = Wk n,   v = Wv n,   b_proj' = b_proj + W_proj b_v,     padding: k_pad' = k_pad - b_k,  v_pad' = v_pad - b_v
 *
 * The query keeps its bias (the relative terms and the padding keys see it). Behind a rotary embedding the key bias
 * depends on the key's place, so it stays: N1 of docs/models/dino_v3.md. */
#include "graph/passes/passes.h"

#include <string.h>

/* from: a vector [3C], the bias [3C]; at: the first channel whose bias goes. */
static void fill_without(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        out[i] = i < d->at[0] ? d->in[0][i] : d->in[0][i] - d->in[1][i];
    }
}

/* `vector` [3C] with the bias taken off values, and off keys unless they are turned: that of the padding tokens, or the
 * bias itself (then zero). */
static int without_bias(mb_graph *g, int vector, int bias, bool rotary)
{
    const mb_derivation how = {.how = "move_attention_bias",
                               .fill = fill_without,
                               .from = {vector, bias},
                               .n_from = 2,
                               .at = {g->values[bias].dims[0] / 3 * (rotary ? 2 : 1)}};
    int64_t n = g->values[bias].dims[0];
    return mb_graph_derive(g, g->values[vector].name, (int64_t[]){n, 1, 1, 1}, &how);
}

/* from: the projection, its bias, the bias of qkv. */
static void fill_projected(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t columns = d->in_dims[0][1];
    for (int64_t o = begin; o < end; o++) {
        double sum = d->in[1] != NULL ? (double)d->in[1][o] : 0.0;
        for (int64_t i = 0; i < columns; i++) {
            sum += (double)d->in[0][o * columns + i] * (double)d->in[2][2 * columns + i];
        }
        out[o] = (float)sum;
    }
}

/* b_proj + W_proj b_v, [C]. */
static int through_projection(mb_graph *g, const mb_node *proj, int bias)
{
    const mb_derivation how = {.how = "move_attention_bias projection",
                               .fill = fill_projected,
                               .from = {proj->in[1], mb_node_input(proj, 2), bias},
                               .n_from = 3};
    int64_t rows = g->values[proj->in[1]].dims[0];
    return mb_graph_derive(g, g->values[proj->in[1]].name, (int64_t[]){rows, 1, 1, 1}, &how);
}

/* Everything that has to be constant is, and nothing else reads what changes. */
static bool applies(mb_graph *g, const mb_node *qkv, const mb_node *proj, const mb_node *attention, int pad)
{
    bool padded = attention->n_in > pad && attention->in[pad] >= 0;
    return qkv->n_in > 2 && qkv->in[2] >= 0 && mb_graph_is_constant(g, qkv->in[2]) &&
           qkv->attrs.linear.act == MB_ACT_NONE && mb_graph_is_constant(g, proj->in[1]) &&
           (proj->n_in < 3 || proj->in[2] < 0 || mb_graph_is_constant(g, proj->in[2])) &&
           (!padded || mb_graph_is_constant(g, attention->in[pad])) &&
           3 * g->values[proj->in[1]].dims[1] == g->values[qkv->in[2]].dims[0];
}

/* Both biases at once, since one derivation of the qkv bias serves keys and values. Padding tokens have lost the
 * bias that they would have had: it is taken off their vector too. */
static void move(mb_graph *g, mb_node *proj, mb_node *attention)
{
    int pad = attention->op == MB_OP_window_attention ? 2 : 3;
    bool rotary;
    mb_node *qkv = mb_attention_qkv(g, attention, &rotary);
    if (qkv == NULL || !applies(g, qkv, proj, attention, pad)) {
        return;
    }
    int bias = qkv->in[2];
    int new_proj = through_projection(g, proj, bias), new_bias = without_bias(g, bias, bias, rotary);
    bool padded = attention->n_in > pad && attention->in[pad] >= 0;
    int new_pad = padded ? without_bias(g, attention->in[pad], bias, rotary) : MB_NONE;
    if (g->error.code != MB_OK) {
        return;
    }
    proj->in[2] = new_proj;
    proj->n_in = proj->n_in > 3 ? proj->n_in : 3;
    qkv->in[2] = new_bias;
    if (padded) {
        attention->in[pad] = new_pad;
    }
}

/* Every attention (windowed or ViT) between a qkv and a projection that nothing else reads. */
mb_status mb_pass_move_attention_bias(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *proj = &g->nodes[i];
        if (proj->removed || proj->op != MB_OP_linear) {
            continue;
        }
        mb_node *attention = mb_graph_sole_producer(g, proj->in[0], MB_OP_window_attention);
        if (attention == NULL) {
            attention = mb_graph_sole_producer(g, proj->in[0], MB_OP_vit_attention);
        }
        if (attention != NULL) {
            move(g, proj, attention);
        }
    }
    return mb_graph_status(g, err);
}
