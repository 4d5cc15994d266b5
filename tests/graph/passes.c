/* Every pass by itself on small graphs that it applies to: it changes something, and the outputs stay the same. */
#include "core/alloc.h"
#include "graph/passes/passes.h"
#include "graph/plan.h"
#include "harness/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t state;

static float uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(state >> 40) * 0x1p-23 - 1.0);
}

/* A constant with values around `offset`. */
static int constant(mb_graph *g, int64_t a, int64_t b, int64_t c, int64_t d, float amp, float offset)
{
    float *v;
    char name[32];
    (void)snprintf(name, sizeof name, "constant %d", g->n_values);
    int id = mb_graph_constant(g, mb_graph_text(g, "%s", name), (int64_t[]){a, b, c, d},
                               0x9E3779B97F4A7C15u * (uint64_t)(g->n_values + 1), &v);
    for (int64_t i = 0; id >= 0 && i < a * b * c * d; i++) {
        v[i] = offset + amp * uniform();
    }
    return id;
}

static int conv(mb_graph *g, const char *name, int x, int64_t out, int k, bool bias)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.conv2d.stride = 1;
    a.conv2d.pad = k / 2;
    int64_t in = x >= 0 ? g->values[x].dims[1] : 1;
    int weight = constant(g, out, in, k, k, 0.5f, 0);
    return mb_graph_node(g, MB_OP_conv2d, name, &a,
                         (int[]){x, weight, bias ? constant(g, out, 1, 1, 1, 1, 0) : MB_NONE}, 3, -1);
}

static int linear(mb_graph *g, const char *name, int x, int64_t out)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    int weight = constant(g, out, g->values[x].dims[1], 1, 1, 0.5f, 0);
    return mb_graph_node(g, MB_OP_linear, name, &a, (int[]){x, weight, constant(g, out, 1, 1, 1, 1, 0)}, 3, -1);
}

static int batch_norm(mb_graph *g, const char *name, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.batch_norm.eps = 1e-5f;
    int64_t c = g->values[x].dims[1];
    int in[] = {x, constant(g, c, 1, 1, 1, 0.5f, 1), constant(g, c, 1, 1, 1, 1, 0), constant(g, c, 1, 1, 1, 1, 0),
                constant(g, c, 1, 1, 1, 0.5f, 1)};
    return mb_graph_node(g, MB_OP_batch_norm, name, &a, in, 5, -1);
}

static int plain(mb_graph *g, mb_op op, const char *name, const int *in, int n)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    return mb_graph_node(g, op, name, &a, in, n, -1);
}

static int unary(mb_graph *g, const char *name, int x, mb_activation act)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.unary.act = act;
    return mb_graph_node(g, MB_OP_unary, name, &a, &x, 1, -1);
}

static int resize(mb_graph *g, const char *name, int x, int h, int w, bool align)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.resize_bilinear.out_h = h;
    a.resize_bilinear.out_w = w;
    a.resize_bilinear.align_corners = align;
    return mb_graph_node(g, MB_OP_resize_bilinear, name, &a, &x, 1, -1);
}

static int deform(mb_graph *g, const char *name, int x, int k, bool zero, int64_t out)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    int offset = conv(g, "offset", x, 2 * k * k, k, true), modulator = conv(g, "modulator", x, k * k, k, true);
    for (int i = 0; zero && i < g->n_values; i++) {
        mb_value_info *v = &g->values[i];
        if (v->kind == MB_VALUE_CONSTANT) {
            memset(v->data, 0, (size_t)(v->dims[0] * v->dims[1] * v->dims[2] * v->dims[3]) * sizeof(float));
        }
    }
    a.deform_conv2d.pad = k / 2;
    a.deform_conv2d.modulator_scale = 2.0f;
    int weight = constant(g, out, g->values[x].dims[1], k, k, 0.5f, 0);
    return mb_graph_node(g, MB_OP_deform_conv2d, name, &a, (int[]){x, offset, modulator, weight}, 4, -1);
}

/* ---- one small graph per pass; x is [2,6,9,7] ---- */

static int g_drop_dead(mb_graph *g, int x)
{
    int used = conv(g, "used", x, 4, 3, true);
    (void)batch_norm(g, "unused", conv(g, "unused.conv", used, 3, 1, false));
    return used;
}

