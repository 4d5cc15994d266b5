/* Convolutions as several passes read them. */
#include "graph/passes/passes.h"

/* The facts of a convolution node; false if it is none, or its weight is no constant. */
bool mb_conv_read(const mb_graph *g, const mb_node *n, mb_conv_view *v)
{
    int bias = mb_node_input(n, 2);
    if (n->op != MB_OP_conv2d || n->attrs.conv2d.border_variants || !mb_graph_is_constant(g, n->in[1]) ||
        (bias >= 0 && !mb_graph_is_constant(g, bias))) {
        return false;
    }
    const int64_t *d = g->values[n->in[1]].dims;
    *v = (mb_conv_view){n->in[1], bias, d[0], d[1], d[2], d[3]};
    return true;
}

/* 1x1, stride 1, no padding: a product for every pixel. */
bool mb_conv_is_1x1(const mb_graph *g, const mb_node *n)
{
    if (n->op != MB_OP_conv2d || n->attrs.conv2d.border_variants || !mb_graph_is_constant(g, n->in[1])) {
        return false;
    }
    const int64_t *d = g->values[n->in[1]].dims;
    return d[2] == 1 && d[3] == 1 && n->attrs.conv2d.stride == 1 && n->attrs.conv2d.pad == 0;
}
