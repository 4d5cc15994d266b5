/* PVTv2 (Wang et al. 2022): four stages, keys and values of cells of the map. Heads are in no shape: 1, 2, 5, 8 in
 * every published size. Two epsilons: 1e-6 of the norms in and behind the blocks, 1e-5 of those of embeddings and
 * keys. */
#include "backbone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EPS "1e-6,1e-5"
#define SIZE(a, b, c, d, r)                                                                                            \
    .maps = {(a), (b), (c), (d)}, .hidden = {(r) * (a), (r) * (b), 4 * (c), 4 * (d)}, .heads = {1, 2, 5, 8},           \
    .reductions = {8, 4, 2, 1}, .norm_eps = EPS

static const backbone_preset presets[] = {
    {"pvt-v2-b0", "PVTv2-B0", {SIZE(32, 64, 160, 256, 8), .depths = {2, 2, 2, 2}}},
    {"pvt-v2-b1", "PVTv2-B1", {SIZE(64, 128, 320, 512, 8), .depths = {2, 2, 2, 2}}},
    {"pvt-v2-b2", "PVTv2-B2", {SIZE(64, 128, 320, 512, 8), .depths = {3, 4, 6, 3}}},
    {"pvt-v2-b5", "PVTv2-B5", {SIZE(64, 128, 320, 512, 4), .depths = {3, 6, 40, 3}}},
    {"tiny-pvt", "a tiny PVTv2", {SIZE(16, 32, 80, 128, 8), .depths = {2, 1, 3, 2}}},
};

/* Side of the cells of a stage: of the first block that has one; the official one where only the rest of that layer is
 * there. */
static int64_t reduction(const source *s, const backbone_arch *a, int i)
{
    static const int64_t official[BACKBONE_MAPS] = {8, 4, 2, 1};
    int64_t side = 0;
    for (int k = 0; k < a->depths[i] && side == 0; k++) {
        side = backbone_dim(s, 3, 0, "bb.block%d.%d.attn.sr.weight", i + 1, k);
    }
    return side > 0 ? side : backbone_has(s, "bb.block%d.0.attn.sr.bias", i + 1) ? official[i] : 1;
}

static mb_status describe(backbone_arch *a, const source *s, mb_error *err)
{
    static const int64_t official[BACKBONE_MAPS] = {64, 128, 320, 512}, heads[BACKBONE_MAPS] = {1, 2, 5, 8};
    static const char *const inner[] = {"norm1.weight", "attn.q.weight", "norm2.weight", NULL};
    (void)snprintf(a->norm_eps, sizeof a->norm_eps, "%s", EPS);
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        const int stage = i + 1;
        const int64_t norm = backbone_dim(s, 0, official[i], "bb.patch_embed%d.norm.weight", stage);
        a->heads[i] = heads[i];
        a->maps[i] = backbone_dim(s, 0, norm, "bb.patch_embed%d.proj.weight", stage);
        a->depths[i] = backbone_count(s, inner, "bb.block%d.", stage);
        const int64_t bias = backbone_dim(s, 0, 4 * a->maps[i], "bb.block%d.0.mlp.fc1.bias", stage);
        a->hidden[i] = backbone_dim(s, 0, bias, "bb.block%d.0.mlp.fc1.weight", stage);
        a->reductions[i] = reduction(s, a, i);
        if (a->depths[i] == 0) {
            return mb_fail(err, MB_E_MISMATCH, "stage %d of the backbone has no blocks (bb.block%d.0 is missing)", i,
                           stage);
        }
    }
    return MB_OK;
}

static void block(spec_list *l, const backbone_arch *a, int stage, int i)
{
    const int64_t c = a->maps[stage - 1], hidden = a->hidden[stage - 1], sr = a->reductions[stage - 1];
    backbone_layer_norm(l, c, "bb.block%d.%d.norm1", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, "bb.block%d.%d.attn.q", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){2 * c, c}, "bb.block%d.%d.attn.kv", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, "bb.block%d.%d.attn.proj", stage, i);
    if (sr > 1) {
        backbone_pair(l, SPEC_CONV, (int64_t[4]){c, c, sr, sr}, "bb.block%d.%d.attn.sr", stage, i);
        backbone_layer_norm(l, c, "bb.block%d.%d.attn.norm", stage, i);
    }
    backbone_layer_norm(l, c, "bb.block%d.%d.norm2", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){hidden, c}, "bb.block%d.%d.mlp.fc1", stage, i);
    backbone_pair(l, SPEC_CONV, (int64_t[4]){hidden, 1, 3, 3}, "bb.block%d.%d.mlp.dwconv.dwconv", stage, i);
    backbone_pair(l, SPEC_LINEAR, (int64_t[4]){c, hidden}, "bb.block%d.%d.mlp.fc2", stage, i);
}

static void specs(spec_list *l, const backbone_arch *a)
{
    for (int stage = 1; stage <= BACKBONE_MAPS; stage++) {
        const int64_t c = a->maps[stage - 1], in = stage == 1 ? 3 : a->maps[stage - 2], k = stage == 1 ? 7 : 3;
        backbone_pair(l, SPEC_CONV, (int64_t[4]){c, in, k, k}, "bb.patch_embed%d.proj", stage);
        backbone_layer_norm(l, c, "bb.patch_embed%d.norm", stage);
    }
    for (int stage = 1; stage <= BACKBONE_MAPS; stage++) {
        for (int i = 0; i < a->depths[stage - 1]; i++) {
            block(l, a, stage, i);
        }
        backbone_layer_norm(l, a->maps[stage - 1], "bb.norm%d", stage);
    }
}

static double gain(const char *name)
{
    return strstr(name, ".attn.q.") != NULL || strstr(name, ".attn.kv.") != NULL  ? 1.2
           : strstr(name, ".fc1.") != NULL || strstr(name, ".dwconv.") != NULL    ? 1.2
           : strstr(name, ".attn.proj.") != NULL || strstr(name, ".fc2.") != NULL ? 0.7
           : strstr(name, "patch_embed1.") != NULL                                ? 2.0
                                                                                  : 1.0;
}

const backbone_family backbone_pvt = {
    .name = "pvt_v2",
    .kind = "PVTv2",
    .marks = {"bb.patch_embed1.proj.weight", NULL},
    .trace = {"bb.patch_embed1.norm.weight", NULL},
    .stages = BACKBONE_MAPS,
    .heads_unknown = true,
    .n_eps = 2,
    .presets = presets,
    .n_presets = sizeof presets / sizeof presets[0],
    .describe = describe,
    .specs = specs,
    .gain = gain,
};
