/* Swin Transformer v1. Rolling, partitioning, padding and the shift mask are inside the op window_attention, so that a
 * map stays [N,C,H,W] (= a token matrix) from the patch embedding to the last stage. */
#include "models/swin.h"

#include "models/meta.h"
#include "models/nn.h"

#include <math.h>

#define EPS 1e-5f

typedef struct config {
    int depths[MB_BACKBONE_MAPS];
    int heads[MB_BACKBONE_MAPS];
    int window;
} config;

/* 4x4 patches: x [N,3,H,W] -> [N,E,H/4,W/4], then LayerNorm. */
static mb_value patch_embed(mb_scope s, mb_value x)
{
    x = mb_nn_conv2d(mb_sub(s, "proj"), x, 4, 0);
    return mb_nn_layer_norm(mb_sub(s, "norm"), x, EPS);
}

/* x [N,C,H,W] -> same: qkv, attention within (shifted) windows, projection. */
static mb_value window_attention(mb_scope s, mb_value x, int heads, int window, int shift)
{
    mb_scope qkv_scope = mb_sub(s, "qkv");
    mb_value qkv = mb_nn_linear(qkv_scope, x);
    float head_dim = (float)(mb_dims(s, x)[1] / heads);
    mb_attrs a = {.window_attention = {heads, window, shift, 1.0f / sqrtf(head_dim)}};
    mb_value in[] = {qkv, mb_weight(s, "relative_position_bias_table"), mb_weight(qkv_scope, "bias")};
    x = mb_record(s, MB_OP_window_attention, &a, in, 3);
    return mb_nn_linear(mb_sub(s, "proj"), x);
}

/* x [N,C,H,W] -> same, hidden width 4C. */
static mb_value mlp(mb_scope s, mb_value x)
{
    x = mb_nn_linear(mb_sub(s, "fc1"), x);
    x = mb_nn_activation(mb_sub(s, "act"), x, MB_ACT_GELU);
    return mb_nn_linear(mb_sub(s, "fc2"), x);
}

/* Pre-norm transformer block: x [N,C,H,W] -> same. */
static mb_value block(mb_scope s, mb_value x, int heads, int window, int shift)
{
    mb_value y = mb_nn_layer_norm(mb_sub(s, "norm1"), x, EPS);
    x = mb_nn_add(s, x, window_attention(mb_sub(s, "attn"), y, heads, window, shift));
    y = mb_nn_layer_norm(mb_sub(s, "norm2"), x, EPS);
    return mb_nn_add(s, x, mlp(mb_sub(s, "mlp"), y));
}

/* x [N,C,H,W] -> [N,2C,ceil(H/2),ceil(W/2)]. */
static mb_value patch_merging(mb_scope s, mb_value x)
{
    mb_attrs none = {.bytes = {0}};
    x = mb_record(s, MB_OP_patch_merge, &none, &x, 1);
    x = mb_nn_layer_norm(mb_sub(s, "norm"), x, EPS);
    return mb_nn_linear(mb_sub(s, "reduction"), x);
}

static bool read_config(config *c, const mb_weights *w)
{
    return mb_meta_list(c->depths, MB_BACKBONE_MAPS, w, "arch.depths", 1, 1000) == MB_BACKBONE_MAPS &&
           mb_meta_list(c->heads, MB_BACKBONE_MAPS, w, "arch.heads", 1, 1024) == MB_BACKBONE_MAPS &&
           mb_meta_number(&c->window, w, "arch.window", 1, 256);
}

/* Four stages of blocks, windows shifted by half in every second one; between the stages maps are halved. Each stage's
 * output is normalised by a norm of its own. out[i] [N,E*2^i,H/4/2^i,W/4/2^i] (rounded up). */
static void record(mb_value out[MB_BACKBONE_MAPS], mb_scope s, mb_value x, const char *tap)
{
    config c;
    if (!read_config(&c, s.g->weights)) {
        mb_backbone_fail(s, "arch.depths, arch.heads, arch.window");
        return;
    }
    x = patch_embed(mb_sub(s, "patch_embed"), x);
    mb_backbone_tap(s, tap, "patch_embed", -1, x);
    for (int stage = 0; stage < MB_BACKBONE_MAPS; stage++) {
        mb_scope layer = mb_sub_index(s, "layers", stage);
        for (int i = 0; i < c.depths[stage]; i++) {
            int shift = i % 2 == 0 ? 0 : c.window / 2;
            x = block(mb_sub_index(layer, "blocks", i), x, c.heads[stage], c.window, shift);
            if (stage == 0 && i < 2) {
                mb_backbone_tap(s, tap, "block0_", i, x);
            }
        }
        out[stage] = mb_nn_layer_norm(mb_sub_number(s, "norm", stage), x, EPS);
        mb_backbone_tap(s, tap, "out", stage, out[stage]);
        if (stage + 1 < MB_BACKBONE_MAPS) {
            x = patch_merging(mb_sub(layer, "downsample"), x);
            mb_backbone_tap(s, tap, "downsample", stage, x);
        }
    }
}

const mb_backbone_model mb_backbone_swin = {.name = "swin_v1", .least_side = 32, .record = record};
