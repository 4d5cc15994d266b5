/* A 1x1 convolution moves in front of the bilinear resize that feeds it, where it then works on fewer values: D4 of
 * docs/models/birefnet.md, second half.
 *
 *   conv1x1(up(y)) = up(conv1x1(y))      exact: the weights of a resize sum to one, so the bias survives
 *
 * Only when the resize enlarges, or the convolution reduces channels by more than the resize reduces pixels. */
#include "graph/passes/passes.h"

/* The convolution then works on no more pixels, and the resize on no more channels. */
static bool pays(const mb_graph *g, const mb_node *up, int64_t outputs)
{
    const int64_t *from = g->values[up->in[0]].dims, *to = g->values[up->out].dims;
    return from[2] * from[3] <= to[2] * to[3] && outputs <= from[1];
}

mb_status mb_pass_sink_conv1x1(mb_graph *g, mb_error *err)
{
    for (int i = 0, n = g->n_nodes; i < n; i++) {
        mb_node *conv = &g->nodes[i];
        if (conv->removed || !mb_conv_is_1x1(g, conv) || conv->attrs.conv2d.act != MB_ACT_NONE ||
            (conv->n_in > 3 && conv->in[3] >= 0)) {
            continue;
        }
        mb_node *up = mb_graph_sole_producer(g, conv->in[0], MB_OP_resize_bilinear);
        if (up == NULL || (up->n_in > 1 && up->in[1] >= 0) || !pays(g, up, g->values[conv->in[1]].dims[0])) {
            continue;
        }
        /* the convolution takes the resize's input, the resize takes the convolution's output value */
        int small_in[] = {up->in[0], conv->in[1], conv->n_in > 2 ? conv->in[2] : MB_NONE};
        int out = conv->out, up_index = (int)(up - g->nodes);
        int small = mb_graph_node(g, MB_OP_conv2d, conv->name, &conv->attrs, small_in, 3, up->position - 0.25);
        if (small < 0) {
            break;
        }
        up = &g->nodes[up_index]; /* the array may have moved */
        up->in[0] = small;
        mb_graph_adopt(g, up, out);
        mb_graph_remove(g, i);
    }
    return mb_graph_status(g, err);
}
