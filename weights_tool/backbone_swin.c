/* Swin v1 (docs/models/birefnet.md): any width, depths, heads and window. */
#include "backbone.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TABLE   "relative_position_bias_table"
#define SIZE(e) .maps = {(e), 2 * (e), 4 * (e), 8 * (e)}, .hidden = {4 * (e), 8 * (e), 16 * (e), 32 * (e)}

static const backbone_preset presets[] = {
    {"swin-t", "Swin-T", {SIZE(96), .window = 7, .depths = {2, 2, 6, 2}, .heads = {3, 6, 12, 24}}},
    {"swin-s", "Swin-S", {SIZE(96), .window = 7, .depths = {2, 2, 18, 2}, .heads = {3, 6, 12, 24}}},
    {"swin-b", "Swin-B", {SIZE(128), .window = 12, .depths = {2, 2, 18, 2}, .heads = {4, 8, 16, 32}}},
    {"swin-l", "Swin-L", {SIZE(192), .window = 12, .depths = {2, 2, 18, 2}, .heads = {6, 12, 24, 48}}},
    {"swin-l-24",
     "Swin-L with 24 blocks in stage 3",
     {SIZE(192), .window = 12, .depths = {2, 2, 24, 2}, .heads = {6, 12, 24, 48}}},
};

/* A dimension of the tables of relative positions of a stage: of the first that is there. */
static int64_t table_dim(const source *s, const backbone_arch *a, int stage, int axis, int64_t otherwise)
{
    int64_t dim = 0;
    for (int i = 0; i < a->depths[stage] && dim == 0; i++) {
        dim = backbone_dim(s, axis, 0, "bb.layers.%d.blocks.%d.attn." TABLE, stage, i);
    }
    return dim > 0 ? dim : otherwise;
}

/* The table of relative positions has (2 * window - 1)^2 rows, which is the only trace of the window's size in a
 * checkpoint; its columns are the heads, which double from stage to stage. Blocks are counted until one is missing. */
static mb_status describe(backbone_arch *a, const source *s, mb_error *err)
{
    static const char *const inner[] = {"norm1.weight", "attn.qkv.weight", "norm2.weight", NULL};
    const int64_t e = arch_dim(s, "bb.patch_embed.proj.weight", 0, arch_dim(s, "bb.patch_embed.norm.weight", 0, 96));
    int64_t rows = 169;
    for (int stage = BACKBONE_MAPS - 1; stage >= 0; stage--) { /* the first stage's count */
        a->depths[stage] = backbone_count(s, inner, "bb.layers.%d.blocks.", stage);
        rows = table_dim(s, a, stage, 0, rows);
    }
    const int64_t side = (int64_t)lround(sqrt((double)rows));
    if (side * side != rows || side % 2 == 0) {
        return mb_fail(err, MB_E_MISMATCH, "a relative position table of %" PRId64 " rows belongs to no window", rows);
    }
    a->window = (side + 1) / 2; /* side = 2 * window - 1 */
    const int64_t bias = arch_dim(s, "bb.layers.0.blocks.0.mlp.fc1.bias", 0, 4 * e);
    const int64_t ratio = arch_dim(s, "bb.layers.0.blocks.0.mlp.fc1.weight", 0, bias) / e;
    for (int stage = 0; stage < BACKBONE_MAPS; stage++) {
        a->maps[stage] = e << stage;
        a->hidden[stage] = ratio * a->maps[stage];
        a->heads[stage] = table_dim(s, a, stage, 1, stage > 0 ? 2 * a->heads[stage - 1] : 1);
        if (a->depths[stage] == 0) {
            return mb_fail(err, MB_E_MISMATCH,
                           "stage %d of the backbone has no blocks (bb.layers.%d.blocks.0 is missing)", stage, stage);
        }
    }
    return MB_OK;
}

/* One block: window attention with its bias table, then the MLP. */
static void block(spec_list *l, const backbone_arch *a, int stage, int i)
{
    const int64_t c = a->maps[stage], hidden = a->hidden[stage], w = a->window;
    backbone_layer_norm(l, c, "bb.layers.%d.blocks.%d.norm1", stage, i);
    spec_add(l, SPEC_TABLE, (int64_t[4]){(2 * w - 1) * (2 * w - 1), a->heads[stage]},
             "bb.layers.%d.blocks.%d.attn." TABLE, stage, i);
    spec_add(l, SPEC_INDEX, (int64_t[4]){w * w, w * w}, "bb.layers.%d.blocks.%d.attn.relative_position_index", stage,
             i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){3 * c, c}, "bb.layers.%d.blocks.%d.attn.qkv", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, "bb.layers.%d.blocks.%d.attn.proj", stage, i);
    backbone_layer_norm(l, c, "bb.layers.%d.blocks.%d.norm2", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){hidden, c}, "bb.layers.%d.blocks.%d.mlp.fc1", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, hidden}, "bb.layers.%d.blocks.%d.mlp.fc2", stage, i);
}

/* Between stages a linear layer joins 2x2 tokens of c channels into one of 2c, without bias. */
static void specs(spec_list *l, const backbone_arch *a)
{
    backbone_pair(l, SPEC_CONV, (int64_t[4]){a->maps[0], 3, 4, 4}, "bb.patch_embed.proj");
    backbone_layer_norm(l, a->maps[0], "bb.patch_embed.norm");
    for (int stage = 0; stage < BACKBONE_MAPS; stage++) {
        const int64_t c = a->maps[stage];
        for (int i = 0; i < a->depths[stage]; i++) {
            block(l, a, stage, i);
        }
        if (stage + 1 < BACKBONE_MAPS) {
            spec_add(l, SPEC_LINEAR, (int64_t[4]){2 * c, 4 * c}, "bb.layers.%d.downsample.reduction.weight", stage);
            backbone_layer_norm(l, 4 * c, "bb.layers.%d.downsample.norm", stage);
        }
    }
    for (int stage = 0; stage < BACKBONE_MAPS; stage++) {
        backbone_layer_norm(l, a->maps[stage], "bb.norm%d", stage);
    }
}

static bool ignores(const char *name)
{
    static const char end[] = ".relative_position_index";
    const size_t n = strlen(name);
    return (n >= sizeof end && strcmp(name + n - sizeof end + 1, end) == 0) ||
           strncmp(name, "bb.swin.layernorm.", 18) == 0; /* transformers' norm behind the last stage: not used */
}

/* Above one for queries, keys and values, below one for the outputs of the residual branches. */
static double gain(const char *name)
{
    return strstr(name, ".qkv.") != NULL         ? 1.25
           : strstr(name, ".attn.proj.") != NULL ? 0.5
           : strstr(name, ".fc2.") != NULL       ? 0.75
                                                 : 1.0;
}

const backbone_family backbone_swin = {
    .name = "swin_v1",
    .kind = "Swin",
    .marks = {"bb.patch_embed.proj.weight", "bb.layers.0.blocks.0.attn.qkv.weight"},
    .trace = {"bb.layers.0.blocks.0.attn.qkv.weight", "bb.layers.0.blocks.0.attn.proj.weight"},
    .stages = BACKBONE_MAPS,
    .presets = presets,
    .n_presets = sizeof presets / sizeof presets[0],
    .describe = describe,
    .specs = specs,
    .ignores = ignores,
    .gain = gain,
};
