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

static void scale_rows(float *dst, const float *src, const double *scale, int64_t rows, int64_t columns)
{
    for (int64_t o = 0; o < rows; o++) {
        for (int64_t i = 0; i < columns; i++) {
            dst[o * columns + i] = (float)(scale[o] * (double)src[o * columns + i]);
        }
    }
}

#define MAX_CHANNELS 8192

static void fold(mb_graph *g, int bn_index, int conv_index)
{
    int weight, bias;
    mb_node *bn = &g->nodes[bn_index], *conv = &g->nodes[conv_index];
    if (!slots(conv, &weight, &bias) || !mb_graph_is_constant(g, conv->in[weight])) {
        return;
    }
    const int64_t *d = g->values[conv->in[weight]].dims;
    int64_t dims[4] = {d[0], d[1], d[2], d[3]}, vector[4] = {d[0], 1, 1, 1};
    const float *p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = mb_graph_floats(g, bn->in[i + 1]);
    }
    int old_bias = conv->n_in > bias ? conv->in[bias] : MB_NONE;
    const float *w = mb_graph_floats(g, conv->in[weight]);
    const float *b = old_bias >= 0 ? mb_graph_floats(g, old_bias) : NULL;
    float *new_w, *new_b;
    int used[] = {conv->in[weight], old_bias, bn->in[1], bn->in[2], bn->in[3], bn->in[4]};
    int w_id = mb_graph_constant(g, conv->name, dims, mb_graph_key(g, "fold_batchnorm weight", used, 6), &new_w);
    int b_id = mb_graph_constant(g, conv->name, vector, mb_graph_key(g, "fold_batchnorm bias", used, 6), &new_b);
    if (g->error.code != MB_OK || dims[0] > MAX_CHANNELS) {
        return;
    }
    double scale[MAX_CHANNELS];
    for (int64_t o = 0; o < dims[0]; o++) {
        scale[o] = (double)p[0][o] / sqrt((double)p[3][o] + (double)bn->attrs.norm.eps);
        double shifted = (b != NULL ? (double)b[o] : 0.0) - (double)p[2][o];
        new_b[o] = (float)(shifted * scale[o] + (double)p[1][o]);
    }
    scale_rows(new_w, w, scale, dims[0], dims[1] * dims[2] * dims[3]);
    conv->in[weight] = w_id;
    conv->in[bias] = b_id;
    conv->n_in = conv->n_in > bias ? conv->n_in : bias + 1;
    mb_graph_adopt(g, conv, bn->out);
    mb_graph_remove(g, bn_index);
}

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
