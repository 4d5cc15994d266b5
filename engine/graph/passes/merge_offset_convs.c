/* The offset and the modulator convolution of a deformable convolution read the same map: one convolution with
 * 3*k*k outputs, of which both are slices; the modulator's factor moves into the deformable weights. D3 of
 * docs/models/birefnet.md. Where a back end asks for it (graph.h: output_multiple) there are more outputs, all zero,
 * that nobody reads: 147 of a 7x7 become 152, and libraries need not pad inside. */
#include "graph/passes/passes.h"

#include <string.h>

/* One convolution can do both: same input, geometry and activation, nothing added. */
static bool same_form(const mb_node *a, const mb_node *b, const mb_conv_view *va, const mb_conv_view *vb)
{
    return a->in[0] == b->in[0] && a->attrs.conv2d.stride == b->attrs.conv2d.stride &&
           a->attrs.conv2d.pad == b->attrs.conv2d.pad && a->attrs.conv2d.act == b->attrs.conv2d.act &&
           va->in == vb->in && va->kh == vb->kh && va->kw == vb->kw && !(a->n_in > 3 && a->in[3] >= 0) &&
           !(b->n_in > 3 && b->in[3] >= 0);
}

/* Rows of the first constant, then of the second; zeros for one that is absent, and behind. at: rows of each. */
static void fill_joined(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    size_t row = (size_t)(d->dims[1] * d->dims[2] * d->dims[3]);
    for (int64_t o = begin; o < end; o++) {
        const float *from = o < d->at[0] ? d->in[0] : (o < d->at[0] + d->at[1] ? d->in[1] : NULL);
        float *to = out + (size_t)o * row;
        if (from != NULL) {
            memcpy(to, from + (size_t)(o < d->at[0] ? o : o - d->at[0]) * row, row * sizeof *to);
        } else {
            memset(to, 0, row * sizeof *to);
        }
    }
}

/* A constant of the rows of a, then of b (`dims` may have more: zeros). */
static int join(mb_graph *g, const mb_node *n, const int64_t dims[4], int a, int b, const int64_t rows[2])
{
    const mb_derivation how = {
        .how = "merge_offset_convs", .fill = fill_joined, .from = {a, b}, .n_from = 2, .at = {rows[0], rows[1]}};
    return mb_graph_derive(g, n->name, dims, &how);
}

/* The joined convolution [3*k*k outputs] takes the place of both; offset and modulator become slices of its output,
 * at channels 0 and 2*k*k. */
static void merge(mb_graph *g, mb_node *deform, mb_node *off, mb_node *mod)
{
    mb_conv_view a, b;
    if (!mb_conv_read(g, off, &a) || !mb_conv_read(g, mod, &b) || !same_form(off, mod, &a, &b)) {
        return;
    }
    const int64_t step = g->output_multiple > 1 ? g->output_multiple : 1, rows[2] = {a.out, b.out};
    const int64_t outputs = (a.out + b.out + step - 1) / step * step;
    int64_t dims[4] = {outputs, a.in, a.kh, a.kw}, vector[4] = {outputs, 1, 1, 1};
    int w_id = join(g, off, dims, a.weight, b.weight, rows), b_id = join(g, off, vector, a.bias, b.bias, rows);
    if (w_id < 0 || b_id < 0) {
        return;
    }
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

static void fill_scaled(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t row = d->dims[1] * d->dims[2] * d->dims[3];
    for (int64_t i = begin * row; i < end * row; i++) {
        out[i] = d->in[0][i] * (float)d->number; /* 2: exact */
    }
}

/* The factor of the modulator goes into the weights of the deformable convolution. */
static void fold_scale(mb_graph *g, mb_node *deform)
{
    float scale = deform->attrs.deform_conv2d.modulator_scale;
    if (scale == 1.0f || !mb_graph_is_constant(g, deform->in[3])) {
        return;
    }
    const mb_derivation how = {.how = "merge_offset_convs scale",
                               .fill = fill_scaled,
                               .from = {deform->in[3]},
                               .n_from = 1,
                               .number = (double)scale};
    int64_t d[4];
    memcpy(d, g->values[deform->in[3]].dims, sizeof d);
    int id = mb_graph_derive(g, deform->name, d, &how);
    if (id >= 0) {
        deform->in[3] = id;
        deform->attrs.deform_conv2d.modulator_scale = 1.0f;
    }
}

/* Every deformable convolution whose offset and modulator come from two plain convolutions. */
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
