/* VITMatte's fusion without the concatenation and the enlarged map: F1 of docs/models/vitmatte.md.
 *
 *   conv3x3(cat(D, up(F))) = conv3x3_D(D) + conv3x3_F(up(F))
 *
 * for `up` exactly twice, half-pixel centres. The second term is the op upsample_conv2d, which does its products at the
 * small size (a quarter of the pixels); the first becomes its addend. */
#include "graph/passes/passes.h"

#include <string.h>

/* Some input channels of all outputs: rows of n * 9 out of rows of all * 9. */
static void fill_inputs(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t n = d->dims[1] * 9, total = d->in_dims[0][1] * 9;
    for (int64_t o = begin; o < end; o++) {
        memcpy(out + o * n, d->in[0] + o * total + d->at[0] * 9, (size_t)n * sizeof *out);
    }
}

/* Input channels [begin, begin+n) of an [O,I,3,3] weight. */
static int take_inputs(mb_graph *g, const mb_node *conv, int64_t begin, int64_t n)
{
    const mb_derivation how = {
        .how = "split_upsampled", .fill = fill_inputs, .from = {conv->in[1]}, .n_from = 1, .at = {begin}};
    int64_t outputs = g->values[conv->in[1]].dims[0];
    return mb_graph_derive(g, conv->name, (int64_t[]){outputs, n, 3, 3}, &how);
}

/* concat(D, up(F)) with `up` twice and read by nothing else; else false. */
static bool is_fusion(mb_graph *g, const mb_node *conv, const mb_node **cat, const mb_node **up)
{
    mb_conv_view v;
    if (!mb_conv_read(g, conv, &v) || v.kh != 3 || v.kw != 3 || conv->attrs.conv2d.stride != 1 ||
        conv->attrs.conv2d.pad != 1 || (conv->n_in > 3 && conv->in[3] >= 0)) {
        return false;
    }
    *cat = mb_graph_sole_producer(g, conv->in[0], MB_OP_concat);
    *up = *cat != NULL && (*cat)->n_in == 2 ? mb_graph_sole_producer(g, (*cat)->in[1], MB_OP_resize_bilinear) : NULL;
    if (*up == NULL || ((*up)->n_in > 1 && (*up)->in[1] >= 0) || (*up)->attrs.resize_bilinear.align_corners) {
        return false;
    }
    const int64_t *from = g->values[(*up)->in[0]].dims, *to = g->values[(*up)->out].dims;
    return to[2] == 2 * from[2] && to[3] == 2 * from[3];
}

/* Two nodes for three: the convolution of the detail map, whose output is the addend of the enlarging one. */
static void split(mb_graph *g, int conv_index)
{
    mb_node conv = g->nodes[conv_index];
    const mb_node *cat, *up;
    if (!is_fusion(g, &conv, &cat, &up)) {
        return;
    }
    int detail = cat->in[0], features = up->in[0];
    int cat_index = (int)(cat - g->nodes), up_index = (int)(up - g->nodes);
    int64_t nd = g->values[detail].dims[1], nf = g->values[features].dims[1];
    int wd = take_inputs(g, &conv, 0, nd);
    int wf = take_inputs(g, &conv, nd, nf);
    mb_attrs plain = conv.attrs, fused;
    memset(&fused, 0, sizeof fused);
    fused.upsample_conv2d.act = conv.attrs.conv2d.act;
    plain.conv2d.act = MB_ACT_NONE;
    const char *name = mb_graph_text(g, "%s.detail", conv.name);
    int addend = mb_graph_node(g, MB_OP_conv2d, name, &plain, (int[]){detail, wd}, 2, conv.position - 0.25);
    int in[] = {features, wf, conv.n_in > 2 ? conv.in[2] : MB_NONE, addend};
    int out = mb_graph_node(g, MB_OP_upsample_conv2d, conv.name, &fused, in, 4, conv.position);
    if (out < 0) {
        return;
    }
    mb_graph_adopt(g, &g->nodes[g->n_nodes - 1], conv.out);
    mb_graph_remove(g, conv_index);
    mb_graph_remove(g, cat_index);
    mb_graph_remove(g, up_index);
}

mb_status mb_pass_split_upsampled(mb_graph *g, mb_error *err)
{
    for (int i = 0, n = g->n_nodes; i < n; i++) {
        if (!g->nodes[i].removed && g->nodes[i].op == MB_OP_conv2d) {
            split(g, i);
        }
    }
    return mb_graph_status(g, err);
}
