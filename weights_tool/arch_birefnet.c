/* BiRefNet v1 and v2 in numbers (docs/models/birefnet.md): every width is read from the tensors, so that models of any
 * size load; only what the code knows no other way (two scales, three context maps) is required. */
#include "arch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void arch_join(char *dst, size_t capacity, const int64_t *v, size_t n)
{
    size_t at = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < n && at < capacity; i++) {
        int m = snprintf(dst + at, capacity - at, "%s%" PRId64, i > 0 ? "," : "", v[i]);
        at += m > 0 ? (size_t)m : 0;
    }
}

int64_t arch_dim(const source *s, const char *name, int axis, int64_t otherwise)
{
    const source_tensor *t = source_find(s, name);
    return t != NULL && axis < t->rank && t->dims[axis] > 0 ? t->dims[axis] : otherwise;
}

/* ---- reading the numbers */

/* Widths and kernel sizes of one decoder block, from the shapes of its tensors. A missing tensor gives the published
 * width, so that recognise_check lists it. */
static mb_status describe_block(decoder_arch *b, const source *s, const char *prefix, mb_error *err)
{
    char name[120];
    *b = (decoder_arch){0};
    (void)snprintf(name, sizeof name, "%s.conv_in.weight", prefix);
    b->inner = arch_dim(s, name, 0, 64);
    (void)snprintf(name, sizeof name, "%s.dec_att.aspp1.atrous_conv.regular_conv.weight", prefix);
    b->branch = arch_dim(s, name, 0, 256);
    for (int i = 0; i < ARCH_MAX_KERNELS; i++) {
        (void)snprintf(name, sizeof name, "%s.dec_att.aspp_deforms.%d.atrous_conv.regular_conv.weight", prefix, i);
        if (source_find(s, name) == NULL) {
            break;
        }
        b->kernels[b->n_kernels] = arch_dim(s, name, 3, 0);
        if (b->kernels[b->n_kernels] % 2 == 0) {
            return mb_fail(err, MB_E_MISMATCH, "%s: a kernel of %" PRId64 " columns; odd ones are expected", name,
                           b->kernels[b->n_kernels]);
        }
        b->n_kernels++;
    }
    return MB_OK;
}

/* Swin: the window from the rows of the bias table, which are (2 window - 1)^2; depths by counting blocks; heads
 * from the tables. */
static mb_status describe_backbone(birefnet_arch *a, const source *s, mb_error *err)
{
    char name[120];
    a->embed_dim = arch_dim(s, "bb.patch_embed.proj.weight", 0, 96);
    int64_t rows = arch_dim(s, "bb.layers.0.blocks.0.attn.relative_position_bias_table", 0, 169);
    int64_t side = (int64_t)lround(sqrt((double)rows));
    if (side * side != rows || side % 2 == 0) {
        return mb_fail(err, MB_E_MISMATCH, "a relative position table of %" PRId64 " rows belongs to no window", rows);
    }
    a->window = (side + 1) / 2;
    a->mlp_ratio = arch_dim(s, "bb.layers.0.blocks.0.mlp.fc1.weight", 0, 4 * a->embed_dim) / a->embed_dim;
    for (int stage = 0; stage < 4; stage++) {
        for (; a->depths[stage] < ARCH_MAX_DEPTH; a->depths[stage]++) {
            (void)snprintf(name, sizeof name, "bb.layers.%d.blocks.%" PRId64 ".norm1.weight", stage, a->depths[stage]);
            if (source_find(s, name) == NULL) {
                break;
            }
        }
        (void)snprintf(name, sizeof name, "bb.layers.%d.blocks.0.attn.relative_position_bias_table", stage);
        a->heads[stage] = arch_dim(s, name, 1, 1);
        if (a->depths[stage] == 0) {
            return mb_fail(err, MB_E_MISMATCH,
                           "stage %d of the backbone has no blocks (bb.layers.%d.blocks.0 is missing)", stage, stage);
        }
        if (a->embed_dim * (1 << stage) % a->heads[stage] != 0) {
            return mb_fail(err, MB_E_MISMATCH, "%s: %" PRId64 " heads do not divide %" PRId64 " channels", name,
                           a->heads[stage], a->embed_dim * (1 << stage));
        }
    }
    return MB_OK;
}

/* Options of the official code that no published model uses. */
static mb_status check_options(const birefnet_arch *a, const source *s, mb_error *err)
{
    const int64_t e = a->embed_dim;
    int64_t scales = arch_dim(s, "decoder.lateral_block4.conv.weight", 1, 8 * e);
    if (scales == 4 * e) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "this BiRefNet was trained with one scale (mul_scl_ipt other than \"cat\"); "
                       "only the published two-scale models are supported");
    }
    int64_t context = arch_dim(s, "squeeze_module.0.conv_in.weight", 1, 30 * e) - 16 * e;
    if (context != 14 * e) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "this BiRefNet was trained with %" PRId64 " context channels (cxt_num other "
                       "than 3); only %" PRId64 " are supported",
                       context, 14 * e);
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

