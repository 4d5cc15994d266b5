/* Two zero-padded 3x3 convolutions (stride 1, no activation between) become one 5x5: D5 of docs/models/birefnet.md.
 *
 *   K[o,c,u+p,v+q] = sum_m B[o,m,u,v] A[m,c,p,q],     bias[o] = b[o] + sum over taps (u,v) in use, m: B[o,m,u,v] a[m]
 *
 * The second convolution sees zeros, not A's result, outside the map. For output pixels on the outermost ring the taps
 * (u,v) of B that fall outside are therefore left out: nine variants, rows (top, inner, bottom) x columns (left, inner,
 * right); see mb_conv2d_attrs.border_variants. Done when it saves at least half of the work: the variants cost time to
 * make, and the ring runs slowly. */
#include "graph/passes/passes.h"

#include "core/alloc.h"

static bool is_3x3(mb_graph *g, const mb_node *n, mb_conv_view *v)
{
    return mb_conv_read(g, n, v) && v->kh == 3 && v->kw == 3 && n->attrs.conv2d.stride == 1 && n->attrs.conv2d.pad == 1;
}

/* Is tap u of B inside the map for the variant r (0 first, 1 inner, 2 last row or column)? */
static bool inside(int u, int r)
{
    return !(r == 0 && u == 0) && !(r == 2 && u == 2);
}

/* One output channel of one variant; sum: scratch of in*25 doubles. */
static void compose_one(float *w, float *bias, double *sum, const mb_conv_view *a, const mb_conv_view *b, int64_t o,
                        int variant)
{
    double total = b->bias != NULL ? (double)b->bias[o] : 0.0;
    for (int64_t i = 0; i < a->in * 25; i++) {
        sum[i] = 0;
    }
    for (int64_t m = 0; m < a->out; m++) {
        for (int tap = 0; tap < 9; tap++) {
            int u = tap / 3, v = tap % 3;
            if (!inside(u, variant / 3) || !inside(v, variant % 3)) {
                continue;
            }
            double k = (double)b->weight[(o * b->in + m) * 9 + tap];
            total += a->bias != NULL ? k * (double)a->bias[m] : 0.0;
            for (int64_t c = 0; c < a->in; c++) {
                for (int t = 0; t < 9; t++) {
                    sum[(c * 5 + u + t / 3) * 5 + v + t % 3] += k * (double)a->weight[(m * a->in + c) * 9 + t];
                }
            }
        }
    }
    for (int64_t i = 0; i < a->in * 25; i++) {
        w[i] = (float)sum[i];
    }
    *bias = (float)total;
}

static void compose(mb_graph *g, mb_node *inner, mb_node *outer)
{
    mb_conv_view a, b;
    const int64_t *size = g->values[outer->out].dims;
    if (!is_3x3(g, inner, &a) || !is_3x3(g, outer, &b) || inner->attrs.conv2d.act != MB_ACT_NONE ||
        (inner->n_in > 3 && inner->in[3] >= 0) || size[2] < 2 || size[3] < 2 ||
        2 * 25 * a.in * b.out > 9 * a.in * a.out + 9 * b.in * b.out) {
        return;
    }
    int64_t dims[4] = {9 * b.out, a.in, 5, 5}, vector[4] = {9 * b.out, 1, 1, 1};
    int used[] = {inner->in[1], inner->n_in > 2 ? inner->in[2] : MB_NONE, outer->in[1],
                  outer->n_in > 2 ? outer->in[2] : MB_NONE};
    float *w, *bias;
    int w_id = mb_graph_constant(g, outer->name, dims, mb_graph_key(g, "compose_conv3x3 weight", used, 4), &w);
    int b_id = mb_graph_constant(g, outer->name, vector, mb_graph_key(g, "compose_conv3x3 bias", used, 4), &bias);
    double *sum = mb_alloc_array((size_t)a.in * 25, sizeof *sum);
    if (w_id < 0 || b_id < 0 || sum == NULL) {
        mb_graph_fail(g, MB_E_MEMORY, "not enough memory to compose two convolutions");
        mb_free(sum);
        return;
    }
    for (int64_t i = 0; i < 9 * b.out; i++) {
        compose_one(w + i * a.in * 25, bias + i, sum, &a, &b, i % b.out, (int)(i / b.out));
    }
    mb_free(sum);
    outer->attrs.conv2d.pad = 2;
    outer->attrs.conv2d.border_variants = true;
    outer->in[0] = inner->in[0];
    outer->in[1] = w_id;
    outer->in[2] = b_id;
    outer->n_in = outer->n_in > 3 ? outer->n_in : 3;
    inner->removed = true;
}

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
