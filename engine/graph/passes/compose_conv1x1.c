/* A convolution followed by a 1x1 convolution without an activation between is one convolution: D4, D5 of
 * docs/models/birefnet.md.
 *
 *   W'[o] = sum_m V[o,m] W[m],   b'[o] = c[o] + sum_m V[o,m] b[m]        (in double, rounded once)
 *
 * Done when it saves work. Zero padding is no obstacle: it is at the input of the first. */
#include "graph/passes/passes.h"

static bool composable(mb_graph *g, const mb_node *inner, const mb_conv_view *a, const mb_conv_view *b)
{
    double before = (double)a->kh * (double)a->kw * (double)a->in * (double)a->out + (double)b->in * (double)b->out;
    double after = (double)a->kh * (double)a->kw * (double)a->in * (double)b->out;
    return inner->attrs.conv2d.act == MB_ACT_NONE && !(inner->n_in > 3 && inner->in[3] >= 0) && after < before &&
           g->error.code == MB_OK;
}

static void compose(mb_graph *g, mb_node *inner, int outer_index)
{
    mb_node *outer = &g->nodes[outer_index];
    mb_conv_view a, b;
    if (!mb_conv_read(g, inner, &a) || !mb_conv_read(g, outer, &b) || !composable(g, inner, &a, &b)) {
        return;
    }
    int64_t dims[4] = {b.out, a.in, a.kh, a.kw}, vector[4] = {b.out, 1, 1, 1}, taps = a.in * a.kh * a.kw;
    int used[] = {inner->in[1], inner->n_in > 2 ? inner->in[2] : MB_NONE, outer->in[1],
                  outer->n_in > 2 ? outer->in[2] : MB_NONE};
    float *w, *bias;
    int w_id = mb_graph_constant(g, outer->name, dims, mb_graph_key(g, "compose_conv1x1 weight", used, 4), &w);
    int b_id = mb_graph_constant(g, outer->name, vector, mb_graph_key(g, "compose_conv1x1 bias", used, 4), &bias);
    if (w_id < 0 || b_id < 0) {
        return;
    }
    for (int64_t o = 0; o < b.out; o++) {
        double sum = b.bias != NULL ? (double)b.bias[o] : 0.0;
        for (int64_t m = 0; m < a.out && a.bias != NULL; m++) {
            sum += (double)b.weight[o * b.in + m] * (double)a.bias[m];
        }
        bias[o] = (float)sum;
        for (int64_t t = 0; t < taps; t++) {
            sum = 0;
            for (int64_t m = 0; m < a.out; m++) {
                sum += (double)b.weight[o * b.in + m] * (double)a.weight[m * taps + t];
            }
            w[o * taps + t] = (float)sum;
        }
    }
    mb_activation act = outer->attrs.conv2d.act;
    outer->attrs = inner->attrs;
    outer->attrs.conv2d.act = act;
    outer->in[0] = inner->in[0];
    outer->in[1] = w_id;
    outer->in[2] = b_id;
    outer->n_in = outer->n_in > 3 ? outer->n_in : 3;
    inner->removed = true;
}

mb_status mb_pass_compose_conv1x1(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *outer = &g->nodes[i];
        if (!outer->removed && outer->op == MB_OP_conv2d && mb_conv_is_1x1(g, outer)) {
            mb_node *inner = mb_graph_sole_producer(g, outer->in[0], MB_OP_conv2d);
            if (inner != NULL) {
                compose(g, inner, i);
            }
        }
    }
    return mb_graph_status(g, err);
}
