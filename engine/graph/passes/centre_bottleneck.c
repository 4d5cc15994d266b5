/* A layer norm behind a convolution does not need the mean if the convolution's outputs sum to zero over the channels:
 * C1 of docs/models/vitmatte.md.
 *
 *   W'[o] = W[o] - mean_o W,   b'[o] = b[o] - mean_o b
 *
 * The norm subtracts that mean anyway, so the result is the same. */
#include "graph/passes/passes.h"

#include <string.h>

/* A weight or bias [O,...] minus its mean over O. */
static void fill_centred(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t row = d->dims[1] * d->dims[2] * d->dims[3];
    const float *in = d->in[0];
    for (int64_t i = 0; i < row; i++) {
        double mean = 0;
        for (int64_t o = begin; o < end; o++) {
            mean += (double)in[o * row + i];
        }
        mean /= (double)(end - begin);
        for (int64_t o = begin; o < end; o++) {
            out[o * row + i] = (float)((double)in[o * row + i] - mean);
        }
    }
}

static int centred(mb_graph *g, int value)
{
    const mb_derivation how = {
        .how = "centre_bottleneck", .fill = fill_centred, .from = {value}, .n_from = 1, .whole = true};
    int64_t d[4];
    memcpy(d, g->values[value].dims, sizeof d);
    return mb_graph_derive(g, g->values[value].name, d, &how);
}

mb_status mb_pass_centre_bottleneck(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *norm = &g->nodes[i];
        if (norm->removed || norm->op != MB_OP_layer_norm || norm->attrs.layer_norm.zero_mean) {
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
        norm->attrs.layer_norm.zero_mean = true;
    }
    return mb_graph_status(g, err);
}
