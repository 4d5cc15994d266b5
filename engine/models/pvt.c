/* PVTv2: four stages of pre-norm transformer blocks. Keys and values of a block come from cells of the map, so that
 * attention is global at every size; a depthwise convolution inside the MLP and the padding of the embeddings stand in
 * for positions. */
#include "models/pvt.h"

#include "models/meta.h"
#include "models/nn.h"

#include <math.h>

typedef struct config {
    int heads[MB_BACKBONE_MAPS];
    float eps[2]; /* of the norms in and behind the blocks; of those of embeddings and keys */
} config;

/* Second names of the values of one block; NULL: none. */
static void tap(mb_scope s, const char *block, const char *name, mb_value v)
{
    if (block != NULL) {
        mb_tap_name(s, mb_graph_text(s.g, "%s%s", block, name), v);
    }
}

/* x [N,C',H,W] -> [N,C,ceil(H/stride),ceil(W/stride)]: 7x7 stride 4 from the picture, 3x3 stride 2 later. */
static mb_value patch_embed(mb_scope s, mb_value x, const config *c)
{
    mb_scope proj = mb_sub(s, "proj");
    const int kernel = (int)mb_dims(s, mb_weight(proj, "weight"))[2];
    x = mb_nn_conv2d(proj, x, (kernel + 1) / 2, kernel / 2);
    return mb_nn_layer_norm(mb_sub(s, "norm"), x, c->eps[1]);
}

/* x [N,C,h,w] -> same. Keys and values: one token for each whole cell of sr x sr. */
static mb_value attention(mb_scope s, mb_value x, int heads, const config *c, const char *name)
{
    mb_value q = mb_nn_linear(mb_sub(s, "q"), x);
    if (mb_scope_has(s, "sr.weight")) {
        mb_scope sr = mb_sub(s, "sr");
        x = mb_nn_conv2d(sr, x, (int)mb_dims(s, mb_weight(sr, "weight"))[2], 0);
        x = mb_nn_layer_norm(mb_sub(s, "norm"), x, c->eps[1]);
        tap(s, name, ".sr_norm", x);
    }
    mb_value kv = mb_nn_linear(mb_sub(s, "kv"), x);
    const float head_dim = (float)(mb_dims(s, q)[1] / heads);
    mb_attrs a = {.cross_attention = {heads, 1.0f / sqrtf(head_dim)}};
    x = mb_record(s, MB_OP_cross_attention, &a, (mb_value[]){q, kv}, 2);
    return mb_nn_linear(mb_sub(s, "proj"), x);
}

/* x [N,C,h,w] -> same; the depthwise convolution sees the hidden map before its activation. */
static mb_value mlp(mb_scope s, mb_value x, const char *name)
{
    x = mb_nn_linear(mb_sub(s, "fc1"), x);
    x = mb_nn_depthwise_conv2d(mb_sub(s, "dwconv.dwconv"), x);
    tap(s, name, ".dwconv", x);
    x = mb_nn_activation(mb_sub(s, "act"), x, MB_ACT_GELU);
    return mb_nn_linear(mb_sub(s, "fc2"), x);
}

static mb_value block(mb_scope s, mb_value x, int heads, const config *c, const char *name)
{
    mb_value y = mb_nn_layer_norm(mb_sub(s, "norm1"), x, c->eps[0]);
    y = attention(mb_sub(s, "attn"), y, heads, c, name);
    tap(s, name, ".attn", y);
    x = mb_nn_add(mb_sub(s, "add1"), x, y);
    y = mb_nn_layer_norm(mb_sub(s, "norm2"), x, c->eps[0]);
    y = mlp(mb_sub(s, "mlp"), y, name);
    tap(s, name, ".mlp", y);
    x = mb_nn_add(mb_sub(s, "add2"), x, y);
    tap(s, name, "", x);
    return x;
}

static void record(mb_value out[MB_BACKBONE_MAPS], mb_scope s, mb_value x, const char *tap_prefix)
{
    config c;
    if (mb_meta_list(c.heads, MB_BACKBONE_MAPS, s.g->weights, "arch.heads", 1, 1024) != MB_BACKBONE_MAPS ||
        !mb_meta_floats(c.eps, 2, s.g->weights, "arch.norm_eps")) {
        mb_backbone_fail(s, "arch.heads, arch.norm_eps");
        return;
    }
    for (int i = 0; i < MB_BACKBONE_MAPS; i++) {
        const char *blocks = mb_graph_text(s.g, "block%d", i + 1);
        x = patch_embed(mb_sub_number(s, "patch_embed", i + 1), x, &c);
        mb_backbone_tap(s, tap_prefix, "patch_embed", i + 1, x);
        for (int k = 0; mb_scope_has(mb_sub_index(s, blocks, k), "norm1.weight"); k++) {
            const char *name = k == 0 ? mb_graph_text(s.g, "%s.block%d_0", tap_prefix, i + 1) : NULL;
            x = block(mb_sub_index(s, blocks, k), x, c.heads[i], &c, name);
        }
        x = mb_nn_layer_norm(mb_sub_number(s, "norm", i + 1), x, c.eps[0]);
        mb_backbone_tap(s, tap_prefix, "out", i, x);
        out[i] = x;
    }
}

const mb_backbone_model mb_backbone_pvt = {.name = "pvt_v2", .least_side = 64, .record = record};
