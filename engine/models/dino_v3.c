/* DINOv3's ViT. docs/models/dino_v3.md.
 *
 * The sequence of class token, registers and patches is a map [N,C,1,T], so that layers treat tokens as they treat
 * pixels; for the maps that the decoder takes the first tokens are left out. Names follow timm, whose class the
 * published code wraps: no norm behind the last block. */
#include "models/dino_v3.h"

#include "graph/constants.h"
#include "models/dino_v3_neck.h"
#include "models/meta.h"
#include "models/nn.h"

#include <math.h>
#include <string.h>

typedef struct config { /* what no shape tells */
    int depth, heads;
    int outputs[MB_BACKBONE_MAPS]; /* blocks after which a map is taken */
    float eps, rope_base;
} config;

/* A place to record at: the file's scope, the prefix of taps, which name the first two blocks only. */
typedef struct place {
    mb_scope s;
    const char *tap;
    int block;
} place;

static void tap(place p, const char *name, mb_value v)
{
    if (p.block == 0 || (p.block == 1 && name[0] == '\0')) {
        mb_graph_tap(p.s.g, mb_graph_text(p.s.g, "%s.block%d%s", p.tap, p.block, name), v.id);
    }
}

/* ---- blocks ---- */

/* q_bias, nothing for k, v_bias. from: both. */
static void fill_qkv_bias(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t channels = d->dims[0] / 3;
    for (int64_t i = begin; i < end; i++) {
        out[i] = i < channels ? d->in[0][i] : (i < 2 * channels ? 0.0f : d->in[1][i - 2 * channels]);
    }
}

/* The published files have no bias here; other builds of the network have one for q and v, which is added. */
static mb_value qkv_layer(mb_scope s, mb_value x)
{
    if (!mb_scope_has(s, "q_bias")) {
        return mb_nn_linear(mb_sub(s, "qkv"), x);
    }
    const mb_derivation how = {.how = "dino_v3 qkv bias",
                               .fill = fill_qkv_bias,
                               .from = {mb_weight(s, "q_bias").id, mb_weight(s, "v_bias").id},
                               .n_from = 2};
    int64_t dims[4] = {3 * mb_dims(s, x)[1], 1, 1, 1};
    mb_value bias = {s.g->error.code == MB_OK ? mb_graph_derive(s.g, s.path, dims, &how) : MB_NONE};
    mb_attrs a = {0};
    mb_scope qkv = mb_sub(s, "qkv");
    return mb_record(qkv, MB_OP_linear, &a, (mb_value[]){x, mb_weight(qkv, "weight"), bias}, 3);
}

/* [EvaAttention] over all T tokens, q and k of the patches turned by their places: x [N,C,1,T] -> same. */
static mb_value attention(place p, mb_value x, mb_value rope, const config *c)
{
    mb_value qkv = qkv_layer(p.s, x);
    tap(p, ".attn.qkv", qkv);
    mb_attrs turn = {.rotary_embedding = {c->heads}};
    qkv = mb_record(mb_sub(p.s, "rope"), MB_OP_rotary_embedding, &turn, (mb_value[]){qkv, rope}, 2);
    float head_dim = (float)(mb_dims(p.s, x)[1] / c->heads);
    mb_attrs a = {.vit_attention = {c->heads, 0, 1.0f / sqrtf(head_dim), 1.0f}};
    x = mb_record(p.s, MB_OP_vit_attention, &a, &qkv, 1);
    x = mb_nn_linear(mb_sub(p.s, "proj"), x);
    tap(p, ".attn", x);
    return x;
}

/* [Mlp] with GELU, or [SwiGLU] where the file has its gate: x [N,C,1,T] -> same. */
static mb_value mlp(place p, mb_value x)
{
    if (mb_scope_has(p.s, "fc1_g.weight")) {
        mb_value gated[] = {mb_nn_linear(mb_sub(p.s, "fc1_g"), x), mb_nn_linear(mb_sub(p.s, "fc1_x"), x)};
        mb_attrs none = {.bytes = {0}};
        x = mb_record(mb_sub(p.s, "act"), MB_OP_silu_gate, &none, gated, 2);
    } else {
        x = mb_nn_linear(mb_sub(p.s, "fc1"), x);
        x = mb_nn_activation(mb_sub(p.s, "act"), x, MB_ACT_GELU);
    }
    x = mb_nn_linear(mb_sub(p.s, "fc2"), x);
    tap(p, ".mlp", x);
    return x;
}

/* LayerScale: x * gamma. */
static mb_value scale(mb_scope s, mb_value x, const char *gamma)
{
    mb_attrs none = {.bytes = {0}};
    return mb_record(mb_sub(s, gamma), MB_OP_layer_scale, &none, (mb_value[]){x, mb_weight(s, gamma)}, 2);
}

