/* VITMatte (Yao et al. 2023): picture and trimap -> alpha.
 *
 * A ViT gives features at 1/16; a small convolutional stream keeps details at 1/2, 1/4, 1/8; four fusions bring the
 * features up, each beside its detail map; a head gives alpha. Names follow the published code;
 * docs/models/vitmatte.md. */
#include "models/vitmatte.h"

#include "models/meta.h"
#include "models/nn.h"
#include "models/vit.h"

#define LEVELS 3 /* of the detail stream; fusions: one more */

/* Shapes of VITMatte-S (C = 384) for an input [1,4,H,W], three colours and the trimap:
 *
 *   features         [384,H/16,W/16]
 *   detail0 .. 3     [4,H,W] [48,H/2,W/2] [96,H/4,W/4] [192,H/8,W/8]
 *   fusion0 .. 3     [256,H/8,W/8] [128,H/4,W/4] [64,H/2,W/2] [32,H,W]
 *   logits, alphas   [1,H,W]
 *
 * Numbers that the tensors' shapes do not tell; all others follow from the shapes. */
static mb_status read_config(mb_vit_config *c, const mb_weights *w, mb_error *err)
{
    int blocks[MB_VIT_MOST_BLOCKS];
    *c = (mb_vit_config){0};
    int n = mb_meta_list(blocks, MB_VIT_MOST_BLOCKS, w, "arch.window_blocks", 0, MB_VIT_MOST_BLOCKS - 1);
    if (!mb_meta_number(&c->depth, w, "arch.depth", 1, MB_VIT_MOST_BLOCKS) ||
        !mb_meta_number(&c->heads, w, "arch.heads", 1, 1024) ||
        !mb_meta_number(&c->window, w, "arch.window", n > 0 ? 1 : 0, 1024) || n < 0) {
        return mb_fail(
            err, MB_E_FORMAT,
            "the model file's description of VITMatte is incomplete or out of range (arch.depth, arch.heads, "
            "arch.window, arch.window_blocks)\nconvert the checkpoint again");
    }
    for (int i = 0; i < n; i++) {
        c->windowed[blocks[i]] = true;
    }
    return MB_OK;
}

/* [BasicConv3x3] 3x3 conv without bias, BN, ReLU. */
static mb_value conv_bn_relu(mb_scope s, mb_value x, int stride)
{
    x = mb_nn_conv2d(mb_sub(s, "conv"), x, stride, 1);
    x = mb_nn_batch_norm(mb_sub(s, "batch_norm"), x);
    return mb_nn_activation(mb_sub(s, "relu"), x, MB_ACT_RELU);
}

/* [ConvStream] detail[0] = x [N,4,H,W]; detail[i] [N,C_i,H/2^i,W/2^i]. */
static void conv_stream(mb_value detail[LEVELS + 1], mb_scope s, mb_value x)
{
    detail[0] = x;
    for (int i = 0; i < LEVELS; i++) {
        detail[i + 1] = conv_bn_relu(mb_sub_index(s, "convs", i), detail[i], 2);
        mb_graph_tap(s.g, mb_graph_text(s.g, "detail%d", i + 1), detail[i + 1].id);
    }
}

/* [FusionBlock] the features, twice as large, beside a detail map: [N,F,h,w], [N,D,2h,2w] -> [N,F',2h,2w]. */
static mb_value fusion(mb_scope s, mb_value features, mb_value detail)
{
    const int64_t *d = mb_dims(s, detail);
    mb_value up = mb_nn_resize(mb_sub(s, "up"), features, d[2], d[3], false);
    mb_value x = mb_nn_concat(mb_sub(s, "concat"), (mb_value[]){detail, up}, 2);
    return conv_bn_relu(mb_sub(s, "conv"), x, 1);
}

/* [MattingHead] 3x3 conv, BN, ReLU, 1x1 conv. */
static mb_value matting_head(mb_scope s, mb_value x)
{
    x = mb_nn_conv2d(mb_sub(s, "0"), x, 1, 1);
    x = mb_nn_batch_norm(mb_sub(s, "1"), x);
    x = mb_nn_activation(mb_sub(s, "2"), x, MB_ACT_RELU);
    mb_tap_name(s, "head.hidden", x);
    return mb_nn_conv2d(mb_sub(s, "3"), x, 1, 0);
}

/* [DetailCapture] */
static mb_value decoder(mb_scope s, mb_value features, mb_value x)
{
    mb_value detail[LEVELS + 1];
    conv_stream(detail, mb_sub(s, "convstream"), x);
    for (int i = 0; i <= LEVELS; i++) {
        features = fusion(mb_sub_index(s, "fusion_blocks", i), features, detail[LEVELS - i]);
        mb_graph_tap(s.g, mb_graph_text(s.g, "fusion%d", i), features.id);
    }
    return matting_head(mb_sub(s, "matting_head.matting_convs"), features);
}

/* The detail stream and the patches halve the input five times. */
int mb_vitmatte_size_step(const mb_weights *w)
{
    (void)w;
    return 32;
}

/* Backbone at 1/16, decoder with the detail stream, sigmoid. Kept: "alphas" [N,1,H,W] in [0,1]. */
mb_status mb_vitmatte_record(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err)
{
    mb_vit_config c;
    mb_status status = read_config(&c, g->weights, err);
    if (status != MB_OK) {
        return status;
    }
    if (n < 1 || h < 32 || w < 32 || h % 32 != 0 || w % 32 != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "network size %lld x %lld: both sides must be multiples of 32, at least 32",
                       (long long)w, (long long)h);
    }
    mb_scope top = mb_scope_top(g);
    mb_value x = {mb_graph_input(g, "input", (int64_t[]){n, 4, h, w})};
    mb_value features = mb_vit(mb_sub(top, "backbone"), x, &c);
    mb_value logits = decoder(mb_sub(top, "decoder"), features, x);
    mb_tap_name(top, "logits", logits);
    mb_value alphas = mb_nn_activation(mb_sub(top, "alphas"), logits, MB_ACT_SIGMOID);
    mb_graph_keep(g, alphas.id);
    return mb_graph_status(g, err);
}
