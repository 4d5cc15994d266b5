/* BiRefNet (Zheng et al. 2024), v2 and v1: x [N,3,H,W], normalised RGB -> logits [N,1,H,W]; alpha = sigmoid(logits).
 *
 * A backbone (models/backbone.h) runs on the picture and on its half; the two pyramids are concatenated (x1..x4), the
 * coarsest map takes in the context of the others and is squeezed; four decoder blocks refine it, each seeing the
 * picture itself as tiles (bilateral reference), gated by predicted gradients. Names follow the published code;
 * docs/models/birefnet.md. */
#include "models/birefnet.h"

#include "models/backbone.h"
#include "models/meta.h"
#include "models/nn.h"

#include <math.h>
#include <string.h>

#define MAX_KERNELS 8

/* The kinds of batch norms; the official code has identities in place of those of a kind after training with one
 * picture at a time. */
typedef enum norm_kind { NORM_BRANCH, NORM_IN, NORM_OUT, NORM_JOINED, NORM_POOL, NORM_GATE, NORM_KINDS } norm_kind;

typedef struct config {
    const mb_backbone_model *backbone;
    bool identity[NORM_KINDS];
    int deform_kernels[MAX_KERNELS];
    int n_deform_kernels;
    bool ipt_blk5, gate4;
} config;

/* ---- blocks ---- */

static mb_value batch_norm(mb_scope s, mb_value x, const config *c, norm_kind kind)
{
    return c->identity[kind] ? x : mb_nn_batch_norm(s, x);
}

/* A sample at a position that is no number is 0 by the op's rule, so NaN would vanish here and nowhere else: the few
 * weights that positions and modulators are made of are looked at. */
static void require_finite(mb_scope s, const char *name)
{
    const char *path = mb_sub(s, name).path;
    const mb_tensor *t = s.g->weights != NULL ? mb_weights_find(s.g->weights, path) : NULL;
    const size_t size = t != NULL && t->dtype != MB_I64 ? mb_dtype_size(t->dtype) : 0;
    const size_t n = size > 0 ? t->bytes / size : 0;
    float piece[256];
    for (size_t at = 0; at < n; at += sizeof piece / sizeof piece[0]) {
        const size_t m = n - at < sizeof piece / sizeof piece[0] ? n - at : sizeof piece / sizeof piece[0];
        mb_to_f32(piece, (const char *)t->data + at * size, t->dtype, m);
        for (size_t i = 0; i < m; i++) {
            if (!isfinite(piece[i])) {
                mb_graph_fail(s.g, MB_E_FORMAT,
                              "the model gave %s at %s: its %s holds it\nthe file is damaged: convert the checkpoint "
                              "again",
                              isnan(piece[i]) ? "NaN" : "infinity", s.path, name);
                return;
            }
        }
    }
}

/* [DeformableConv2d] modulated deformable convolution k x k without bias: x [N,C,H,W] -> [N,C',H,W]. */
static mb_value deformable_conv(mb_scope s, mb_value x, const char *tap)
{
    mb_value weight = mb_weight(mb_sub(s, "regular_conv"), "weight");
    int pad = (int)(mb_dims(s, weight)[2] / 2);
    static const char *const parts[] = {"weight", "bias"};
    for (int i = 0; i < 2; i++) {
        require_finite(mb_sub(s, "offset_conv"), parts[i]);
        require_finite(mb_sub(s, "modulator_conv"), parts[i]);
    }
    mb_value offset = mb_nn_conv2d(mb_sub(s, "offset_conv"), x, 1, pad);
    mb_value modulator = mb_nn_conv2d(mb_sub(s, "modulator_conv"), x, 1, pad);
    if (tap != NULL) {
        mb_tap_name(s, mb_graph_text(s.g, "%s.offset", tap), offset);
        mb_tap_name(s, mb_graph_text(s.g, "%s.modulator_logit", tap), modulator);
    }
    mb_attrs a = {.deform_conv2d = {.pad = pad, .modulator_scale = 2.0f}};
    mb_value in[] = {x, offset, modulator, weight, MB_ABSENT};
    return mb_record(mb_sub(s, "regular_conv"), MB_OP_deform_conv2d, &a, in, 5);
}

/* [_ASPPModuleDeformable] relu(bn(deformable conv)). */
static mb_value aspp_module(mb_scope s, mb_value x, const config *c, const char *tap)
{
    x = deformable_conv(mb_sub(s, "atrous_conv"), x, tap);
    x = batch_norm(mb_sub(s, "bn"), x, c, NORM_BRANCH);
    x = mb_nn_activation(s, x, MB_ACT_RELU);
    if (tap != NULL) {
        mb_tap_name(s, tap, x);
    }
    return x;
}