static int g_fold_constants(mb_graph *g, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.position_embedding.out_h = 9;
    a.position_embedding.out_w = 7;
    int table = constant(g, 26, 6, 1, 1, 1, 0);
    int position = mb_graph_node(g, MB_OP_position_embedding, "position", &a, &table, 1, -1);
    return plain(g, MB_OP_add, "sum", (int[]){x, position}, 2);
}

static int g_zero_offsets(mb_graph *g, int x)
{
    return deform(g, "deform", x, 3, true, 5);
}

static int g_batchnorm(mb_graph *g, int x)
{
    int a = batch_norm(g, "bn1", conv(g, "conv1", x, 8, 3, true));
    int b = batch_norm(g, "bn2", conv(g, "conv2", x, 8, 1, false));
    int c = batch_norm(g, "bn3", deform(g, "deform", x, 3, false, 8));
    return plain(g, MB_OP_add, "sum2", (int[]){plain(g, MB_OP_add, "sum", (int[]){a, b}, 2), c}, 2);
}

static int up_concat(mb_graph *g, int x)
{
    int small = conv(g, "small", resize(g, "down", x, 4, 3, true), 12, 1, true);
    int parts[] = {conv(g, "a", x, 3, 3, true), resize(g, "up", small, 9, 7, true), conv(g, "b", x, 2, 3, true)};
    return plain(g, MB_OP_concat, "cat", parts, 3);
}

static int g_split_concat(mb_graph *g, int x)
{
    return conv(g, "head", up_concat(g, x), 2, 1, true);
}

static int g_sink(mb_graph *g, int x)
{
    int small = conv(g, "small", resize(g, "down", x, 4, 3, true), 12, 1, true);
    return conv(g, "head", resize(g, "up", small, 9, 7, true), 2, 1, true);
}

static int g_pooled(mb_graph *g, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.conv2d.stride = 1;
    int mean = plain(g, MB_OP_global_mean, "mean", &x, 1);
    int up = resize(g, "up", conv(g, "mean.conv", mean, 4, 1, true), 9, 7, true);
    return mb_graph_node(g, MB_OP_conv2d, "head", &a, (int[]){x, constant(g, 4, 6, 1, 1, 1, 0), MB_NONE, up}, 4, -1);
}

static int g_compose1(mb_graph *g, int x)
{
    return conv(g, "outer", conv(g, "inner", x, 16, 3, true), 2, 1, true);
}

static int g_compose3(mb_graph *g, int x)
{
    return conv(g, "outer", conv(g, "inner", x, 32, 3, true), 2, 3, true);
}

static int g_offsets(mb_graph *g, int x)
{
    return deform(g, "deform", x, 3, false, 5);
}

static int g_scale(mb_graph *g, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.window_attention.heads = 2;
    a.window_attention.window = 4;
    a.window_attention.shift = 2;
    a.window_attention.scale = 0.5f;
    int qkv = linear(g, "qkv", x, 24), bias = g->nodes[g->n_nodes - 1].in[2];
    return mb_graph_node(g, MB_OP_window_attention, "attn", &a, (int[]){qkv, constant(g, 49, 2, 1, 1, 1, 0), bias}, 3,
                         -1);
}

static int g_scale_vit(mb_graph *g, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.vit_attention.heads = 2;
    a.vit_attention.window = 4;
    a.vit_attention.scale = 0.5f;
    a.vit_attention.rel_scale = 1.0f;
    int qkv = linear(g, "qkv", x, 24), bias = g->nodes[g->n_nodes - 1].in[2];
    int in[] = {qkv, constant(g, 7, 4, 1, 1, 1, 0), constant(g, 7, 4, 1, 1, 1, 0), bias};
    return mb_graph_node(g, MB_OP_vit_attention, "attn", &a, in, 4, -1);
}

static int g_epilogue(mb_graph *g, int x)
{
    int hidden = unary(g, "gelu", linear(g, "fc1", x, 20), MB_ACT_GELU);
    int y = plain(g, MB_OP_add, "residual", (int[]){x, linear(g, "fc2", hidden, 6)}, 2);
    int up = resize(g, "up", resize(g, "down", y, 3, 3, true), 9, 7, true);
    y = plain(g, MB_OP_add, "lateral", (int[]){up, conv(g, "c", x, 6, 3, true)}, 2);
    return unary(g, "relu", y, MB_ACT_RELU);
}

