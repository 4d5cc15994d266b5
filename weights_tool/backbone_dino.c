/* DINOv3 (Siméoni et al. 2025): a plain ViT with registers and rotary positions, under "bb.model.". Neither the heads
 * nor the blocks that give maps are in any shape. */
#include "backbone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EPS       "1e-5"
#define ROPE_BASE "100"
#define SIZE(c, hidden_)                                                                                               \
    .maps = {(c), (c), (c), (c)}, .hidden = {(hidden_)}, .heads = {(c) == 4096 ? 32 : (c) / 64}, .registers = 4,       \
    .norm_eps = EPS, .rope_base = ROPE_BASE
#define DEPTH12  .depths = {12}, .outputs = {3, 5, 7, 11}
#define DEPTH(n) .depths = {(n)}, .outputs = {(n) / 4 - 1, (n) / 2 - 1, 3 * (n) / 4 - 1, (n)-1}

static const backbone_preset presets[] = {
    {"dino-v3-s", "DINOv3 ViT-S", {SIZE(384, 1536), DEPTH12}},
    {"dino-v3-s-plus", "DINOv3 ViT-S+", {SIZE(384, 1536), DEPTH12, .gated = true}},
    {"dino-v3-b", "DINOv3 ViT-B", {SIZE(768, 3072), DEPTH12}},
    {"dino-v3-l", "DINOv3 ViT-L", {SIZE(1024, 4096), DEPTH(24)}},
    {"dino-v3-h-plus", "DINOv3 ViT-H+", {SIZE(1280, 5120), DEPTH(32), .gated = true}},
    {"dino-v3-7b", "DINOv3 ViT-7B", {SIZE(4096, 8192), DEPTH(40), .gated = true}},
    {"tiny-dino-plus", "a tiny DINOv3 with SwiGLU", {SIZE(128, 424), DEPTH(8), .gated = true}},
    {"tiny-dino", "a tiny DINOv3", {SIZE(128, 512), DEPTH12}},
};

/* Blocks that give maps, by the depth: 3, 5, 7, 11 of 12, the quarters of any other. */
static void output_blocks(int64_t out[BACKBONE_MAPS], int64_t depth)
{
    static const int64_t twelve[BACKBONE_MAPS] = {3, 5, 7, 11};
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        out[i] = depth == 12 ? twelve[i] : (i + 1) * depth / 4 - 1;
    }
}

static mb_status describe(backbone_arch *a, const source *s, mb_error *err)
{
    static const char *const inner[] = {"attn.qkv.weight", "norm1.weight", "norm2.weight", NULL};
    static const char *const gates[] = {"fc1_g.weight", "fc1_g.bias", "fc1_x.weight"};
    const int64_t c = arch_dim(s, "bb.model.cls_token", 2, arch_dim(s, "bb.model.reg_token", 2, 768));
    const int64_t patch = arch_dim(s, "bb.model.patch_embed.proj.weight", 3, 16);
    (void)snprintf(a->norm_eps, sizeof a->norm_eps, "%s", EPS);
    (void)snprintf(a->rope_base, sizeof a->rope_base, "%s", ROPE_BASE);
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        a->maps[i] = c;
    }
    a->depths[0] = backbone_count(s, inner, "bb.model.blocks.");
    a->registers = arch_dim(s, "bb.model.reg_token", 1, 4);
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        a->gated = a->gated || backbone_has(s, "bb.model.blocks.0.mlp.%s", gates[i]);
    }
    const int64_t bias = backbone_dim(s, 0, 4 * c, "bb.model.blocks.0.mlp.%s.bias", a->gated ? "fc1_x" : "fc1");
    a->hidden[0] = arch_dim(s, "bb.model.blocks.0.mlp.fc2.weight", 1, bias);
    a->separate_biases =
        backbone_has(s, "bb.model.blocks.0.attn.q_bias") || backbone_has(s, "bb.model.blocks.0.attn.v_bias");
    if (!backbone_has(s, "decoder.pyramid_neck_x4.conv.weight") &&
        !backbone_has(s, "decoder.pyramid_neck_x3.conv.weight")) {
        return mb_fail(err, MB_E_MISMATCH,
                       "decoder.pyramid_neck_x4.conv.weight is missing: a BiRefNet with DINOv3 has a neck since "
                       "2025-10-09, older ones are not supported");
    }
    if (c % 64 != 0) {
        return mb_fail(err, MB_E_MISMATCH, "bb.model.cls_token: %" PRId64 " channels are no multiple of 64", c);
    }
    if (patch != 16) {
        return mb_fail(err, MB_E_MISMATCH, "bb.model.patch_embed.proj.weight: patches of %" PRId64 ", 16 are expected",
                       patch);
    }
    if (a->depths[0] % 4 != 0) {
        return mb_fail(err, MB_E_MISMATCH, "bb.model.blocks: %" PRId64 " blocks are no multiple of 4", a->depths[0]);
    }
    a->heads[0] = c == 4096 ? 32 : c / 64;
    output_blocks(a->outputs, a->depths[0]);
    return MB_OK;
}

