/* The plain kernels against other people's implementations (PyTorch, torchvision, transformers): tests/data/ops. And
 * the multiply-accumulates of the rules against counts by hand. */
#include "core/alloc.h"
#include "graph/graph.h"
#include "harness/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct truth {
    const char *name;
    mb_op op;
    mb_attrs attrs;
} truth;

static const truth truths[] = {
    {"conv2d 3x3", MB_OP_conv2d, .attrs.conv2d = {1, 1, MB_ACT_NONE, false}},
    {"conv2d 3x3 stride 2 relu", MB_OP_conv2d, .attrs.conv2d = {2, 1, MB_ACT_RELU, false}},
    {"conv2d 2x3 gelu", MB_OP_conv2d, .attrs.conv2d = {1, 1, MB_ACT_GELU, false}},
    {"conv2d border variants", MB_OP_conv2d, .attrs.conv2d = {1, 2, MB_ACT_NONE, true}},
    {"linear gelu", MB_OP_linear, .attrs.linear = {MB_ACT_GELU}},
    {"deform_conv2d 1x1", MB_OP_deform_conv2d, .attrs.deform_conv2d = {0, 2, MB_ACT_NONE}},
    {"deform_conv2d 3x3", MB_OP_deform_conv2d, .attrs.deform_conv2d = {1, 2, MB_ACT_NONE}},
    {"deform_conv2d 7x7", MB_OP_deform_conv2d, .attrs.deform_conv2d = {3, 2, MB_ACT_NONE}},
    {"layer_norm", MB_OP_layer_norm, .attrs.layer_norm = {1e-5f}},
    {"batch_norm", MB_OP_batch_norm, .attrs.batch_norm = {1e-5f}},
    {"unary relu", MB_OP_unary, .attrs.unary = {MB_ACT_RELU}},
    {"unary gelu", MB_OP_unary, .attrs.unary = {MB_ACT_GELU}},
    {"unary sigmoid", MB_OP_unary, .attrs.unary = {MB_ACT_SIGMOID}},
    {"scale_by_map", MB_OP_scale_by_map, {{0}}},
    {"concat", MB_OP_concat, {{0}}},
    {"global_mean", MB_OP_global_mean, {{0}}},
    {"patch_merge", MB_OP_patch_merge, {{0}}},
    {"image_to_tiles", MB_OP_image_to_tiles, .attrs.image_to_tiles = {2, 4}},
    {"resize corners", MB_OP_resize_bilinear, .attrs.resize_bilinear = {7, 333, true}},
    {"resize corners, smaller", MB_OP_resize_bilinear, .attrs.resize_bilinear = {3, 41, true}},
    {"resize centres", MB_OP_resize_bilinear, .attrs.resize_bilinear = {10, 200, false}},
    {"resize centres, smaller", MB_OP_resize_bilinear, .attrs.resize_bilinear = {3, 77, false}},
    {"position_embedding 5x5", MB_OP_position_embedding, .attrs.position_embedding = {5, 5}},
    {"position_embedding 8x13", MB_OP_position_embedding, .attrs.position_embedding = {8, 13}},
    {"position_embedding 3x2", MB_OP_position_embedding, .attrs.position_embedding = {3, 2}},
    {"window_attention", MB_OP_window_attention, .attrs.window_attention = {2, 4, 0, 0}},
    {"window_attention padded", MB_OP_window_attention, .attrs.window_attention = {2, 4, 0, 0}},
    {"window_attention shifted", MB_OP_window_attention, .attrs.window_attention = {2, 4, 2, 0}},
    {"window_attention both", MB_OP_window_attention, .attrs.window_attention = {2, 4, 2, 0}},
    {"window_attention single", MB_OP_window_attention, .attrs.window_attention = {2, 5, 2, 0}},
    {"window_attention tiny", MB_OP_window_attention, .attrs.window_attention = {2, 7, 3, 0}},
    {"vit_attention", MB_OP_vit_attention, .attrs.vit_attention = {2, 0, 0.5f, 1}},
    {"vit_attention table shrunk", MB_OP_vit_attention, .attrs.vit_attention = {2, 0, 0.5f, 1}},
    {"vit_attention table enlarged", MB_OP_vit_attention, .attrs.vit_attention = {2, 0, 0.5f, 1}},
    {"vit_attention windows", MB_OP_vit_attention, .attrs.vit_attention = {2, 4, 0.5f, 1}},
    {"vit_attention padded windows", MB_OP_vit_attention, .attrs.vit_attention = {2, 4, 0.5f, 1}},
};

static bool read_tensor(mb_view *v, FILE *f)
{
    int32_t d[4];
    if (fread(d, sizeof d[0], 4, f) != 4) {
        return false;
    }
    size_t n = (size_t)d[0] * (size_t)d[1] * (size_t)d[2] * (size_t)d[3];
    float *data = mb_alloc_array(n, sizeof(float));
    *v = mb_view_of(data, d[0], d[1], d[2], d[3]);
    return data != NULL && fread(data, sizeof(float), n, f) == n;
}

