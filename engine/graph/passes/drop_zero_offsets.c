/* A deformable convolution whose offsets and modulators are always zero is a plain convolution: every modulator is then
 * scale * sigmoid(0) = scale / 2, which is 1 for the scale 2 of BiRefNet. Models trained with frozen zero offsets (the
 * small default model) run at the speed of plain convolutions this way. */
#include "graph/passes/passes.h"

#include <string.h>

/* Reads the contents, up to the first that is not zero. */
static bool all_zero(mb_graph *g, int value)
{
    const float *v = mb_graph_floats(g, value, NULL);
    const int64_t *d = g->values[value].dims;
    int64_t n = v != NULL ? d[0] * d[1] * d[2] * d[3] : 0;
    for (int64_t i = 0; i < n; i++) {
        if (v[i] != 0.0f) { /* -0 is zero too */
            return false;
        }
    }
    return v != NULL;
}

/* Is this the output of a convolution with weight and bias zero? */
static bool zero_conv(mb_graph *g, int value)
{
    int producer = g->values[value].producer;
    mb_conv_view v;
    if (producer < 0 || g->nodes[producer].removed || !mb_conv_read(g, &g->nodes[producer], &v) ||
        g->nodes[producer].attrs.conv2d.act != MB_ACT_NONE ||
        (g->nodes[producer].n_in > 3 && g->nodes[producer].in[3] >= 0)) {
        return false;
    }
    return all_zero(g, v.weight) && (v.bias < 0 || all_zero(g, v.bias));
}

mb_status mb_pass_drop_zero_offsets(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *n = &g->nodes[i];
        if (n->removed || n->op != MB_OP_deform_conv2d || n->attrs.deform_conv2d.modulator_scale != 2.0f ||
            !mb_graph_is_constant(g, n->in[3]) || !zero_conv(g, n->in[1]) || !zero_conv(g, n->in[2])) {
            continue;
        }
        mb_attrs a;
        memset(&a, 0, sizeof a);
        a.conv2d.stride = 1;
        a.conv2d.pad = n->attrs.deform_conv2d.pad;
        a.conv2d.act = n->attrs.deform_conv2d.act;
        n->op = MB_OP_conv2d;
        n->attrs = a;
        n->in[1] = n->in[3];
        n->in[2] = n->n_in > 4 ? n->in[4] : MB_NONE;
        n->n_in = 3;
    }
    return mb_pass_drop_dead(g, err); /* the offset convolutions have lost their reader */
}