/* [ASPPDeformable] branches of several kernel sizes and the pooled map, concatenated, 1x1: [N,C,H,W] -> same. */
static mb_value aspp_deformable(mb_scope s, mb_value x, const config *c, const char *tap)
{
    mb_value parts[MAX_KERNELS + 2];
    int n = 0;
    parts[n++] = aspp_module(mb_sub(s, "aspp1"), x, c, tap != NULL ? mb_graph_text(s.g, "%s.aspp1", tap) : NULL);
    for (int i = 0; i < c->n_deform_kernels; i++) {
        const char *name = tap != NULL ? mb_graph_text(s.g, "%s.aspp_deforms%d", tap, i) : NULL;
        parts[n++] = aspp_module(mb_sub_index(s, "aspp_deforms", i), x, c, name);
    }
    mb_scope pool = mb_sub(s, "global_avg_pool");
    mb_value mean = mb_nn_global_mean(mb_sub(pool, "0"), x);
    mean = mb_nn_conv2d(mb_sub(pool, "1"), mean, 1, 0);
    mean = batch_norm(mb_sub(pool, "2"), mean, c, NORM_POOL);
    mean = mb_nn_activation(mb_sub(pool, "3"), mean, MB_ACT_RELU);
    if (tap != NULL) {
        mb_tap_name(s, mb_graph_text(s.g, "%s.gap", tap), mean);
    }
    parts[n++] = mb_nn_resize_like(pool, mean, x);
    x = mb_nn_concat(mb_sub(s, "concat"), parts, n);
    x = mb_nn_conv2d(mb_sub(s, "conv1"), x, 1, 0);
    x = batch_norm(mb_sub(s, "bn1"), x, c, NORM_JOINED);
    return mb_nn_activation(s, x, MB_ACT_RELU);
}

/* [BasicDecBlk] 3x3 conv, BN, ReLU -> ASPP -> 3x3 conv, BN: x [N,C,H,W] -> [N,C',H,W]. */
static mb_value basic_decoder_block(mb_scope s, mb_value x, const config *c, const char *tap)
{
    x = mb_nn_conv2d(mb_sub(s, "conv_in"), x, 1, 1);
    x = batch_norm(mb_sub(s, "bn_in"), x, c, NORM_IN);
    x = mb_nn_activation(mb_sub(s, "relu_in"), x, MB_ACT_RELU);
    if (tap != NULL) {
        mb_tap_name(s, mb_graph_text(s.g, "%s.relu_in", tap), x);
    }
    x = aspp_deformable(mb_sub(s, "dec_att"), x, c, tap);
    if (tap != NULL) {
        mb_tap_name(s, mb_graph_text(s.g, "%s.dec_att", tap), x);
    }
    x = mb_nn_conv2d(mb_sub(s, "conv_out"), x, 1, 1);
    return batch_norm(mb_sub(s, "bn_out"), x, c, NORM_OUT);
}

/* [SimpleConvs] two 3x3 convolutions without an activation between: x [N,C,H,W] -> [N,C',H,W]. */
static mb_value simple_convs(mb_scope s, mb_value x)
{
    x = mb_nn_conv2d(mb_sub(s, "conv1"), x, 1, 1);
    return mb_nn_conv2d(mb_sub(s, "conv_out"), x, 1, 1);
}

/* The picture as tiles of the size of `like`: [N,3,H,W] -> [N,3*G*G,h,w]. */
static mb_value image_tiles(mb_scope s, mb_value picture, mb_value like)
{
    const int64_t *d = mb_dims(s, like);
    mb_attrs a = {.image_to_tiles = {(int32_t)d[2], (int32_t)d[3]}};
    return mb_record(s, MB_OP_image_to_tiles, &a, &picture, 1);
}

/* Gradient attention: p * sigmoid(1x1(relu(bn(3x3(p))))). */
static mb_value gradient_gate(mb_scope decoder, mb_value p, int level, const config *c)
{
    mb_scope convs = mb_sub_number(decoder, "gdt_convs_", level);
    mb_value g = mb_nn_conv2d(mb_sub(convs, "0"), p, 1, 1);
    g = batch_norm(mb_sub(convs, "1"), g, c, NORM_GATE);
    g = mb_nn_activation(mb_sub(convs, "2"), g, MB_ACT_RELU);
    mb_scope attn = mb_sub(mb_sub_number(decoder, "gdt_convs_attn_", level), "0");
    g = mb_nn_conv2d(attn, g, 1, 0);
    mb_graph_tap(decoder.g, mb_graph_text(decoder.g, "gdt_attn_logit%d", level), g.id);
    return mb_nn_scale_by_map(mb_sub(convs, "gate"), p, g);
}

