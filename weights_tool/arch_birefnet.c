/* BiRefNet v1 and v2 in numbers (docs/models/birefnet.md): every width is read from the tensors, so that models of any
 * size load; only what the code knows no other way (two scales, three context maps) is required. Reading and listing
 * are two halves of one check: what birefnet_describe reads becomes the shapes that birefnet_specs expects, and
 * recognise_check compares these with the file. A width that contradicts another is found there. */
#include "arch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading the numbers */

/* Widths and kernel sizes of one decoder block, from the shapes of its tensors. Another tensor of the same width stands in
 * for a missing one, so that recognise_check lists that one alone. The kernels are counted until one is missing. Even kernels have no centre,
 * and the padding of the official code would change the size of the map. */
static mb_status describe_block(decoder_arch *b, const source *s, const char *prefix, mb_error *err)
{
    char name[120];
    *b = (decoder_arch){0};
    b->inner = backbone_dim(s, 0, backbone_dim(s, 0, 64, "%s.conv_in.bias", prefix), "%s.conv_in.weight", prefix);
    b->branch = backbone_dim(s, 0, backbone_dim(s, 0, 256, "%s.dec_att.global_avg_pool.1.weight", prefix),
                             "%s.dec_att.aspp1.atrous_conv.regular_conv.weight", prefix);
    for (int i = 0; i < ARCH_MAX_KERNELS; i++) {
        static const char *const convs[] = {"modulator", "regular"};
        bool there = false;
        for (int k = 0; k < 2; k++) {
            (void)snprintf(name, sizeof name, "%s.dec_att.aspp_deforms.%d.atrous_conv.%s_conv.weight", prefix, i,
                           convs[k]);
            there = there || source_find(s, name) != NULL;
            b->kernels[b->n_kernels] = arch_dim(s, name, 3, b->kernels[b->n_kernels]);
        }
        if (!there) {
            break;
        }
        if (b->kernels[b->n_kernels] % 2 == 0) {
            return mb_fail(err, MB_E_MISMATCH, "%s: a kernel of %" PRId64 " columns; odd ones are expected", name,
                           b->kernels[b->n_kernels]);
        }
        b->n_kernels++;
    }
    return MB_OK;
}

/* Options of the official code that no published model uses. With one scale the lateral convolutions see half of the
 * channels; the context of the three finer maps adds their channels at two scales. The neck of DINOv3 hides the scales
 * from the laterals, but sees them itself. */
static mb_status check_options(const birefnet_arch *a, const source *s, mb_error *err)
{
    const int64_t *c = a->backbone.maps;
    const bool neck = a->backbone.family->neck;
    const int64_t one = c[neck ? 3 : 2];
    int64_t scales =
        arch_dim(s, neck ? "decoder.pyramid_neck_x4.conv.weight" : "decoder.lateral_block4.conv.weight", 1, 2 * one);
    if (scales == one) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "this BiRefNet was trained with one scale (mul_scl_ipt other than \"cat\"); "
                       "only the published two-scale models are supported");
    }
    const int64_t want = 2 * (c[0] + c[1] + c[2]);
    int64_t context = arch_dim(s, "squeeze_module.0.conv_in.weight", 1, want + 2 * c[3]) - 2 * c[3];
    if (context != want) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "this BiRefNet was trained with %" PRId64 " context channels (cxt_num other "
                       "than 3); only %" PRId64 " are supported",
                       context, want);
    }
    const decoder_arch *q = &a->squeeze;
    for (int i = 1; i <= 4; i++) {
        const decoder_arch *b = &a->block[i];
        if (b->n_kernels != q->n_kernels || memcmp(b->kernels, q->kernels, sizeof q->kernels) != 0) {
            return mb_fail(err, MB_E_UNSUPPORTED,
                           "decoder_block%d and squeeze_module have different deformable kernels", i);
        }
    }
    return MB_OK;
}