/* [EvaBlock] pre-norm: x [N,C,1,T] -> same. */
static mb_value block(place p, mb_value x, mb_value rope, const config *c)
{
    place attn = p, ffn = p;
    attn.s = mb_sub(p.s, "attn");
    ffn.s = mb_sub(p.s, "mlp");
    mb_value y = mb_nn_layer_norm(mb_sub(p.s, "norm1"), x, c->eps);
    tap(p, ".norm1", y);
    y = scale(p.s, attention(attn, y, rope, c), "gamma_1");
    x = mb_nn_add(mb_sub(p.s, "add1"), x, y);
    y = mb_nn_layer_norm(mb_sub(p.s, "norm2"), x, c->eps);
    y = scale(p.s, mlp(ffn, y), "gamma_2");
    x = mb_nn_add(mb_sub(p.s, "add2"), x, y);
    tap(p, "", x);
    return x;
}

/* ---- the network ---- */

/* 16x16 patches behind the class token and the registers: x [N,3,H,W] -> [N,C,1,T]. */
static mb_value embed(mb_scope s, mb_value patches)
{
    mb_attrs none = {.bytes = {0}};
    mb_value in[] = {patches, mb_weight(s, "cls_token"), mb_weight_if(s, "reg_token")};
    return mb_record(mb_sub(s, "tokens"), MB_OP_join_tokens, &none, in, 3);
}

/* The rotations of a map's places, the same for all blocks and heads. */
static mb_value rope_table(mb_scope s, mb_value patches, const config *c)
{
    const int64_t *d = mb_dims(s, patches);
    mb_attrs a = {.rotary_table = {(int32_t)d[2], (int32_t)d[3], (int32_t)(d[1] / c->heads), c->rope_base}};
    return mb_record(mb_sub(s, "rope"), MB_OP_rotary_table, &a, NULL, 0);
}

/* Metadata; arch.rope_base is 100 in files that do not say. */
static bool read_config(config *c, const mb_weights *w)
{
    c->rope_base = 100;
    return mb_meta_number(&c->depth, w, "arch.depths", 1, 1000) &&
           mb_meta_number(&c->heads, w, "arch.heads", 1, 1024) &&
           mb_meta_list(c->outputs, MB_BACKBONE_MAPS, w, "arch.output_blocks", 0, c->depth - 1) == MB_BACKBONE_MAPS &&
           mb_meta_floats(&c->eps, 1, w, "arch.norm_eps") &&
           (mb_weights_meta(w, "arch.rope_base") == NULL || mb_meta_floats(&c->rope_base, 1, w, "arch.rope_base"));
}

/* picture [N,3,H,W] -> maps[i] [N,C,H/16,W/16]: the patches after the blocks that the file names. */
static void record(mb_value maps[MB_BACKBONE_MAPS], mb_scope s, mb_value picture, const char *prefix)
{
    config c;
    s = mb_sub(s, "model");
    if (!read_config(&c, s.g->weights)) {
        mb_backbone_fail(s, "arch.depths, arch.heads, arch.output_blocks, arch.norm_eps, arch.rope_base");
        return;
    }
    mb_scope projection = mb_sub(mb_sub(s, "patch_embed"), "proj");
    mb_value patches = mb_nn_conv2d(projection, picture, (int)mb_dims(s, mb_weight(projection, "weight"))[2], 0);
    mb_backbone_tap(s, prefix, "patch_embed", -1, patches);
    const int64_t *d = mb_dims(s, patches), channels = d[1];
    mb_attrs size = {.patch_tokens = {(int32_t)d[2], (int32_t)d[3]}};
    if (channels % (4 * (int64_t)c.heads) != 0) {
        mb_backbone_fail(s, "arch.heads");
        return;
    }
    mb_value rope = rope_table(s, patches, &c), x = embed(s, patches);
    mb_backbone_tap(s, prefix, "rope", -1, rope);
    for (int i = 0; i < c.depth; i++) {
        x = block((place){mb_sub_index(s, "blocks", i), prefix, i}, x, rope, &c);
        for (int k = 0; k < MB_BACKBONE_MAPS; k++) {
            if (c.outputs[k] == i) {
                maps[k] = mb_record(mb_sub_number(s, "out", k), MB_OP_patch_tokens, &size, &x, 1);
                mb_backbone_tap(s, prefix, "out", k, maps[k]);
            }
        }
    }
}

const mb_backbone_model mb_backbone_dino_v3 = {
    .name = "dino_v3", .least_side = 32, .record = record, .neck = mb_dino_v3_neck};