static int g_concat(mb_graph *g, int x)
{
    int inner = plain(g, MB_OP_concat, "inner", (int[]){conv(g, "a", x, 3, 3, true), conv(g, "b", x, 2, 1, true)}, 2);
    int outer = plain(g, MB_OP_concat, "outer", (int[]){conv(g, "c", x, 4, 1, true), inner}, 2);
    return conv(g, "head", outer, 5, 3, true);
}

static int layer_norm(mb_graph *g, const char *name, int x)
{
    mb_attrs a;
    memset(&a, 0, sizeof a);
    a.layer_norm.eps = 1e-5f;
    int64_t c = g->values[x].dims[1];
    int in[] = {x, constant(g, c, 1, 1, 1, 0.5f, 1), constant(g, c, 1, 1, 1, 1, 0)};
    return mb_graph_node(g, MB_OP_layer_norm, name, &a, in, 3, -1);
}

static int g_upsampled(mb_graph *g, int x)
{
    int features = conv(g, "features", x, 8, 1, true), big = resize(g, "big", x, 18, 14, true);
    int parts[] = {conv(g, "detail", big, 5, 1, true), resize(g, "up", features, 18, 14, false)};
    return unary(g, "relu", conv(g, "fusion", plain(g, MB_OP_concat, "cat", parts, 2), 4, 3, true), MB_ACT_RELU);
}

static int g_bottleneck(mb_graph *g, int x)
{
    int y = layer_norm(g, "norm", conv(g, "conv", x, 10, 3, false));
    return layer_norm(g, "norm2", conv(g, "conv2", y, 7, 1, true));
}

static int g_affine(mb_graph *g, int x)
{
    return linear(g, "fc", layer_norm(g, "norm", x), 9);
}

static int g_attention_bias(mb_graph *g, int x)
{
    int swin = linear(g, "proj", g_scale(g, layer_norm(g, "n1", x)), 6);
    return linear(g, "proj2", g_scale_vit(g, layer_norm(g, "n2", swin)), 6);
}

static int layer_scale(mb_graph *g, const char *name, int x)
{
    return plain(g, MB_OP_layer_scale, name, (int[]){x, constant(g, g->values[x].dims[1], 1, 1, 1, 0.5f, 1)}, 2);
}

/* A block of DINOv3: tokens in front, rotary attention (the key bias counts), SwiGLU, both with LayerScale. */
static int g_rotary(mb_graph *g, int x)
{
    const mb_attrs table = {.rotary_table = {9, 7, 4, 100}}, turn = {.rotary_embedding = {2}},
                   attention = {.vit_attention = {2, 0, 0.7f, 1}}, map = {.patch_tokens = {9, 7}};
    x = conv(g, "wide", x, 8, 1, true);
    int first[] = {x, constant(g, 1, 8, 1, 1, 1, 0), constant(g, 2, 8, 1, 1, 1, 0)};
    x = plain(g, MB_OP_join_tokens, "tokens", first, 3);
    int rope = mb_graph_node(g, MB_OP_rotary_table, "rope", &table, NULL, 0, -1);
    int qkv = linear(g, "qkv", layer_norm(g, "norm1", x), 24);
    qkv = mb_graph_node(g, MB_OP_rotary_embedding, "turn", &turn, (int[]){qkv, rope}, 2, -1);
    int y = linear(g, "proj", mb_graph_node(g, MB_OP_vit_attention, "attn", &attention, &qkv, 1, -1), 8);
    x = plain(g, MB_OP_add, "add1", (int[]){x, layer_scale(g, "gamma1", y)}, 2);
    y = layer_norm(g, "norm2", x);
    y = plain(g, MB_OP_silu_gate, "gate", (int[]){linear(g, "fc1_g", y, 10), linear(g, "fc1_x", y, 10)}, 2);
    x = plain(g, MB_OP_add, "add2", (int[]){x, layer_scale(g, "gamma2", linear(g, "fc2", y, 8))}, 2);
    return mb_graph_node(g, MB_OP_patch_tokens, "map", &map, &x, 1, -1);
}

/* A block of PVTv2: one norm before the queries' layer and before the convolution that makes the keys' tokens, two biases
 * and a scale to move. The map of 9 x 7 has cells of 2 x 2 that are not whole. */
