/* VITMatte in numbers (docs/models/vitmatte.md): sizes, window and global blocks, residual bottlenecks, all read from
 * the tensors. The two epsilons are not in a checkpoint; they are the published 1e-6 and 1e-5. Where
 * a tensor is missing, another one of the same width tells, or VITMatte-S, so that a damaged file is reported by the
 * tensors it lacks and not by a shape that follows from nothing. The names are the hub's: source_select has mapped the original ones. */
#include "arch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYER "backbone.encoder.layer.%" PRId64

/* A dimension of the relative tables of a layer: of the one for columns where that for rows is missing; 0: of none. */
static int64_t table_dim(const source *s, int64_t layer, int axis)
{
    return backbone_dim(s, axis, backbone_dim(s, axis, 0, LAYER ".attention.rel_pos_w", layer),
                        LAYER ".attention.rel_pos_h", layer);
}

/* Which blocks are windowed, by the length of their relative tables (2*window-1 or 2*global-1). Where both lengths
 * agree, the tables do not tell; then the official rule holds that the blocks with a residual part are the global
 * ones. */
static mb_status describe_windows(vitmatte_arch *a, const source *s, mb_error *err)
{
    int64_t rows[ARCH_MAX_DEPTH], low = INT64_MAX, high = 0;
    if (a->depth == 0) {
        return mb_fail(err, MB_E_MISMATCH, "the backbone has no layers (backbone.encoder.layer.0 is missing)");
    }
    for (int64_t i = 0; i < a->depth; i++) {
        rows[i] = table_dim(s, i, 0); /* 0: both tables are missing */
        low = rows[i] > 0 && rows[i] < low ? rows[i] : low;
        high = rows[i] > high ? rows[i] : high;
    }
    if (high == 0) {
        low = high = 27;
    }
    for (int64_t i = 0; i < a->depth; i++) {
        rows[i] = rows[i] > 0 ? rows[i] : a->residual[i] ? high : low;
        if (rows[i] != low && rows[i] != high) {
            return mb_fail(err, MB_E_MISMATCH,
                           "the relative position tables have more than two lengths (%" PRId64 " in layer %" PRId64 ")",
                           rows[i], i);
        }
        a->windowed[i] = low == high ? !a->residual[i] : rows[i] == low;
    }
    if (low % 2 == 0 || high % 2 == 0) {
        return mb_fail(err, MB_E_MISMATCH,
                       "relative position tables of an even number of rows (%" PRId64 ", %" PRId64 ")", low, high);
    }
    /* A table for a side of s tokens has 2 s - 1 rows. */
    a->window = (low + 1) / 2;
    a->global_side = (high + 1) / 2;
    return MB_OK;
}

/* Four input channels are the photo and the trimap. The position table has one more row than a square, for the class
 * token that the network does not use. Heads follow from the width of a relative table, depth from the layers that are
 * there. */