/* ---- batch norms */

/* As the metadata and the engine call them. */
static const char *const norm_names[NORM_PLACES] = {"bn", "bn_in", "bn_out", "bn1", "global_avg_pool.2", "gdt_convs.1"};

/* The kind of norm that a tensor belongs to; NORM_PLACES: none. */
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

/* A kind of norm of which the file has not one tensor is a kind that the network has not. One tensor there, and what is
 * missing is missing. */
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
 * (ipt_blk5, gate 4). */
mb_status birefnet_describe(birefnet_arch *a, const source *s, mb_error *err)
{
    char name[120];
    *a = (birefnet_arch){0};
    mb_status status = describe_backbone(a, s, err);
    if (status == MB_OK) {
        status = describe_block(&a->squeeze, s, "squeeze_module.0", err);
    }
    for (int i = 1; i <= 4 && status == MB_OK; i++) {
        (void)snprintf(name, sizeof name, "decoder.decoder_block%d", i);
        status = describe_block(&a->block[i], s, name, err);
    }
    a->ipt_blk5 = source_find(s, "decoder.ipt_blk5.conv1.weight") != NULL;
    a->gate4 = source_find(s, "decoder.gdt_convs_4.0.weight") != NULL;
    for (int i = 1; i <= 5; i++) {
        (void)snprintf(name, sizeof name, "decoder.ipt_blk%d.conv1.weight", i);
        a->tile_inner[i] = arch_dim(s, name, 0, 64);
        (void)snprintf(name, sizeof name, "decoder.ipt_blk%d.conv_out.weight", i);
        a->tile_out[i] = arch_dim(s, name, 0, (2 * a->embed_dim << (i < 5 ? i - 1 : 3)) / 8);
    }
    for (int i = 2; i <= 4; i++) {
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_%d.0.weight", i);
        a->gate_width[i] = arch_dim(s, name, 0, 16);
    }
    status = status != MB_OK ? status : describe_norms(a, s, err);
    return status != MB_OK ? status : check_options(a, s, err);
}

/* ---- listing the tensors */

/* The tensors of one block, in the order of the published checkpoint. The index table is an integer buffer. */
static void swin_block(spec_list *l, const birefnet_arch *a, int stage, int64_t block)
{
    const int64_t c = a->embed_dim << stage, w = a->window, heads = a->heads[stage];
    char prefix[64], name[100];
    (void)snprintf(prefix, sizeof prefix, "bb.layers.%d.blocks.%" PRId64, stage, block);
    (void)snprintf(name, sizeof name, "%s.norm1", prefix);
    spec_add_layer_norm(l, c, name);
    spec_add(l, SPEC_TABLE, (int64_t[4]){(2 * w - 1) * (2 * w - 1), heads}, "%s.attn.relative_position_bias_table",
             prefix);
    spec_add(l, SPEC_INDEX, (int64_t[4]){w * w, w * w}, "%s.attn.relative_position_index", prefix);
    (void)snprintf(name, sizeof name, "%s.attn.qkv", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){3 * c, c}, name);
    (void)snprintf(name, sizeof name, "%s.attn.proj", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, name);
    (void)snprintf(name, sizeof name, "%s.norm2", prefix);
    spec_add_layer_norm(l, c, name);
    (void)snprintf(name, sizeof name, "%s.mlp.fc1", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){a->mlp_ratio * c, c}, name);
    (void)snprintf(name, sizeof name, "%s.mlp.fc2", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){c, a->mlp_ratio * c}, name);
}

/* The backbone's tensors. Widths double from stage to stage; patch merging makes 4c of four pixels and reduces them
 * to 2c. */
static void swin(spec_list *l, const birefnet_arch *a)
{
    char name[64];
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->embed_dim, 3, 4, 4}, "bb.patch_embed.proj");
    spec_add_layer_norm(l, a->embed_dim, "bb.patch_embed.norm");
    for (int stage = 0; stage < 4; stage++) {
        const int64_t c = a->embed_dim << stage;
        for (int64_t i = 0; i < a->depths[stage]; i++) {
            swin_block(l, a, stage, i);
        }
        if (stage < 3) {
            spec_add(l, SPEC_LINEAR, (int64_t[4]){2 * c, 4 * c}, "bb.layers.%d.downsample.reduction.weight", stage);
            (void)snprintf(name, sizeof name, "bb.layers.%d.downsample.norm", stage);
            spec_add_layer_norm(l, 4 * c, name);
        }
    }
    for (int stage = 0; stage < 4; stage++) {
        (void)snprintf(name, sizeof name, "bb.norm%d", stage);
        spec_add_layer_norm(l, a->embed_dim << stage, name);
    }
}

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

