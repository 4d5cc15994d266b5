/* Two zero-padded 3x3 convolutions (stride 1, no activation between) become one 5x5: D5 of docs/models/birefnet.md.
 *
 *   K[o,c,u+p,v+q] = sum_m B[o,m,u,v] A[m,c,p,q],     bias[o] = b[o] + sum over taps (u,v) in use, m: B[o,m,u,v] a[m]
 *
 * The second convolution sees zeros, not A's result, outside the map. For output pixels on the outermost ring the taps
 * (u,v) of B that fall outside are therefore left out: nine variants, rows (top, inner, bottom) x columns (left, inner,
 * right); see mb_conv2d_attrs.border_variants. Done when it saves at least half of the work, because the ring runs slowly,
 * and when a few pictures save what the variants cost to make, which they do not on small maps. */
#include "graph/passes/passes.h"

#include "core/target_clones.h"

enum { TAPS_OF_ALL = 9 + 4 * 6 + 4 * 4 }; /* that the variants see: inner, on the sides, in the corners */
enum { REPAID = 4 }; /* pictures that may go by until the products of making the weight are saved */

static bool is_3x3(const mb_graph *g, const mb_node *n, mb_conv_view *v)
{
    return mb_conv_read(g, n, v) && v->kh == 3 && v->kw == 3 && n->attrs.conv2d.stride == 1 && n->attrs.conv2d.pad == 1;
}

/* Is tap u of B inside the map for the variant r (0 first, 1 inner, 2 last row or column)? */
static bool inside(int u, int r)
{
    return !(r == 0 && u == 0) && !(r == 2 && u == 2);
}

/* The part of tap (u,v) of B that a variant sees; 0 where it lies outside the map. */
static double seen(const float *b, int tap, int variant)
{
    return inside(tap / 3, variant / 3) && inside(tap % 3, variant % 3) ? (double)b[tap] : 0.0;
}

enum { BLOCK = 16 }; /* input channels that are summed side by side */

/* sum [25][BLOCK] += k times the 3x3 filters a [9][BLOCK], moved by the tap. */
MB_CLONES static void add_tap(double sum[25][BLOCK], int tap, double k, double a[9][BLOCK])
{
    for (int t = 0; t < 9; t++) {
        double *to = sum[(tap / 3 + t / 3) * 5 + tap % 3 + t % 3];
        for (int i = 0; i < BLOCK; i++) {
            to[i] += k * a[t][i];
        }
    }
}

/* Row variant * O + o: one output channel of one variant. from: B, A. */
static void fill_weight(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    const int64_t outputs = d->in_dims[0][0], middle = d->in_dims[0][1], inputs = d->dims[1];
    for (int64_t c = 0; c < inputs; c += BLOCK) {
        const int n = (int)(inputs - c < BLOCK ? inputs - c : BLOCK);
        for (int64_t row = begin; row < end; row++) {
            const float *b = d->in[0] + row % outputs * middle * 9;
            double sum[25][BLOCK] = {{0}}, a[9][BLOCK] = {{0}};
            for (int64_t m = 0; m < middle; m++) {
                const float *from = d->in[1] + (m * inputs + c) * 9;
                for (int i = 0; i < n; i++) {
                    for (int t = 0; t < 9; t++) {
                        a[t][i] = (double)from[i * 9 + t];
                    }
                }
                for (int tap = 0; tap < 9; tap++) {
                    const double k = seen(b + m * 9, tap, (int)(row / outputs));
                    if (k != 0.0) {
                        add_tap(sum, tap, k, a);
                    }
                }
            }
            for (int i = 0; i < n * 25; i++) {
                out[(row * inputs + c) * 25 + i] = (float)sum[i % 25][i / 25];
            }
        }
    }
}

/* from: B, bias of B, bias of A. */
static void fill_bias(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t outputs = d->in_dims[0][0], middle = d->in_dims[0][1];
    for (int64_t row = begin; row < end; row++) {
        const float *b = d->in[0] + row % outputs * middle * 9;
        double total = d->in[1] != NULL ? (double)d->in[1][row % outputs] : 0.0;
        for (int64_t m = 0; m < middle && d->in[2] != NULL; m++) {
            for (int tap = 0; tap < 9; tap++) {
                total += seen(b + m * 9, tap, (int)(row / outputs)) * (double)d->in[2][m];
            }
        }
        out[row] = (float)total;
    }
}

/* Products of a picture of `area` pixels: those of the two convolutions and of the one. */
static bool pays(const mb_conv_view *a, const mb_conv_view *b, int64_t area)
{
    const int64_t two = 9 * a->out * (a->in + b->out), one = 25 * a->in * b->out;
    const int64_t made = TAPS_OF_ALL * 9 * a->in * a->out * b->out; /* in double precision, for all variants */
    return 2 * one <= two && made <= REPAID * (two - one) * area;
}

/* A and B become one node with nine variants of its weight, if that saves at least half of the products. */
static void compose(mb_graph *g, mb_node *inner, mb_node *outer)
{
    mb_conv_view a, b;
    const int64_t *size = g->values[outer->out].dims;
    if (!is_3x3(g, inner, &a) || !is_3x3(g, outer, &b) || inner->attrs.conv2d.act != MB_ACT_NONE ||
        mb_node_input(inner, 3) >= 0 || size[2] < 2 || size[3] < 2 || !pays(&a, &b, size[2] * size[3])) {
        return;
    }
    int64_t dims[4] = {9 * b.out, a.in, 5, 5}, vector[4] = {9 * b.out, 1, 1, 1};
    const mb_derivation weight = {
        .how = "compose_conv3x3 weight", .fill = fill_weight, .from = {b.weight, a.weight}, .n_from = 2};
    const mb_derivation bias = {
        .how = "compose_conv3x3 bias", .fill = fill_bias, .from = {b.weight, b.bias, a.bias}, .n_from = 3};
    int w_id = mb_graph_derive(g, outer->name, dims, &weight), b_id = mb_graph_derive(g, outer->name, vector, &bias);
    if (w_id < 0 || b_id < 0) {
        return;
    }
    outer->attrs.conv2d.pad = 2;
    outer->attrs.conv2d.border_variants = true;
    outer->in[0] = inner->in[0];
    outer->in[1] = w_id;
    outer->in[2] = b_id;
    outer->n_in = outer->n_in > 3 ? outer->n_in : 3;
    inner->removed = true;
}

/* Every pair of which the first is read by the second alone. */
mb_status mb_pass_compose_conv3x3(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *outer = &g->nodes[i];
        if (outer->removed || outer->op != MB_OP_conv2d) {
            continue;
        }
        mb_node *inner = mb_graph_sole_producer(g, outer->in[0], MB_OP_conv2d);
        if (inner != NULL) {
            compose(g, inner, outer);
        }
    }
    return mb_graph_status(g, err);
}