/* Widths of the decoder's levels: half of what the backbone's two passes give together, or of what the neck gives. */
static void fit_levels(birefnet_arch *a, const source *s)
{
    static const int64_t neck[BACKBONE_MAPS] = {192, 384, 768, 1536};
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        a->levels[i] =
            a->backbone.family->neck && s == NULL ? neck[i]
            : a->backbone.family->neck
                ? backbone_dim(s, 0, backbone_dim(s, 0, 2 * neck[i], "decoder.pyramid_neck_x%d.conv.bias", i + 1),
                               "decoder.pyramid_neck_x%d.conv.weight", i + 1) /
                      2
                : a->backbone.maps[i];
    }
}

/* What ipt_blk<i> puts out in the official code. */
static int64_t official_tiles(const birefnet_arch *a, int i)
{
    return a->backbone.maps[i < 5 ? i - 1 : 3] / 4;
}

void birefnet_fit(birefnet_arch *a, const backbone_arch *backbone, bool v2)
{
    static const decoder_arch decoders[2] = {{64, 256, 1, {3}}, {64, 256, 3, {1, 3, 7}}};
    *a = (birefnet_arch){.backbone = *backbone, .ipt_blk5 = v2, .gate4 = v2, .squeeze = decoders[v2]};
    fit_levels(a, NULL);
    for (int i = 1; i <= 5; i++) {
        a->tile_inner[i] = 64;
        a->tile_out[i] = official_tiles(a, i);
        if (i < 5) {
            a->block[i] = decoders[v2];
        }
        if (i >= 2 && i < 5) {
            a->gate_width[i] = 16;
        }
    }
}

/* ---- batch norms */

/* As the metadata and the engine call them. */
static const char *const norm_names[NORM_PLACES] = {"bn", "bn_in", "bn_out", "bn1", "global_avg_pool.2", "gdt_convs.1"};

/* The kind of norm that a tensor belongs to; NORM_PLACES: none. The backbone has layer norms only, so names that begin
 * with "bb." are none of them. Gates are "decoder.gdt_convs_N.1", with one digit for N. */
static norm_place norm_of(const char *tensor)
{
    const char *end = strrchr(tensor, '.');
    if (end == NULL || strncmp(tensor, "bb.", 3) == 0) {
        return NORM_PLACES;
    }
    const size_t n = (size_t)(end - tensor);
    if (strncmp(tensor, "decoder.gdt_convs_", 18) == 0 && n == 21 && memcmp(tensor + 19, ".1", 2) == 0) {
        return NORM_GATE;
    }
    for (int i = 0; i < NORM_GATE; i++) {
        size_t m = strlen(norm_names[i]);
        if (n > m && memcmp(tensor + n - m, norm_names[i], m) == 0 && tensor[n - m - 1] == '.') {
            return (norm_place)i;
        }
    }
    return NORM_PLACES;
}

bool birefnet_lacks_norms(const birefnet_arch *a)
{
    bool any = false;
    for (int i = 0; i < NORM_PLACES; i++) {
        any = any || a->no_norm[i];
    }
    return any;
}

void birefnet_drop_norms(birefnet_arch *a)
{
    for (int i = 0; i < NORM_PLACES; i++) {
        a->no_norm[i] = true;
    }
}

/* A kind of norm of which the file has not one tensor is a kind that the network has not. One tensor there, and what
 * is missing is missing. The list of all tensors is made once for this question, with all norms assumed. */
static mb_status describe_norms(birefnet_arch *a, const source *s, mb_error *err)
{
    bool present[NORM_PLACES + 1] = {false};
    spec_list all = {0};
    birefnet_specs(&all, a);
    if (all.failed) {
        spec_list_dispose(&all);
        return mb_fail_memory(err, sizeof all.v[0], "the list of expected tensors");
    }
    for (size_t i = 0; i < all.n; i++) {
        norm_place place = norm_of(all.v[i].name);
        present[place] = present[place] || source_find(s, all.v[i].name) != NULL;
    }
    spec_list_dispose(&all);
    for (int i = 0; i < NORM_PLACES; i++) {
        a->no_norm[i] = !present[i];
    }
    return MB_OK;
}

