/* The ViT backbone of VITMatte. docs/models/vitmatte.md, "Embedding", "Block", "Attention", "Residual bottleneck". */
#include "models/vit.h"

#include "models/nn.h"

#include <math.h>

#define EPS 1e-6f

static void tap(mb_scope s, int block, const char *name, mb_value v)
{
    mb_graph_tap(s.g, mb_graph_text(s.g, "block%d%s", block, name), v.id);
}

/* 16x16 patches and absolute positions: x [N,4,H,W] -> [N,C,H/16,W/16]. */
static mb_value embeddings(mb_scope s, mb_value x)
{
    mb_scope projection = mb_sub(s, "projection");
    int patch = (int)mb_dims(s, mb_weight(projection, "weight"))[2];
    x = mb_nn_conv2d(projection, x, patch, 0);
    mb_tap_name(s, "patch_embed", x);
    const int64_t *d = mb_dims(s, x);
    mb_value table = mb_weight(s, "position_embeddings"); /* [1,1+g*g,C] */
    mb_attrs a = {.position_embedding = {(int32_t)d[2], (int32_t)d[3]}};
    mb_value position = mb_record(mb_sub(s, "position_embeddings"), MB_OP_position_embedding, &a, &table, 1);
    x = mb_nn_add(mb_sub(s, "add"), x, position);
    mb_tap_name(s, "embeddings", x);
    return x;
}

/* x [N,C,h,w] -> same; window 0: global. */
static mb_value attention(mb_scope s, mb_value x, int heads, int window)
{
    mb_scope qkv_scope = mb_sub(s, "qkv");
    mb_value qkv = mb_nn_linear(qkv_scope, x);
    float head_dim = (float)(mb_dims(s, x)[1] / heads);
    mb_attrs a = {.vit_attention = {heads, window, 1.0f / sqrtf(head_dim), 1.0f}};
    mb_value in[] = {qkv, mb_weight(s, "rel_pos_h"), mb_weight(s, "rel_pos_w"), mb_weight(qkv_scope, "bias")};
    x = mb_record(s, MB_OP_vit_attention, &a, in, 4);
    return mb_nn_linear(mb_sub(s, "proj"), x);
}

/* x [N,C,h,w] -> same, hidden width 4C. */
static mb_value mlp(mb_scope s, mb_value x)
{
    x = mb_nn_linear(mb_sub(s, "fc1"), x);
    x = mb_nn_activation(mb_sub(s, "act"), x, MB_ACT_GELU);
    return mb_nn_linear(mb_sub(s, "fc2"), x);
}

/* 1x1 C -> C/2, 3x3, 1x1 -> C, each followed by a layer norm over channels; no activation after the last. */
static mb_value bottleneck(mb_scope s, mb_value x, int block)
{
    x = mb_nn_conv2d(mb_sub(s, "conv1"), x, 1, 0);
    tap(s, block, ".residual.conv1", x);
    x = mb_nn_layer_norm(mb_sub(s, "norm1"), x, EPS);
    x = mb_nn_activation(mb_sub(s, "act1"), x, MB_ACT_GELU);
    x = mb_nn_conv2d(mb_sub(s, "conv2"), x, 1, 1);
    x = mb_nn_layer_norm(mb_sub(s, "norm2"), x, EPS);
    tap(s, block, ".residual.norm2", x);
    x = mb_nn_activation(mb_sub(s, "act2"), x, MB_ACT_GELU);
    x = mb_nn_conv2d(mb_sub(s, "conv3"), x, 1, 0);
    return mb_nn_layer_norm(mb_sub(s, "norm3"), x, EPS);
}

/* Pre-norm transformer block, windowed or global, some followed by a residual bottleneck: x [N,C,h,w] -> same. */
static mb_value block(mb_scope s, mb_value x, const mb_vit_config *c, int i)
{
    mb_value y = mb_nn_layer_norm(mb_sub(s, "norm1"), x, EPS);
    tap(s, i, ".norm1", y);
    y = attention(mb_sub(s, "attention"), y, c->heads, c->windowed[i] ? c->window : 0);
    x = mb_nn_add(mb_sub(s, "add1"), x, y);
    y = mb_nn_layer_norm(mb_sub(s, "norm2"), x, EPS);
    y = mlp(mb_sub(s, "mlp"), y);
    tap(s, i, ".mlp", y);
    x = mb_nn_add(mb_sub(s, "add2"), x, y);
    if (mb_scope_has(s, "residual.conv1.weight")) {
        y = bottleneck(mb_sub(s, "residual"), x, i);
        x = mb_nn_add(mb_sub(s, "add3"), x, y);
        tap(s, i, ".residual", x);
    }
    tap(s, i, "", x);
    return x;
}

/* x [N,4,H,W] -> features [N,C,H/16,W/16]. */
mb_value mb_vit(mb_scope s, mb_value x, const mb_vit_config *config)
{
    mb_scope encoder = mb_sub(s, "encoder");
    x = embeddings(mb_sub(s, "embeddings"), x);
    for (int i = 0; i < config->depth; i++) {
        x = block(mb_sub_index(encoder, "layer", i), x, config, i);
    }
    mb_tap_name(s, "features", x);
    return x;
}
