/* A convolution followed by a 1x1 convolution without an activation between is one convolution: D4, D5 of
 * docs/models/birefnet.md.
 *
 *   W'[o] = sum_m V[o,m] W[m],   b'[o] = c[o] + sum_m V[o,m] b[m]        (in double, rounded once)
 *
 * Done when it saves work. Zero padding is no obstacle: it is at the input of the first. */
#include "graph/passes/passes.h"

#define TAPS 64 /* at a time: their sums stay in L1 */

/* W2 W1: [out, middle] times [middle, in * taps], sums in f64, rounded once. */
static void fill_weight(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    const float *outer = d->in[0], *inner = d->in[1];
    int64_t taps = d->dims[1] * d->dims[2] * d->dims[3], middle = d->in_dims[1][0];
    for (int64_t o = begin; o < end; o++) {
        for (int64_t first = 0; first < taps; first += TAPS) {
            double sum[TAPS] = {0};
            int64_t n = taps - first < TAPS ? taps - first : TAPS;
            for (int64_t m = 0; m < middle; m++) {
                double k = (double)outer[o * middle + m];
                for (int64_t t = 0; t < n; t++) {
                    sum[t] += k * (double)inner[m * taps + first + t];
                }
            }
            for (int64_t t = 0; t < n; t++) {
                out[o * taps + first + t] = (float)sum[t];
            }
        }
    }
}

/* b2 + W2 b1, [out]. */
static void fill_bias(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    const float *outer = d->in[0], *outer_bias = d->in[1], *inner_bias = d->in[2];
    int64_t middle = d->in_dims[0][1];
    for (int64_t o = begin; o < end; o++) {
        double sum = outer_bias != NULL ? (double)outer_bias[o] : 0.0;
        for (int64_t m = 0; m < middle && inner_bias != NULL; m++) {
            sum += (double)outer[o * middle + m] * (double)inner_bias[m];
        }
        out[o] = (float)sum;
    }
}

static bool composable(const mb_graph *g, const mb_node *inner, const mb_conv_view *a, const mb_conv_view *b)
{
    double before = (double)a->kh * (double)a->kw * (double)a->in * (double)a->out + (double)b->in * (double)b->out;
    double after = (double)a->kh * (double)a->kw * (double)a->in * (double)b->out;
    return inner->attrs.conv2d.act == MB_ACT_NONE && mb_node_input(inner, 3) < 0 && after < before &&
           g->error.code == MB_OK;
}

/* The outer node takes over the inner one's input, kernel and padding, with the weights of both; the inner one goes. */
static void compose(mb_graph *g, mb_node *inner, int outer_index)
{
    mb_node *outer = &g->nodes[outer_index];
    mb_conv_view a, b;
    if (!mb_conv_read(g, inner, &a) || !mb_conv_read(g, outer, &b) || !composable(g, inner, &a, &b)) {
        return;
    }
    int64_t dims[4] = {b.out, a.in, a.kh, a.kw}, vector[4] = {b.out, 1, 1, 1};
    const mb_derivation weight = {
        .how = "compose_conv1x1 weight", .fill = fill_weight, .from = {b.weight, a.weight}, .n_from = 2};
    const mb_derivation bias = {
        .how = "compose_conv1x1 bias", .fill = fill_bias, .from = {b.weight, b.bias, a.bias}, .n_from = 3};
    int w_id = mb_graph_derive(g, outer->name, dims, &weight), b_id = mb_graph_derive(g, outer->name, vector, &bias);
    if (w_id < 0 || b_id < 0) {
        return;
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

/* Every 1x1 convolution whose input another one makes for it alone, with no activation between. */
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