mb_status vitmatte_describe(vitmatte_arch *a, const source *s, mb_error *err)
{
    static const char *const inner[] = {"norm1.weight", "attention.qkv.weight", "norm2.weight", NULL};
    *a = (vitmatte_arch){0};
    const char *projection = "backbone.embeddings.projection.weight";
    a->hidden = arch_dim(s, projection, 0, arch_dim(s, "backbone.embeddings.projection.bias", 0, 384));
    a->patch = arch_dim(s, projection, 2, 16);
    if (arch_dim(s, projection, 1, 4) != 4 || arch_dim(s, projection, 3, a->patch) != a->patch) {
        return mb_fail(err, MB_E_MISMATCH, "%s: VITMatte has 4 input channels and square patches", projection);
    }
    int64_t rows = arch_dim(s, "backbone.embeddings.position_embeddings", 1, 197);
    a->table_side = (int64_t)lround(sqrt((double)(rows - 1)));
    if (a->table_side < 1 || a->table_side * a->table_side + 1 != rows) {
        return mb_fail(err, MB_E_MISMATCH,
                       "backbone.embeddings.position_embeddings: %" PRId64 " rows are not a square and one", rows);
    }
    const int64_t bias = arch_dim(s, "backbone.encoder.layer.0.mlp.fc1.bias", 0, 4 * a->hidden);
    a->mlp_ratio = arch_dim(s, "backbone.encoder.layer.0.mlp.fc1.weight", 0, bias) / a->hidden;
    a->depth = backbone_count(s, inner, "backbone.encoder.layer.");
    int64_t d = 0;
    for (int64_t i = 0; i < a->depth && d == 0; i++) {
        d = table_dim(s, i, 1);
    }
    d = d > 0 ? d : a->hidden % 64 == 0 ? 64 : a->hidden;
    if (a->hidden % d != 0) {
        return mb_fail(err, MB_E_MISMATCH, "heads of %" PRId64 " channels do not divide %" PRId64 " channels", d,
                       a->hidden);
    }
    a->heads = a->hidden / d;
    a->bottleneck = a->hidden / 2;
    for (int64_t i = 0; i < a->depth; i++) {
        a->residual[i] =
            backbone_has(s, LAYER ".residual.conv1.weight", i) || backbone_has(s, LAYER ".residual.conv2.weight", i);
        a->bottleneck = backbone_dim(s, 0, backbone_dim(s, 0, a->bottleneck, LAYER ".residual.conv2.weight", i),
                                     LAYER ".residual.conv1.weight", i);
    }
    static const int64_t conv[3] = {48, 96, 192}, fusion[4] = {256, 128, 64, 32};
    for (int i = 0; i < 3; i++) {
        a->conv[i] = backbone_dim(s, 0, backbone_dim(s, 0, conv[i], "decoder.convstream.convs.%d.batch_norm.weight", i),
                                  "decoder.convstream.convs.%d.conv.weight", i);
    }
    for (int i = 0; i < 4; i++) {
        a->fusion[i] =
            backbone_dim(s, 0, backbone_dim(s, 0, fusion[i], "decoder.fusion_blocks.%d.conv.batch_norm.weight", i),
                         "decoder.fusion_blocks.%d.conv.conv.weight", i);
    }
    a->head = arch_dim(s, "decoder.matting_head.matting_convs.0.weight", 0,
                       arch_dim(s, "decoder.matting_head.matting_convs.0.bias", 0, 16));
    return describe_windows(a, s, err);
}

/* ---- listing the tensors */

/* Layer i: attention with decomposed relative positions (one table for rows, one for columns), MLP and, in some
 * layers, a residual bottleneck of three convolutions with norms over channels. */
static void layer(spec_list *l, const vitmatte_arch *a, int64_t i)
{
    const int64_t c = a->hidden, d = c / a->heads, b = a->bottleneck;
    const int64_t rows = 2 * (a->windowed[i] ? a->window : a->global_side) - 1;
    char prefix[64], name[100];
    (void)snprintf(prefix, sizeof prefix, LAYER, i);
    (void)snprintf(name, sizeof name, "%s.norm1", prefix);
    spec_add_layer_norm(l, c, name);
    spec_add(l, SPEC_REL_POS, (int64_t[4]){rows, d}, "%s.attention.rel_pos_h", prefix);
    spec_add(l, SPEC_REL_POS, (int64_t[4]){rows, d}, "%s.attention.rel_pos_w", prefix);
    (void)snprintf(name, sizeof name, "%s.attention.qkv", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){3 * c, c}, name);
    (void)snprintf(name, sizeof name, "%s.attention.proj", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){c, c}, name);
    (void)snprintf(name, sizeof name, "%s.norm2", prefix);
    spec_add_layer_norm(l, c, name);
    (void)snprintf(name, sizeof name, "%s.mlp.fc1", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){a->mlp_ratio * c, c}, name);
    (void)snprintf(name, sizeof name, "%s.mlp.fc2", prefix);
    spec_add_pair(l, SPEC_LINEAR, (int64_t[4]){c, a->mlp_ratio * c}, name);
    if (!a->residual[i]) {
        return;
    }
    const int64_t shape[3][4] = {{b, c, 1, 1}, {b, b, 3, 3}, {c, b, 1, 1}};
    for (int k = 0; k < 3; k++) {
        spec_add(l, SPEC_CONV, shape[k], "%s.residual.conv%d.weight", prefix, k + 1);
        (void)snprintf(name, sizeof name, "%s.residual.norm%d", prefix, k + 1);
        spec_add_layer_norm(l, shape[k][0], name);
    }
}

/* The detail branch (three strided convolutions over photo and trimap), four fusions from coarse to fine, and the
 * head. The last fusion joins the input itself, hence 4 channels of detail. */