/* conv_in, ASPP with deformable branches (aspp1, then one for each kernel size, then the global mean), conv_out. in,
 * out: channels. */
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

/* The gradient-supervised gates. Prediction heads are used in training only; attention heads at inference too. */
static void gates(spec_list *l, const birefnet_arch *a)
{
    const int first = a->gate4 ? 4 : 3;
    char name[64];
    for (int i = first; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.gdt_convs_%d.0", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->gate_width[i], a->embed_dim << (i - 1), 3, 3}, name);
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

/* All tensors of this architecture in the published order, without the norms that the file lacks. 30 e: the deepest
 * map (16 e) and its context (14 e). */
void birefnet_specs(spec_list *l, const birefnet_arch *a)
{
    const int64_t e = a->embed_dim;
    char name[64];
    swin(l, a);
    decoder_block(l, &a->squeeze, 30 * e, 16 * e, "squeeze_module.0");
    tiles(l, a);
    for (int i = 4; i >= 1; i--) {
        int64_t joined = i == 4 && !a->ipt_blk5 ? 0 : a->tile_out[i + 1];
        (void)snprintf(name, sizeof name, "decoder.decoder_block%d", i);
        decoder_block(l, &a->block[i], (e << i) + joined, e << (i - 1), name);
    }
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, e + a->tile_out[1], 1, 1}, "decoder.conv_out1.0");
    for (int i = 4; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.lateral_block%d.conv", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){e << (i - 1), e << (i - 1), 1, 1}, name);
    }
    for (int i = 4; i >= 2; i--) {
        (void)snprintf(name, sizeof name, "decoder.conv_ms_spvn_%d", i);
        spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, e << (i - 1), 1, 1}, name);
    }
    gates(l, a);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        norm_place place = norm_of(l->v[i].name);
        if (place == NORM_PLACES || !a->no_norm[place]) {
            l->v[n] = l->v[i];
            l->v[n].ignored = birefnet_ignores(l->v[n].name);
            n++;
        }
    }
    l->n = n;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

bool birefnet_ignores(const char *name)
{
    return ends_with(name, ".num_batches_tracked") || ends_with(name, ".relative_position_index") ||
           strncmp(name, "decoder.conv_ms_spvn_", 21) == 0 || strncmp(name, "decoder.gdt_convs_pred_", 23) == 0;
}

/* ---- metadata */

const char *birefnet_backbone(const birefnet_arch *a)
{
    static const struct {
        const char *name;
        int64_t embed_dim, deep;
    } known[] = {{"Swin-T", 96, 6}, {"Swin-S", 96, 18}, {"Swin-B", 128, 18}, {"Swin-L", 192, 18}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (a->embed_dim == known[i].embed_dim && a->depths[2] == known[i].deep) {
            return known[i].name;
        }
    }
    return "a Swin of its own size";
}

/* The arch.* and input.* keys of docs/format.md. Tensors are written with patches in rows, so arch.patch_order is
 * always rows. */
mb_status birefnet_write_meta(mbw_writer *w, const birefnet_arch *a, mb_error *err)
{
    char depths[64], heads[64], kernels[64], embed[24], window[24], ratio[24];
    arch_join(depths, sizeof depths, a->depths, 4);
    arch_join(heads, sizeof heads, a->heads, 4);
    arch_join(kernels, sizeof kernels, a->squeeze.kernels, (size_t)a->squeeze.n_kernels);
    arch_join(embed, sizeof embed, &a->embed_dim, 1);
    arch_join(window, sizeof window, &a->window, 1);
    arch_join(ratio, sizeof ratio, &a->mlp_ratio, 1);
    const char *const pairs[][2] = {
        {"arch.family", "birefnet"},
        {"arch.generation", a->ipt_blk5 ? "v2" : "v1"},
        {"arch.embed_dim", embed},
        {"arch.depths", depths},
        {"arch.heads", heads},
        {"arch.window", window},
        {"arch.mlp_ratio", ratio},
        {"arch.deform_kernels", kernels},
        {"arch.ipt_blk5", a->ipt_blk5 ? "1" : "0"},
        {"arch.gate4", a->gate4 ? "1" : "0"},
        {"arch.patch_order", "rows"},
        {"input.mean", "0.485,0.456,0.406"},
        {"input.std", "0.229,0.224,0.225"},
        {"input.divisor", a->ipt_blk5 ? "32" : "16"},
    };
    mb_status status = MB_OK;
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
