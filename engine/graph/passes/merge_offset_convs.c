/* The offset and the modulator convolution of a deformable convolution read the same map: one convolution with
 * 3*k*k outputs, of which both are slices; the modulator's factor moves into the deformable weights. D3 of
 * docs/models/birefnet.md. */
#include "graph/passes/passes.h"

#include <string.h>

static bool same_form(const mb_node *a, const mb_node *b, const mb_conv_view *va, const mb_conv_view *vb)
{
    return a->in[0] == b->in[0] && a->attrs.conv2d.stride == b->attrs.conv2d.stride &&
           a->attrs.conv2d.pad == b->attrs.conv2d.pad && a->attrs.conv2d.act == b->attrs.conv2d.act &&
           va->in == vb->in && va->kh == vb->kh && va->kw == vb->kw && !(a->n_in > 3 && a->in[3] >= 0) &&
           !(b->n_in > 3 && b->in[3] >= 0);
}

/* Both weights and biases, one after the other. */
static void join(float *w, float *bias, const mb_conv_view *a, const mb_conv_view *b)
{
    size_t taps = (size_t)(a->in * a->kh * a->kw), na = (size_t)a->out, nb = (size_t)b->out;
    memcpy(w, a->weight, na * taps * sizeof *w);
    memcpy(w + na * taps, b->weight, nb * taps * sizeof *w);
    for (size_t i = 0; i < na + nb; i++) {
        const float *from = i < na ? a->bias : b->bias;
        bias[i] = from != NULL ? from[i < na ? i : i - na] : 0.0f;
    }
}

static void merge(mb_graph *g, mb_node *deform, mb_node *off, mb_node *mod)
{
    mb_conv_view a, b;
    if (!mb_conv_read(g, off, &a) || !mb_conv_read(g, mod, &b) || !same_form(off, mod, &a, &b)) {
        return;
    }
    int64_t dims[4] = {a.out + b.out, a.in, a.kh, a.kw}, vector[4] = {a.out + b.out, 1, 1, 1};
    int used[] = {off->in[1], off->n_in > 2 ? off->in[2] : MB_NONE, mod->in[1], mod->n_in > 2 ? mod->in[2] : MB_NONE};
    float *w, *bias;
    int w_id = mb_graph_constant(g, off->name, dims, mb_graph_key(g, "merge_offset_convs weight", used, 4), &w);
    int b_id = mb_graph_constant(g, off->name, vector, mb_graph_key(g, "merge_offset_convs bias", used, 4), &bias);
    if (w_id < 0 || b_id < 0) {
        return;
    }
    join(w, bias, &a, &b);
    int offset = deform->in[1], modulator = deform->in[2];
    int mod_index = (int)(mod - g->nodes), in[] = {off->in[0], w_id, b_id};
    int off_index = (int)(off - g->nodes);
    mb_attrs attrs = off->attrs;
    int both = mb_graph_node(g, MB_OP_conv2d, off->name, &attrs, in, 3, off->position);
    if (both < 0) {
        return;
    }
    g->values[offset].alias_of = g->values[modulator].alias_of = both;
    g->values[offset].alias_channel = 0;
    g->values[modulator].alias_channel = a.out;
    g->values[offset].producer = g->values[modulator].producer = g->values[both].producer;
    mb_graph_remove(g, off_index);
    mb_graph_remove(g, mod_index);
}

/* The factor of the modulator goes into the weights of the deformable convolution. */
static void fold_scale(mb_graph *g, mb_node *deform)
{
    float scale = deform->attrs.deform_conv2d.modulator_scale, *w;
    if (scale == 1.0f || !mb_graph_is_constant(g, deform->in[3])) {
        return;
    }
    const float *old = mb_graph_floats(g, deform->in[3]);
    int64_t d[4];
    memcpy(d, g->values[deform->in[3]].dims, sizeof d);
    uint64_t key = mb_graph_key(g, "merge_offset_convs scale", &deform->in[3], 1);
    int id = mb_graph_constant(g, deform->name, d, key, &w);
    if (id < 0 || old == NULL) {
        return;
    }
    for (int64_t i = 0; i < d[0] * d[1] * d[2] * d[3]; i++) {
        w[i] = old[i] * scale; /* 2: exact */
    }
    deform->in[3] = id;
    deform->attrs.deform_conv2d.modulator_scale = 1.0f;
}

mb_status mb_pass_merge_offset_convs(mb_graph *g, mb_error *err)
{
    for (int i = 0, n = g->n_nodes; i < n; i++) {
        mb_node *deform = &g->nodes[i];
        if (deform->removed || deform->op != MB_OP_deform_conv2d) {
            continue;
        }
        fold_scale(g, deform);
        int po = g->values[deform->in[1]].producer, pm = g->values[deform->in[2]].producer;
        bool plain = po >= 0 && pm >= 0 && po != pm && g->values[deform->in[1]].alias_of < 0 &&
                     g->values[deform->in[2]].alias_of < 0;
        if (plain && g->nodes[po].op == MB_OP_conv2d && g->nodes[pm].op == MB_OP_conv2d) {
            merge(g, deform, &g->nodes[po], &g->nodes[pm]);
        }
    }
    return mb_graph_status(g, err);
}
