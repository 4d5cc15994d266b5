/* The scale 1/sqrt(d) of attention moves into the query rows of the qkv layer: S2 of docs/models/birefnet.md, R4 of
 * docs/models/vitmatte.md, N1 of docs/models/dino_v3.md (a rotation between keeps the scale). For ViT the relative terms
 * use the unscaled query: they get the inverse (rel_scale). The padding tokens' qkv is scaled alike. */
#include "graph/passes/passes.h"

#include <string.h>

static void fill_scaled(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t row = d->dims[1] * d->dims[2] * d->dims[3], query = d->dims[0] / 3 * row;
    for (int64_t i = begin * row; i < end * row; i++) {
        out[i] = i < query ? d->in[0][i] * (float)d->number : d->in[0][i];
    }
}

/* A weight or bias whose first third of rows is scaled. */
static int scale_query(mb_graph *g, int value, float scale)
{
    const mb_derivation how = {
        .how = "fold_attention_scale", .fill = fill_scaled, .from = {value}, .n_from = 1, .number = (double)scale};
    int64_t d[4];
    memcpy(d, g->values[value].dims, sizeof d);
    return mb_graph_derive(g, g->values[value].name, d, &how);
}

static void fold(mb_graph *g, mb_node *attention, mb_node *qkv)
{
    bool swin = attention->op == MB_OP_window_attention;
    float scale = swin ? attention->attrs.window_attention.scale : attention->attrs.vit_attention.scale;
    int pad = swin ? 2 : 3;
    bool has_bias = qkv->n_in > 2 && qkv->in[2] >= 0, has_pad = attention->n_in > pad && attention->in[pad] >= 0;
    if (scale == 1.0f || qkv->attrs.linear.act != MB_ACT_NONE || (qkv->n_in > 3 && qkv->in[3] >= 0) ||
        !mb_graph_is_constant(g, qkv->in[1]) || (has_bias && !mb_graph_is_constant(g, qkv->in[2])) ||
        (has_pad && !mb_graph_is_constant(g, attention->in[pad]))) {
        return;
    }
    bool shared = has_bias && has_pad && qkv->in[2] == attention->in[pad];
    int weight = scale_query(g, qkv->in[1], scale);
    int bias = has_bias ? scale_query(g, qkv->in[2], scale) : MB_NONE;
    int pad_qkv = !has_pad ? MB_NONE : shared ? bias : scale_query(g, attention->in[pad], scale);
    if (g->error.code != MB_OK) {
        return;
    }
    qkv->in[1] = weight;
    if (has_bias) {
        qkv->in[2] = bias;
    }
    if (has_pad) {
        attention->in[pad] = pad_qkv;
    }
    if (swin) {
        attention->attrs.window_attention.scale = 1.0f;
    } else {
        attention->attrs.vit_attention.scale = 1.0f;
        attention->attrs.vit_attention.rel_scale /= scale;
    }
}

mb_status mb_pass_fold_attention_scale(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *n = &g->nodes[i];
        if (!n->removed && (n->op == MB_OP_window_attention || n->op == MB_OP_vit_attention)) {
            bool rotary;
            mb_node *qkv = mb_attention_qkv(g, n, &rotary);
            if (qkv != NULL) {
                fold(g, n, qkv);
            }
        }
    }
    return mb_graph_status(g, err);
}