static void check_truth(const truth *t, mb_call *c, const mb_view *want)
{
    mb_backend ref;
    mb_backend_ref(&ref);
    const mb_kernel *k = ref.kernels[t->op][0];
    mb_attrs attrs = t->attrs;
    if (t->op == MB_OP_window_attention) { /* the published one, not a round number: d = 3 */
        attrs.window_attention.scale = 1 / sqrtf(3.0f);
    }
    c->attrs = &attrs;
    mb_error err = {0};
    int64_t d[4] = {0};
    mb_status s = mb_op_get_rule(t->op)->shape(d, c, &err);
    if (!CHECK_MSG(s == MB_OK && memcmp(d, want->dims, sizeof d) == 0, "%s: %s", t->name, err.message)) {
        return;
    }
    size_t n = (size_t)mb_view_count(want), bytes;
    float *y = mb_alloc_array(n, sizeof(float));
    c->out = mb_view_of(y, d[0], d[1], d[2], d[3]);
    bytes = k->workspace != NULL ? k->workspace(c) : 0;
    c->workspace = mb_alloc_aligned(bytes);
    CHECK(k->run(c, &err) == MB_OK);
    const float *w = want->data;
    double error = 0, magnitude = 0;
    for (size_t i = 0; i < n; i++) {
        error = fmax(error, fabs((double)y[i] - (double)w[i]));
        magnitude = fmax(magnitude, fabs((double)w[i]));
    }
    CHECK_MSG(error <= 4e-7 * magnitude && magnitude > 0, "%s: error %.3g of %.3g", t->name, error, magnitude);
    mb_free_aligned(c->workspace);
    mb_free(y);
}

/* The next case of the file: its tensors, the expected output last. */
static int read_case(mb_view tensors[1 + MB_MAX_INPUTS], const truth *t, FILE *f)
{
    char name[33] = {0};
    int32_t n = 0;
    if (!CHECK(fread(name, 1, 32, f) == 32 && fread(&n, sizeof n, 1, f) == 1 && n >= 2 && n <= 1 + MB_MAX_INPUTS) ||
        !CHECK_MSG(strcmp(name, t->name) == 0, "'%s' is next in the file, not '%s'", name, t->name)) {
        return 0;
    }
    for (int k = 0; k < n; k++) {
        if (!CHECK(read_tensor(&tensors[k], f))) {
            return 0;
        }
    }
    return n;
}

static void check_macs(mb_op op, const mb_attrs *a, const int64_t in[2][4], double want)
{
    mb_call c = {.attrs = a, .n_in = 2};
    c.in[0] = mb_view_of(NULL, in[0][0], in[0][1], in[0][2], in[0][3]);
    c.in[1] = mb_view_of(NULL, in[1][0], in[1][1], in[1][2], in[1][3]);
    if (op == MB_OP_vit_attention) {
        c.n_in = 4;
        c.in[2] = c.in[1];
        c.in[3] = mb_view_of(NULL, in[0][1], 1, 1, 1);
    } else if (op == MB_OP_window_attention) {
        c.n_in = 3;
        c.in[2] = mb_view_of(NULL, in[0][1], 1, 1, 1);
    }
    mb_error err = {0};
    int64_t d[4];
    const mb_op_rule *r = mb_op_get_rule(op);
    CHECK_MSG(r->shape(d, &c, &err) == MB_OK, "%s", err.message);
    c.out = mb_view_of(NULL, d[0], d[1], d[2], d[3]);
    CHECK_MSG(r->macs(&c) == want, "%s: %.0f MACs, %.0f wanted", r->name, r->macs(&c), want);
}

TEST(as_others)
{
    FILE *f = fopen(MB_TEST_DATA "/ops/truth.bin", "rb");
    REQUIRE_MSG(f != NULL, "truth.bin");
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        mb_view tensors[1 + MB_MAX_INPUTS] = {{0}};
        int n = read_case(tensors, &truths[i], f);
        if (n == 0) {
            break;
        }
        mb_call c = {.n_in = n - 1};
        for (int k = 0; k < c.n_in; k++) {
            c.in[k] = tensors[k];
        }
        check_truth(&truths[i], &c, &tensors[n - 1]);
        for (int k = 0; k < n; k++) {
            mb_free(tensors[k].data);
        }
    }
    CHECK(fgetc(f) == EOF);
    fclose(f);
}

TEST(macs)
{
    mb_attrs conv = {.conv2d = {2, 1, MB_ACT_NONE, false}}, linear = {.linear = {MB_ACT_NONE}};
    check_macs(MB_OP_conv2d, &conv, (const int64_t[2][4]){{2, 4, 8, 6}, {48, 4, 3, 3}}, 2.0 * 4 * 3 * 48 * 36);
    check_macs(MB_OP_linear, &linear, (const int64_t[2][4]){{2, 5, 3, 3}, {7, 5, 1, 1}}, 18.0 * 35);
    mb_attrs swin = {.window_attention = {2, 4, 0, 1}}, vit = {.vit_attention = {2, 4, 1, 1}};
    check_macs(MB_OP_window_attention, &swin, (const int64_t[2][4]){{1, 24, 5, 8}, {49, 2, 1, 1}}, 64.0 * 16 * 8 * 2);
    check_macs(MB_OP_vit_attention, &vit, (const int64_t[2][4]){{1, 24, 5, 8}, {7, 4, 1, 1}}, 64.0 * 8 * (32 + 8));
    vit.vit_attention.pads_as_one = true; /* two windows of 16 tokens, two of 4 and the padding */
    check_macs(MB_OP_vit_attention, &vit, (const int64_t[2][4]){{1, 24, 5, 8}, {7, 4, 1, 1}},
               8.0 * (2 * (2 * 16 * 16 + 2 * 4 * 5) + 40 * 8));
}
