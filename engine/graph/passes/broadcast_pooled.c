/* The pooled branch stays a vector: a 1x1 map resized to the size of a convolution's output, as that convolution's
 * addend, is the addend [N,O,1,1] itself. D8 of docs/models/birefnet.md. */
#include "graph/passes/passes.h"

/* A map of one pixel enlarged is the same value everywhere. */
mb_status mb_pass_broadcast_pooled(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *conv = &g->nodes[i];
        if (conv->removed || conv->op != MB_OP_conv2d || conv->n_in < 4 || conv->in[3] < 0) {
            continue;
        }
        mb_node *up = mb_graph_sole_producer(g, conv->in[3], MB_OP_resize_bilinear);
        if (up == NULL || (up->n_in > 1 && up->in[1] >= 0)) {
            continue;
        }
        const int64_t *from = g->values[up->in[0]].dims;
        if (from[2] == 1 && from[3] == 1) {
            conv->in[3] = up->in[0];
            mb_graph_remove(g, (int)(up - g->nodes));
        }
    }
    return mb_graph_status(g, err);
}