/* Shapes of v2 with Swin-L (E = 192) for a picture [1,3,1024,1024]; the others differ in E and in the blocks:
 *
 *   bb (full)        [192,256,256] [384,128,128] [768,64,64] [1536,32,32]
 *   bb (half)        the same channels at half the size, enlarged
 *   x1 .. x4         [384,256,256] [768,128,128] [1536,64,64] [3072,32,32]
 *   context          384 + 768 + 1536 + 3072 = 5760 channels at 32 x 32, squeezed to 3072
 *   p4 .. p1         [1536,32,32] [768,64,64] [384,128,128] [192,256,256]
 *   logits           [1,1024,1024] */
/* ---- the network ---- */

/* Both passes of the backbone: x[i] = cat(full_i, up(half_i)). */
static void encoder(mb_value x[MB_BACKBONE_MAPS], mb_scope top, mb_value picture, const config *c)
{
    static const char *const taps[MB_BACKBONE_MAPS] = {"x1", "x2", "x3", "x4"};
    const int64_t *d = mb_dims(top, picture);
    int64_t h = d[2], w = d[3];
    mb_value full[MB_BACKBONE_MAPS] = {MB_ABSENT, MB_ABSENT, MB_ABSENT, MB_ABSENT},
             half[MB_BACKBONE_MAPS] = {MB_ABSENT, MB_ABSENT, MB_ABSENT, MB_ABSENT};
    mb_value small = mb_nn_resize(mb_sub(top, "input_half"), picture, h / 2, w / 2, true);
    c->backbone->record(half, mb_labelled(mb_sub(top, "bb"), "half:"), small, "bb_half");
    c->backbone->record(full, mb_sub(top, "bb"), picture, "bb");
    for (int i = 0; i < MB_BACKBONE_MAPS; i++) {
        mb_scope s = mb_sub_number(top, "x", i + 1);
        mb_value up = mb_nn_resize_like(mb_sub(s, "up"), half[i], full[i]);
        x[i] = mb_nn_concat(s, (mb_value[]){full[i], up}, 2);
        mb_tap_name(top, taps[i], x[i]);
    }
}

/* The coarsest map with the context of the others: cat(up(x1), up(x2), up(x3), x4), then one decoder block. */
static mb_value squeeze(mb_scope top, const mb_value x[MB_BACKBONE_MAPS], const config *c)
{
    mb_value parts[MB_BACKBONE_MAPS];
    for (int i = 0; i < 3; i++) {
        parts[i] = mb_nn_resize_like(mb_sub_number(top, "context", i + 1), x[i], x[3]);
    }
    parts[3] = x[3];
    mb_value context = mb_nn_concat(mb_sub(top, "x4_context"), parts, MB_BACKBONE_MAPS);
    mb_value y = basic_decoder_block(mb_sub_index(top, "squeeze_module", 0), context, c, "squeeze");
    mb_tap_name(top, "x4_squeezed", y);
    return y;
}

/* One level of the decoder. p: the block's input without the picture (n 4..1). */
static mb_value decoder_level(mb_scope d, mb_value p, mb_value picture, int n, const config *c)
{
    if (n < 4 || c->ipt_blk5) {
        mb_scope ipt = mb_sub_number(d, "ipt_blk", n + 1);
        mb_value tiles = image_tiles(mb_sub(ipt, "tiles"), picture, p);
        mb_graph_tap(d.g, mb_graph_text(d.g, "ipt_blk%d.input", n + 1), tiles.id);
        mb_value seen = simple_convs(ipt, tiles);
        mb_graph_tap(d.g, mb_graph_text(d.g, "ipt_blk%d", n + 1), seen.id);
        p = mb_nn_concat(mb_sub(ipt, "concat"), (mb_value[]){p, seen}, 2);
    }
    p = basic_decoder_block(mb_sub_number(d, "decoder_block", n), p, c, NULL);
    mb_graph_tap(d.g, mb_graph_text(d.g, "p%d", n), p.id);
    return p;
}

/* From the coarsest level to the picture's size. At each level the map is gated, enlarged to the next, added to that
 * level's encoder map (lateral, 1x1), and refined beside the picture's tiles. x[i] [N,C_i,H/4/2^i,W/4/2^i] and
 * squeezed, of x[3]'s size -> logits [N,1,H,W]. */
