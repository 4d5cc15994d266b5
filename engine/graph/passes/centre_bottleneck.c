/* A layer norm behind a convolution does not need the mean if the convolution's outputs sum to zero over the channels:
 * C1 of docs/models/vitmatte.md.
 *
 *   W'[o] = W[o] - mean_o W,   b'[o] = b[o] - mean_o b
 *
 * The norm subtracts that mean anyway, so the result is the same. */
#include "graph/passes/passes.h"

#include <string.h>

/* A copy of a weight or bias [O,...] minus its mean over O. */
static int centred(mb_graph *g, int value)
{
    int64_t d[4];
    float *out;
    const float *in = mb_graph_floats(g, value);
    memcpy(d, g->values[value].dims, sizeof d);
    int id = mb_graph_constant(g, g->values[value].name, d, mb_graph_key(g, "centre_bottleneck", &value, 1), &out);
    int64_t row = d[1] * d[2] * d[3];
    for (int64_t i = 0; id >= 0 && in != NULL && i < row; i++) {
        double mean = 0;
        for (int64_t o = 0; o < d[0]; o++) {
            mean += (double)in[o * row + i];
        }
        mean /= (double)d[0];
        for (int64_t o = 0; o < d[0]; o++) {
            out[o * row + i] = (float)((double)in[o * row + i] - mean);
        }
    }
    return id;
}

mb_status mb_pass_centre_bottleneck(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *norm = &g->nodes[i];
        if (norm->removed || norm->op != MB_OP_layer_norm || norm->attrs.norm.zero_mean) {
            continue;
        }
        mb_node *conv = mb_graph_sole_producer(g, norm->in[0], MB_OP_conv2d);
        mb_conv_view v;
        if (conv == NULL || !mb_conv_read(g, conv, &v) || conv->attrs.conv2d.act != MB_ACT_NONE ||
            (conv->n_in > 3 && conv->in[3] >= 0)) {
            continue;
        }
        conv->in[1] = centred(g, conv->in[1]);
        if (conv->n_in > 2 && conv->in[2] >= 0) {
            conv->in[2] = centred(g, conv->in[2]);
        }
        norm->attrs.norm.zero_mean = true;
    }
    return mb_graph_status(g, err);
}
