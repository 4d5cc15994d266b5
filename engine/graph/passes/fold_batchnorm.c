/* A batch norm after a convolution (plain or deformable) joins it. D1, B1, B2 of docs/models.
 *
 *   s = gamma / sqrt(var + eps),   W' = s W,   b' = (b - mean) s + beta      (in double, rounded once)
 *
 * Holds when nothing else reads the convolution's output and it has no activation or addend yet. */
#include "graph/passes/passes.h"

#include <math.h>

/* Inputs of the convolution: its weight and where its bias goes. */
static bool slots(const mb_node *n, int *weight, int *bias)
{
    *weight = n->op == MB_OP_deform_conv2d ? 3 : 1;
    *bias = *weight + 1;
    bool plain = n->op == MB_OP_conv2d ? n->attrs.conv2d.act == MB_ACT_NONE && !n->attrs.conv2d.border_variants
                                       : n->attrs.deform_conv2d.act == MB_ACT_NONE;
    return plain && !(n->n_in > *bias + 1 && n->in[*bias + 1] >= 0);
}

/* The constants of a derivation. */
enum { WEIGHT, BIAS, GAMMA, BETA, MEAN, VARIANCE };

static double scale_of(const mb_derived *d, int64_t o)
{
    return (double)d->in[GAMMA][o] / sqrt((double)d->in[VARIANCE][o] + d->number);
}

static void fill_weight(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t columns = d->dims[1] * d->dims[2] * d->dims[3];
    for (int64_t o = begin; o < end; o++) {
        double scale = scale_of(d, o);
        for (int64_t i = 0; i < columns; i++) {
            out[o * columns + i] = (float)(scale * (double)d->in[WEIGHT][o * columns + i]);
        }
    }
}

static void fill_bias(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    for (int64_t o = begin; o < end; o++) {
        double shifted = (d->in[BIAS] != NULL ? (double)d->in[BIAS][o] : 0.0) - (double)d->in[MEAN][o];
        out[o] = (float)(shifted * scale_of(d, o) + (double)d->in[BETA][o]);
    }
}

/* Batch norm is a factor and a shift per channel: both go into the convolution before it. */
static void fold(mb_graph *g, int bn_index, int conv_index)
{
    int weight, bias;
    mb_node *bn = &g->nodes[bn_index], *conv = &g->nodes[conv_index];
    if (!slots(conv, &weight, &bias) || !mb_graph_is_constant(g, conv->in[weight])) {
        return;
    }
    int old_bias = mb_node_input(conv, bias);
    if (old_bias >= 0 && !mb_graph_is_constant(g, old_bias)) {
        return;
    }
    const int64_t *d = g->values[conv->in[weight]].dims;
    int64_t dims[4] = {d[0], d[1], d[2], d[3]}, vector[4] = {d[0], 1, 1, 1};
    mb_derivation how = {.how = "fold_batchnorm weight",
                         .fill = fill_weight,
                         .from = {conv->in[weight], old_bias, bn->in[1], bn->in[2], bn->in[3], bn->in[4]},
                         .n_from = 6,
                         .number = (double)bn->attrs.batch_norm.eps};
    int w_id = mb_graph_derive(g, conv->name, dims, &how);
    how.how = "fold_batchnorm bias";
    how.fill = fill_bias;
    int b_id = mb_graph_derive(g, conv->name, vector, &how);
    if (w_id < 0 || b_id < 0) {
        return;
    }
    conv->in[weight] = w_id;
    conv->in[bias] = b_id;
    conv->n_in = conv->n_in > bias ? conv->n_in : bias + 1;
    mb_graph_adopt(g, conv, bn->out);
    mb_graph_remove(g, bn_index);
}

/* Every batch norm whose input a convolution makes for it alone. */
mb_status mb_pass_fold_batchnorm(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *bn = &g->nodes[i];
        if (bn->removed || bn->op != MB_OP_batch_norm) {
            continue;
        }
        mb_node *conv = mb_graph_sole_producer(g, bn->in[0], MB_OP_conv2d);
        if (conv == NULL) {
            conv = mb_graph_sole_producer(g, bn->in[0], MB_OP_deform_conv2d);
        }
        if (conv != NULL) {
            fold(g, i, (int)(conv - g->nodes));
        }
    }
    return mb_graph_status(g, err);
}