/* Everything that birefnet_specs needs to list all tensors. Options of the code show in tensors that exist or not
 * (ipt_blk5, gate 4). Widths of tiles and gates default to those of the official code where a tensor is absent, so
 * that recognise_check can report it as missing with its right shape. */
mb_status birefnet_describe(birefnet_arch *a, const backbone_family *backbone, const source *s,
                            const backbone_told *told, mb_error *err)
{
    char name[120];
    *a = (birefnet_arch){0};
    mb_status status = backbone_describe(&a->backbone, backbone, s, told, err);
    fit_levels(a, s);
    if (status == MB_OK) {
        status = describe_block(&a->squeeze, s, "squeeze_module.0", err);
    }
    for (int i = 1; i <= 4 && status == MB_OK; i++) {
        (void)snprintf(name, sizeof name, "decoder.decoder_block%d", i);
        status = describe_block(&a->block[i], s, name, err);
    }
    a->ipt_blk5 =
        backbone_has(s, "decoder.ipt_blk5.conv1.weight") || backbone_has(s, "decoder.ipt_blk5.conv_out.weight");
    a->gate4 = backbone_has(s, "decoder.gdt_convs_4.0.weight") || backbone_has(s, "decoder.gdt_convs_attn_4.0.weight");
    for (int i = 1; i <= 5; i++) {
        a->tile_inner[i] = backbone_dim(s, 0, backbone_dim(s, 0, 64, "decoder.ipt_blk%d.conv1.bias", i),
                                        "decoder.ipt_blk%d.conv1.weight", i);
        a->tile_out[i] =
            backbone_dim(s, 0, backbone_dim(s, 0, official_tiles(a, i), "decoder.ipt_blk%d.conv_out.bias", i),
                         "decoder.ipt_blk%d.conv_out.weight", i);
    }
    for (int i = 2; i <= 4; i++) {
        a->gate_width[i] = backbone_dim(s, 0, backbone_dim(s, 0, 16, "decoder.gdt_convs_%d.0.bias", i),
                                        "decoder.gdt_convs_%d.0.weight", i);
    }
    status = status != MB_OK ? status : describe_norms(a, s, err);
    return status != MB_OK ? status : check_options(a, s, err);
}

/* ---- listing the tensors */

/* Deformable convolution with its batch norm: PREFIX.atrous_conv.{offset,modulator,regular}_conv, PREFIX.bn. */
static void deformable(spec_list *l, const decoder_arch *b, int64_t k, const char *prefix)
{
    char name[100];
    (void)snprintf(name, sizeof name, "%s.atrous_conv.offset_conv", prefix);
    spec_add_pair(l, SPEC_OFFSET, (int64_t[4]){2 * k * k, b->inner, k, k}, name);
    (void)snprintf(name, sizeof name, "%s.atrous_conv.modulator_conv", prefix);
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){k * k, b->inner, k, k}, name);
    spec_add(l, SPEC_CONV, (int64_t[4]){b->branch, b->inner, k, k}, "%s.atrous_conv.regular_conv.weight", prefix);
    (void)snprintf(name, sizeof name, "%s.bn", prefix);
    spec_add_batch_norm(l, b->branch, name);
}

/* A BasicDecBlk from `in` to `out` channels. The joining 1x1 sees the 1x1 branch, the pooled one, and one for each
 * deformable kernel, hence (2 + n_kernels) branches. */