static mb_value decoder(mb_scope d, mb_value picture, const mb_value x[MB_BACKBONE_MAPS], mb_value squeezed,
                        const config *c)
{
    mb_value p = decoder_level(d, squeezed, picture, 4, c);
    for (int n = 4; n >= 2; n--) {
        if (n < 4 || c->gate4) {
            p = gradient_gate(d, p, n, c);
        }
        mb_scope lateral_scope = mb_sub(mb_sub_number(d, "lateral_block", n), "conv");
        mb_value lateral = mb_nn_conv2d(lateral_scope, x[n - 2], 1, 0);
        mb_graph_tap(d.g, mb_graph_text(d.g, "lateral%d", n), lateral.id);
        mb_value up = mb_nn_resize_like(mb_sub(lateral_scope, "up"), p, lateral);
        p = mb_nn_add(mb_sub(lateral_scope, "sum"), up, lateral);
        p = decoder_level(d, p, picture, n - 1, c);
    }
    p = mb_nn_resize_like(mb_sub(d, "up1"), p, picture);
    mb_value seen = simple_convs(mb_sub(d, "ipt_blk1"), picture);
    mb_graph_tap(d.g, "ipt_blk1", seen.id);
    p = mb_nn_concat(mb_sub(d, "concat1"), (mb_value[]){p, seen}, 2);
    return mb_nn_conv2d(mb_sub_index(d, "conv_out1", 0), p, 1, 0);
}

/* ---- the architecture's numbers ---- */

/* arch.identities: kinds of norms that the network has not, by commas; absent: none. False: an unknown kind. */
static bool read_identities(config *c, const mb_weights *w)
{
    static const char *const names[NORM_KINDS] = {"bn", "bn_in", "bn_out", "bn1", "global_avg_pool.2", "gdt_convs.1"};
    const char *at = mb_weights_meta(w, "arch.identities");
    while (at != NULL) {
        const size_t n = strcspn(at, ",");
        int kind = 0;
        while (kind < NORM_KINDS && (strlen(names[kind]) != n || memcmp(at, names[kind], n) != 0)) {
            kind++;
        }
        if (kind == NORM_KINDS) {
            return false;
        }
        c->identity[kind] = true;
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    return true;
}

/* Numbers that the tensors' shapes do not tell; all others follow from the shapes. */
static mb_status read_config(config *c, const mb_weights *w, mb_error *err)
{
    *c = (config){0};
    c->n_deform_kernels = mb_meta_list(c->deform_kernels, MAX_KERNELS, w, "arch.deform_kernels", 1, 99);
    bool ok = c->n_deform_kernels > 0 && mb_meta_flag(&c->ipt_blk5, w, "arch.ipt_blk5") &&
              mb_meta_flag(&c->gate4, w, "arch.gate4") && read_identities(c, w);
    if (!ok) {
        return mb_fail(err, MB_E_FORMAT,
                       "the model file's description of BiRefNet is incomplete or out of range "
                       "(arch.deform_kernels, arch.ipt_blk5, arch.gate4, arch.identities)\nconvert the checkpoint "
                       "again");
    }
    return mb_backbone_find(&c->backbone, w, err);
}

/* v2 has a tile block at 1/32 of the picture, v1 at 1/16: both sides must divide. */
int mb_birefnet_size_step(const mb_weights *w)
{
    bool v2;
    return mb_meta_flag(&v2, w, "arch.ipt_blk5") && v2 ? 32 : 16;
}

/* Encoder on the picture and on its half, squeeze, decoder. Kept: "logits". */
mb_status mb_birefnet_record(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err)
{
    config c;
    mb_status status = read_config(&c, g->weights, err);
    int step = mb_birefnet_size_step(g->weights);
    if (status != MB_OK) {
        return status;
    }
    const int least = c.backbone->least_side > step && step == 32 ? c.backbone->least_side : step;
    if (n < 1 || h < least || w < least || h % step != 0 || w % step != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "network size %lld x %lld: both sides must be multiples of %d, at least %d",
                       (long long)w, (long long)h, step, least);
    }
    mb_scope top = mb_scope_top(g);
    mb_value picture = {mb_graph_input(g, "input", (int64_t[]){n, 3, h, w})};
    mb_value x[MB_BACKBONE_MAPS];
    encoder(x, top, picture, &c);
    mb_value squeezed = squeeze(top, x, &c);
    if (c.backbone->neck != NULL) {
        c.backbone->neck(x, &squeezed, mb_sub(top, "decoder"), picture);
    }
    mb_value logits = decoder(mb_sub(top, "decoder"), picture, x, squeezed, &c);
    mb_tap_name(top, "logits", logits);
    mb_graph_keep(g, logits.id);
    return mb_graph_status(g, err);
}