static void block(spec_list *l, const backbone_arch *a, int i)
{
    const int64_t c = a->maps[0], hidden = a->hidden[0];
    spec_add(l, SPEC_LAYER_SCALE, (int64_t[4]){c}, "bb.model.blocks.%d.gamma_1", i);
    spec_add(l, SPEC_LAYER_SCALE, (int64_t[4]){c}, "bb.model.blocks.%d.gamma_2", i);
    backbone_layer_norm(l, c, "bb.model.blocks.%d.norm1", i);
    if (a->separate_biases) {
        spec_add(l, SPEC_BIAS, (int64_t[4]){c}, "bb.model.blocks.%d.attn.q_bias", i);
        spec_add(l, SPEC_BIAS, (int64_t[4]){c}, "bb.model.blocks.%d.attn.v_bias", i);
    }
    spec_add(l, SPEC_LINEAR, (int64_t[4]){3 * c, c}, "bb.model.blocks.%d.attn.qkv.weight", i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, "bb.model.blocks.%d.attn.proj", i);
    backbone_layer_norm(l, c, "bb.model.blocks.%d.norm2", i);
    if (a->gated) {
        backbone_pair(l, SPEC_LINEAR, (int64_t[4]){hidden, c}, "bb.model.blocks.%d.mlp.fc1_g", i);
        backbone_pair(l, SPEC_LINEAR, (int64_t[4]){hidden, c}, "bb.model.blocks.%d.mlp.fc1_x", i);
    } else {
        backbone_pair(l, SPEC_LINEAR, (int64_t[4]){hidden, c}, "bb.model.blocks.%d.mlp.fc1", i);
    }
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, hidden}, "bb.model.blocks.%d.mlp.fc2", i);
}

static void specs(spec_list *l, const backbone_arch *a)
{
    const int64_t c = a->maps[0];
    spec_add(l, SPEC_TOKEN, (int64_t[4]){1, 1, c}, "bb.model.cls_token");
    spec_add(l, SPEC_TOKEN, (int64_t[4]){1, a->registers, c}, "bb.model.reg_token");
    backbone_pair(l, SPEC_CONV, (int64_t[4]){c, 3, 16, 16}, "bb.model.patch_embed.proj");
    for (int i = 0; i < a->depths[0]; i++) {
        block(l, a, i);
    }
}

/* What other builds of the same network save beside it. */
static bool ignores(const char *name)
{
    static const char *const prefixes[] = {"bb.model.norm.", "bb.model.rope.", "bb.model.mask_token"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static double gain(const char *name)
{
    return strstr(name, ".qkv.") != NULL          ? 1.3
           : strstr(name, ".fc1") != NULL         ? 1.2
           : strstr(name, "patch_embed.") != NULL ? 2.0
                                                  : 1.0;
}

const backbone_family backbone_dino = {
    .name = "dino_v3",
    .kind = "DINOv3",
    .marks = {"bb.model.blocks.0.attn.qkv.weight", NULL},
    .trace = {"bb.model.blocks.0.attn.proj.weight", NULL},
    .stages = 1,
    .heads_unknown = true,
    .outputs_unknown = true,
    .n_eps = 1,
    .neck = true,
    .presets = presets,
    .n_presets = sizeof presets / sizeof presets[0],
    .describe = describe,
    .specs = specs,
    .ignores = ignores,
    .gain = gain,
};