static void decoder_block(spec_list *l, const decoder_arch *b, int64_t in, int64_t out, const char *prefix)
{
    char name[100];
    (void)snprintf(name, sizeof name, "%s.conv_in", prefix);
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){b->inner, in, 3, 3}, name);
    (void)snprintf(name, sizeof name, "%s.dec_att.aspp1", prefix);
    deformable(l, b, 1, name);
    for (int i = 0; i < b->n_kernels; i++) {
        (void)snprintf(name, sizeof name, "%s.dec_att.aspp_deforms.%d", prefix, i);
        deformable(l, b, b->kernels[i], name);
    }
    spec_add(l, SPEC_CONV, (int64_t[4]){b->branch, b->inner, 1, 1}, "%s.dec_att.global_avg_pool.1.weight", prefix);
    (void)snprintf(name, sizeof name, "%s.dec_att.global_avg_pool.2", prefix);
    spec_add_batch_norm(l, b->branch, name);
    spec_add(l, SPEC_CONV, (int64_t[4]){b->inner, (2 + b->n_kernels) * b->branch, 1, 1}, "%s.dec_att.conv1.weight",
             prefix);
    (void)snprintf(name, sizeof name, "%s.dec_att.bn1", prefix);
    spec_add_batch_norm(l, b->inner, name);
    (void)snprintf(name, sizeof name, "%s.conv_out", prefix);
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){out, b->inner, 3, 3}, name);
    (void)snprintf(name, sizeof name, "%s.bn_in", prefix);
    spec_add_batch_norm(l, b->inner, name);
    (void)snprintf(name, sizeof name, "%s.bn_out", prefix);
    spec_add_batch_norm(l, out, name);
}

/* Convolutions over the input picture, cut into tiles that become channels. v1 has no ipt_blk5. */
static void tiles(spec_list *l, const birefnet_arch *a)
{
    char name[64];
    for (int i = a->ipt_blk5 ? 5 : 4; i >= 1; i--) {
        int64_t side = i == 1 ? 1 : (int64_t)1 << i; /* tiles a side: 32, 16, 8, 4, 1 */
        (void)snprintf(name, sizeof name, "decoder.ipt_blk%d.conv1", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->tile_inner[i], 3 * side * side, 3, 3}, name);
        (void)snprintf(name, sizeof name, "decoder.ipt_blk%d.conv_out", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->tile_out[i], a->tile_inner[i], 3, 3}, name);
    }
}

/* Three lists, each from the deepest block to the first, in the order in which the official code registers them. The
 * "pred" heads serve training alone. */
static void gates(spec_list *l, const birefnet_arch *a)
{
    const int first = a->gate4 ? 4 : 3;
    char name[64];
    for (int i = first; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_%d.0", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->gate_width[i], 2 * a->levels[i - 2], 3, 3}, name);
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_%d.1", i);
        spec_add_batch_norm(l, a->gate_width[i], name);
    }
    for (int i = first; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_pred_%d.0", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, a->gate_width[i], 1, 1}, name);
    }
    for (int i = first; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_attn_%d.0", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, a->gate_width[i], 1, 1}, name);
    }
}

/* DINOv3: 1x1 convolutions from the width of the ViT to those of the decoder's levels. */
static void neck(spec_list *l, const birefnet_arch *a)
{
    for (int i = BACKBONE_MAPS; i >= 1 && a->backbone.family->neck; i--) {
        backbone_pair(l, SPEC_CONV, (int64_t[4]){2 * a->levels[i - 1], 2 * a->backbone.maps[i - 1], 1, 1},
                      "decoder.pyramid_neck_x%d.conv", i);
    }
}

/* All tensors of this architecture in the published order, without the norms that the file lacks: every tensor of the
 * state dict in its order. The squeeze sees all maps of both passes. The input channels of decoder block i are its own
 * map and the tiles joined to it; it puts out what the next level holds. Norms of kinds that the network lacks are
 * taken out at the end, and what inference does not use is marked. */
