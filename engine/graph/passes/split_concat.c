/* A 1x1 convolution of a concatenation, one part of which is an enlarged map, becomes a sum: D4 and D8 of
 * docs/models/birefnet.md, first half.
 *
 *   conv1x1(cat(.., up(y), ..)) = conv1x1(cat(.., ..)) + conv1x1_slice(up(y))
 *
 * so that sink_conv1x1 can move the slice in front of the enlargement. Only where that pays: the convolution has fewer
 * outputs than y has channels. */
#include "graph/passes/passes.h"

#include <string.h>

/* The part of the concatenation that is worth taking out; -1: none. */
static int part_to_split(mb_graph *g, const mb_node *cat, int64_t outputs)
{
    for (int i = 0; cat->n_in > 1 && i < cat->n_in; i++) {
        const mb_node *up = mb_graph_sole_producer(g, cat->in[i], MB_OP_resize_bilinear);
        if (up == NULL || (up->n_in > 1 && up->in[1] >= 0)) {
            continue;
        }
        const int64_t *from = g->values[up->in[0]].dims, *to = g->values[up->out].dims;
        if (from[2] * from[3] < to[2] * to[3] && outputs < from[1]) {
            return i;
        }
    }
    return -1;
}

/* Columns [at0, at1) of an [O,I] matrix. */
static void fill_inside(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t width = d->at[1] - d->at[0], total = d->in_dims[0][1];
    for (int64_t o = begin; o < end; o++) {
        memcpy(out + o * width, d->in[0] + o * total + d->at[0], (size_t)width * sizeof *out);
    }
}

/* All but them. */
static void fill_rest(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t total = d->in_dims[0][1];
    for (int64_t o = begin; o < end; o++) {
        const float *row = d->in[0] + o * total;
        float *to = out + o * d->dims[1];
        memcpy(to, row, (size_t)d->at[0] * sizeof *out);
        memcpy(to + d->at[0], row + d->at[1], (size_t)(total - d->at[1]) * sizeof *out);
    }
}

/* The weight [O,I,1,1] for the part (inside) or for the rest of the concatenation; range: its input channels. */
static int take_columns(mb_graph *g, const mb_node *conv, const int64_t range[2], bool inside)
{
    const mb_derivation how = {.how = inside ? "split_concat part" : "split_concat rest",
                               .fill = inside ? fill_inside : fill_rest,
                               .from = {conv->in[1]},
                               .n_from = 1,
                               .at = {range[0], range[1]}};
    const int64_t *d = g->values[conv->in[1]].dims;
    int64_t width = range[1] - range[0], dims[4] = {d[0], inside ? width : d[1] - width, 1, 1};
    return mb_graph_derive(g, conv->name, dims, &how);
}

/* The part gets a convolution of its own, before this one, which takes that as its addend and reads the rest. */
static bool split(mb_graph *g, int conv_index)
{
    mb_node conv = g->nodes[conv_index];
    if (!mb_conv_is_1x1(g, &conv) || (conv.n_in > 3 && conv.in[3] >= 0)) {
        return false;
    }
    mb_node *cat = mb_graph_sole_producer(g, conv.in[0], MB_OP_concat);
    int part = cat != NULL ? part_to_split(g, cat, g->values[conv.in[1]].dims[0]) : -1;
    if (part < 0) {
        return false;
    }
    int cat_index = (int)(cat - g->nodes), parts[MB_MAX_INPUTS], n = 0;
    int64_t range[2] = {0, 0};
    for (int i = 0; i < cat->n_in; i++) {
        if (i < part) {
            range[0] += g->values[cat->in[i]].dims[1];
        }
        if (i != part) {
            parts[n++] = cat->in[i];
        }
    }
    range[1] = range[0] + g->values[cat->in[part]].dims[1];
    int inside = take_columns(g, &conv, range, true), rest = take_columns(g, &conv, range, false);
    mb_attrs none = {.bytes = {0}};
    const char *name = mb_graph_text(g, "%s.part", conv.name), *cat_name = cat->name;
    double at = conv.position - 0.25;
    int addend = mb_graph_node(g, MB_OP_conv2d, name, &conv.attrs, (int[]){cat->in[part], inside}, 2, at);
    int x = n == 1 ? parts[0] : mb_graph_node(g, MB_OP_concat, cat_name, &none, parts, n, g->nodes[cat_index].position);
    if (addend < 0 || x < 0) {
        return false;
    }
    mb_node *node = &g->nodes[conv_index]; /* the array may have moved */
    node->in[0] = x;
    node->in[1] = rest;
    for (int i = node->n_in; i < 3; i++) {
        node->in[i] = MB_NONE;
    }
    node->in[3] = addend;
    node->n_in = 4;
    mb_graph_remove(g, cat_index);
    return true;
}

/* Convolutions that it adds are not looked at again: their input is no concatenation. */
mb_status mb_pass_split_concat(mb_graph *g, mb_error *err)
{
    for (int i = 0, n = g->n_nodes; i < n; i++) {
        if (!g->nodes[i].removed && g->nodes[i].op == MB_OP_conv2d) {
            (void)split(g, i);
        }
    }
    return mb_graph_status(g, err);
}