static void decoder(spec_list *l, const vitmatte_arch *a)
{
    char name[100];
    for (int i = 0; i < 3; i++) {
        int64_t in = i == 0 ? 4 : a->conv[i - 1];
        spec_add(l, SPEC_CONV, (int64_t[4]){a->conv[i], in, 3, 3}, "decoder.convstream.convs.%d.conv.weight", i);
        (void)snprintf(name, sizeof name, "decoder.convstream.convs.%d.batch_norm", i);
        spec_add_batch_norm(l, a->conv[i], name);
    }
    for (int i = 0; i < 4; i++) {
        int64_t detail = i < 3 ? a->conv[2 - i] : 4, up = i == 0 ? a->hidden : a->fusion[i - 1];
        spec_add(l, SPEC_CONV, (int64_t[4]){a->fusion[i], detail + up, 3, 3},
                 "decoder.fusion_blocks.%d.conv.conv.weight", i);
        (void)snprintf(name, sizeof name, "decoder.fusion_blocks.%d.conv.batch_norm", i);
        spec_add_batch_norm(l, a->fusion[i], name);
    }
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->head, a->fusion[3], 3, 3}, "decoder.matting_head.matting_convs.0");
    spec_add_batch_norm(l, a->head, "decoder.matting_head.matting_convs.1");
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){1, a->head, 1, 1}, "decoder.matting_head.matting_convs.3");
}

void vitmatte_specs(spec_list *l, const vitmatte_arch *a)
{
    const int64_t rows = a->table_side * a->table_side + 1;
    spec_add(l, SPEC_POSITIONS, (int64_t[4]){1, rows, a->hidden}, "backbone.embeddings.position_embeddings");
    spec_add_pair(l, SPEC_CONV, (int64_t[4]){a->hidden, 4, a->patch, a->patch}, "backbone.embeddings.projection");
    for (int64_t i = 0; i < a->depth; i++) {
        layer(l, a, i);
    }
    decoder(l, a);
}

/* pixel_mean and pixel_std are buffers of the original code; the metadata have input.mean and input.std instead. */
bool vitmatte_ignores(const char *name)
{
    static const char end[] = ".num_batches_tracked";
    size_t n = strlen(name);
    return (n >= sizeof end && strcmp(name + n - (sizeof end - 1), end) == 0) || strcmp(name, "pixel_mean") == 0 ||
           strcmp(name, "pixel_std") == 0;
}

/* ---- metadata */

const char *vitmatte_size(const vitmatte_arch *a)
{
    if (a->depth == 12 && (a->hidden == 384 || a->hidden == 768)) {
        return a->hidden == 384 ? "VITMatte-S" : "VITMatte-B";
    }
    return "a VITMatte of its own size";
}

/* The set ones of n flags as a list of their numbers. */
static void indices(char *dst, size_t capacity, const bool *set, int64_t n)
{
    int64_t v[ARCH_MAX_DEPTH];
    size_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (set[i]) {
            v[m++] = i;
        }
    }
    arch_join(dst, capacity, v, m);
}

/* docs/format.md, section "Keys". Mean and deviation of 0.5 are the hub's; convert --input-norm imagenet replaces
 * them. */
mb_status vitmatte_write_meta(mbw_writer *w, const vitmatte_arch *a, mb_error *err)
{
    static const char *const keys[] = {"arch.hidden", "arch.depth",     "arch.heads",      "arch.window",
                                       "arch.patch",  "arch.mlp_ratio", "arch.table_side", "arch.global_side"};
    const int64_t values[] = {a->hidden, a->depth,     a->heads,      a->window,
                              a->patch,  a->mlp_ratio, a->table_side, a->global_side};
    char text[300];
    mb_status status = mbw_writer_meta(w, "arch.family", "vitmatte", err);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && status == MB_OK; i++) {
        arch_join(text, sizeof text, &values[i], 1);
        status = mbw_writer_meta(w, keys[i], text, err);
    }
    if (status == MB_OK) {
        indices(text, sizeof text, a->windowed, a->depth);
        status = mbw_writer_meta(w, "arch.window_blocks", text, err);
    }
    if (status == MB_OK) {
        indices(text, sizeof text, a->residual, a->depth);
        status = mbw_writer_meta(w, "arch.residual_blocks", text, err);
    }
    const char *const pairs[][2] = {
        {"input.mean", "0.5,0.5,0.5"}, {"input.std", "0.5,0.5,0.5"}, {"input.divisor", "32"}, {"task", "matting"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && status == MB_OK; i++) {
        status = mbw_writer_meta(w, pairs[i][0], pairs[i][1], err);
    }
    return status;
}