void birefnet_specs(spec_list *l, const birefnet_arch *a)
{
    const int64_t *c = a->backbone.maps, *level = a->levels;
    char name[64];
    a->backbone.family->specs(l, &a->backbone);
    decoder_block(l, &a->squeeze, 2 * (c[0] + c[1] + c[2] + c[3]), 2 * c[3], "squeeze_module.0");
    neck(l, a);
    tiles(l, a);
    for (int i = 4; i >= 1; i--) {
        int64_t joined = i == 4 && !a->ipt_blk5 ? 0 : a->tile_out[i + 1];
        (void)snprintf(name, sizeof name, "decoder.decoder_block%d", i);
        decoder_block(l, &a->block[i], 2 * level[i - 1] + joined, i > 1 ? 2 * level[i - 2] : level[0], name);
    }
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, level[0] + a->tile_out[1], 1, 1}, "decoder.conv_out1.0");
    for (int i = 4; i >= 2; i--) {
        const int64_t width = 2 * level[i - 2];
        (void)snprintf(name, sizeof name, "decoder.lateral_block%d.conv", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){width, width, 1, 1}, name);
    }
    for (int i = 4; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.conv_ms_spvn_%d", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, 2 * level[i - 2], 1, 1}, name);
    }
    gates(l, a);
    /* Leaves out the norms that the network lacks, in place and in order. */
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        norm_place place = norm_of(l->v[i].name);
        if (place == NORM_PLACES || !a->no_norm[place]) {
            l->v[n] = l->v[i];
            l->v[n].ignored = birefnet_ignores(a, l->v[n].name);
            n++;
        }
    }
    l->n = n;
}

/* The suffixes begin with a dot, so that only whole components match. */
static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* docs/format.md, section "Tensors": counters, derivable indices and heads that only the training's losses look at. */
bool birefnet_ignores(const birefnet_arch *a, const char *name)
{
    const backbone_family *f = a->backbone.family;
    return ends_with(name, ".num_batches_tracked") || (f != NULL && f->ignores != NULL && f->ignores(name)) ||
           strncmp(name, "decoder.conv_ms_spvn_", 21) == 0 || strncmp(name, "decoder.gdt_convs_pred_", 23) == 0;
}

/* ---- metadata */

/* Widths that follow from the tensors' shapes are not written. Mean and deviation are ImageNet's. The divisor is 32
 * with ipt_blk5, whose tiles are 32 a side, and 16 without. */
mb_status birefnet_write_meta(mbw_writer *w, const birefnet_arch *a, mb_error *err)
{
    char kernels[64];
    arch_join(kernels, sizeof kernels, a->squeeze.kernels, (size_t)a->squeeze.n_kernels);
    const char *const pairs[][2] = {
        {"arch.family", "birefnet"},
        {"arch.generation", a->ipt_blk5 ? "v2" : "v1"},
        {"arch.deform_kernels", kernels},
        {"arch.ipt_blk5", a->ipt_blk5 ? "1" : "0"},
        {"arch.gate4", a->gate4 ? "1" : "0"},
        {"arch.patch_order", "rows"},
        {"input.mean", "0.485,0.456,0.406"},
        {"input.std", "0.229,0.224,0.225"},
        {"input.divisor", a->ipt_blk5 ? "32" : "16"},
    };
    mb_status status = backbone_write_meta(w, &a->backbone, err);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && status == MB_OK; i++) {
        status = mbw_writer_meta(w, pairs[i][0], pairs[i][1], err);
    }
    if (status == MB_OK && birefnet_lacks_norms(a)) {
        char identities[120] = "";
        for (int i = 0; i < NORM_PLACES; i++) {
            size_t at = strlen(identities);
            (void)snprintf(identities + at, sizeof identities - at, "%s%s", a->no_norm[i] && at > 0 ? "," : "",
                           a->no_norm[i] ? norm_names[i] : "");
        }
        status = mbw_writer_meta(w, "arch.identities", identities, err);
    }
    return status;
}