static int g_reduced(mb_graph *g, int x)
{
    const mb_attrs attention = {.cross_attention = {2, 0.6f}}, cells = {.conv2d = {.stride = 2}};
    x = conv(g, "wide", x, 8, 1, true);
    int y = layer_norm(g, "norm1", x), q = linear(g, "q", y, 8);
    int in[] = {y, constant(g, 8, 8, 2, 2, 0.2f, 0), constant(g, 8, 1, 1, 1, 1, 0)};
    int z = mb_graph_node(g, MB_OP_conv2d, "sr", &cells, in, 3, -1);
    int kv = linear(g, "kv", layer_norm(g, "norm", z), 16);
    y = linear(g, "proj", mb_graph_node(g, MB_OP_cross_attention, "attn", &attention, (int[]){q, kv}, 2, -1), 8);
    return plain(g, MB_OP_add, "add1", (int[]){x, y}, 2);
}

/* A norm before a convolution with padding: its shift is not the padding's, so it has to stay. */
static int g_padded(mb_graph *g, int x)
{
    return conv(g, "after", layer_norm(g, "norm", conv(g, "wide", x, 8, 1, true)), 4, 3, true);
}

typedef struct pass_case {
    const char *name; /* the passes, and what they run on */
    const char *pass; /* NULL: all */
    int (*build)(mb_graph *g, int x);
    int fewer; /* executed nodes that the pass saves at least */
} pass_case;

#define CASE(pass, graph, fewer)                                                                                       \
    {                                                                                                                  \
        pass " on " #graph, pass, g_##graph, fewer                                                                     \
    }
#define ALL(graph, fewer)                                                                                              \
    {                                                                                                                  \
        "all on " #graph, NULL, g_##graph, fewer                                                                       \
    }

static const pass_case cases[] = {
    CASE("drop_dead", drop_dead, 2),
    CASE("fold_constants", fold_constants, 1),
    CASE("drop_zero_offsets", zero_offsets, 2),
    CASE("fold_batchnorm", batchnorm, 3),
    CASE("split_concat", split_concat, -1),
    CASE("split_concat,sink_conv1x1", split_concat, -1),
    CASE("sink_conv1x1", sink, 0),
    CASE("broadcast_pooled", pooled, 1),
    CASE("compose_conv1x1", compose1, 1),
    CASE("compose_conv3x3", compose3, 1),
    CASE("merge_offset_convs", offsets, 1),
    CASE("fold_attention_scale", scale, 0),
    CASE("fold_attention_scale", scale_vit, 0),
    CASE("join_pads", scale_vit, 0),
    CASE("fold_attention_scale,join_pads", scale_vit, 0),
    CASE("split_upsampled", upsampled, 1),
    CASE("centre_bottleneck", bottleneck, 0),
    CASE("fold_norm_affine", affine, 0),
    CASE("move_attention_bias", attention_bias, 0),
    CASE("fold_norm_affine,move_attention_bias,fold_attention_scale", attention_bias, 0),
    CASE("fold_layer_scale", rotary, 2),
    CASE("fold_norm_affine", rotary, 0),
    CASE("move_attention_bias", rotary, 0),
    CASE("fold_attention_scale", rotary, 0),
    CASE("fold_constants", rotary, 1),
    CASE("fold_norm_affine,move_attention_bias,fold_attention_scale", rotary, 0),
    CASE("fold_norm_affine", reduced, 0),
    CASE("fold_norm_affine", padded, 0),
    CASE("move_attention_bias", reduced, 0),
    CASE("fold_attention_scale", reduced, 0),
    CASE("fold_norm_affine,move_attention_bias,fold_attention_scale", reduced, 0),
    CASE("fuse_epilogue", epilogue, 4),
    CASE("alias_concat", concat, 2),
    ALL(batchnorm, 3),
    ALL(split_concat, 0),
    ALL(epilogue, 4),
    ALL(concat, 2),
    ALL(upsampled, 2),
    ALL(attention_bias, 0),
    ALL(rotary, 5),
    ALL(reduced, 1),
};

static mb_backend backend;

/* Runs the graph and returns its output, [N,C,H,W]-contiguous in memory order of the view. */
static int run(float **out, size_t *count, const pass_case *r, const char *passes, int *n_nodes, double *macs)
{
    mb_error err;
    mb_graph *g = NULL;
    mb_plan *p = NULL;
    mb_prepared_cache cache = {0};
    state = 7;
    CHECK_OK(mb_graph_create(&g, NULL, &err), err);
    int x = mb_graph_input(g, "input", (int64_t[]){2, 6, 9, 7});
    int y = r->build(g, x);
    mb_graph_tap(g, "output", y);
    mb_graph_keep(g, y);
    mb_runner_options options = {NULL, &backend, 0, passes};
    err = (mb_error){0};
    if (!CHECK_MSG(mb_plan_create(&p, g, &options, &err) == MB_OK, "%s: %s", passes, err.message)) {
        return 1;
    }
    CHECK_OK(mb_plan_prepare(NULL, p, &cache, &err), err);
    mb_view in = mb_plan_view(p, "input");
    state = 99;
    for (int64_t i = 0; i < mb_view_count(&in); i++) {
        ((float *)in.data)[i] = uniform();
    }
    size_t before = mb_alloc_count();
    CHECK_OK(mb_plan_run(p, NULL, NULL, &err), err);
    CHECK_MSG(mb_alloc_count() == before, "%s: the loop allocates", passes);
    mb_view v = mb_plan_view(p, "output");
    *count = (size_t)mb_view_count(&v);
    *out = mb_alloc_array(*count, sizeof **out);
    for (int64_t t = 0; t < mb_view_tokens(&v); t++) {
        memcpy(*out + t * v.dims[1], (float *)v.data + t * v.pitch, (size_t)v.dims[1] * sizeof(float));
    }
    *n_nodes = p->stats.n_nodes;
    *macs = p->stats.macs;
    mb_plan_free(p);
    mb_prepared_cache_dispose(&cache);
    return 0;
}

static void compare(const pass_case *r)
{
    float *a = NULL, *b = NULL;
    size_t n = 0, m = 0;
    int nodes_a = 0, nodes_b = 0;
    double macs_a = 0, macs_b = 0, most = 0, error = 0;
    const char *name = r->name;
    if (run(&a, &n, r, "none", &nodes_a, &macs_a) != 0 || run(&b, &m, r, r->pass, &nodes_b, &macs_b) != 0) {
        return;
    }
    CHECK_MSG(n == m && n > 0, "%s: %zu and %zu values", name, n, m);
    for (size_t i = 0; i < n && n == m; i++) {
        error = fmax(error, fabs((double)a[i] - (double)b[i]));
        most = fmax(most, fabs((double)a[i]));
    }
    CHECK_MSG(error <= 3e-6 * most, "%s: off by %g of %g", name, error, most);
    CHECK_MSG(nodes_a - nodes_b >= r->fewer, "%s: %d nodes, then %d", name, nodes_a, nodes_b);
    CHECK_MSG(macs_b <= macs_a, "%s: %g MACs, then %g", name, macs_a, macs_b);
    mb_free(a);
    mb_free(b);
}

TEST_ROWS(pass, cases)
{
    compare(row);
}

/* A model file says how many blocks there are, and what takes the square of them must not take minutes. */
TEST(too_many_operations)
{
    static const int64_t dims[4] = {1, 1, 1, 1};
    mb_graph *g = NULL;
    mb_error err = {0};
    REQUIRE_OK(mb_graph_create(&g, NULL, &err), err);
    int x = mb_graph_input(g, "x", dims), n = 0;
    const mb_attrs a = {.unary = {.act = MB_ACT_RELU}};
    for (; x >= 0 && n < 100000; n++) {
        x = mb_graph_node(g, MB_OP_unary, "again", &a, &x, 1, -1);
    }
    CHECK_EQ(n, 16385);
    CHECK_EQ(mb_graph_status(g, &err), MB_E_UNSUPPORTED);
    CHECK_MSG(strstr(err.message, "16384 operations") != NULL, "%s", err.message);
    mb_graph_free(g);
}

TEST(unknown_pass)
{
    mb_error err = {0};
    mb_graph *g = NULL;
    CHECK_OK(mb_graph_create(&g, NULL, &err), err);
    err = (mb_error){0};
    CHECK_EQ(mb_passes_run(g, "-no_such_pass", &err), MB_E_ARGUMENT);
    CHECK_CONTAINS(err.message, "no_such_pass");
    mb_graph_free(g);
}

SETUP
{
    mb_backend_ref(&backend);
}
