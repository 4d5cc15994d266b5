/* The parameters of each op. Plain data without pointers: compared and hashed as bytes, so always start from {0}. */
#ifndef MB_ATTRS_H
#define MB_ATTRS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum mb_activation { MB_ACT_NONE = 0, MB_ACT_RELU = 1, MB_ACT_GELU = 2, MB_ACT_SIGMOID = 3 } mb_activation;

/* y = act(conv(x, weight) + bias + addend); zero padding on all sides; GELU is the exact erf form.
 * border_variants: weight is [9*O,I,kh,kw] and bias [9*O]; a pixel on the outermost ring of the map takes the variant
 * 3*(top 0, inner 1, bottom 2) + (left 0, inner 1, right 2), all others variant 4 (a composition of two padded
 * convolutions is exact that way); stride must be 1, the output at least 2x2. */
typedef struct mb_conv2d_attrs {
    int32_t stride, pad;
    mb_activation act;
    bool border_variants;
} mb_conv2d_attrs;

/* y[c] = act(conv(x[c], weight[c]) + bias[c]): k x k with k odd, stride 1, zero padding k/2. */
typedef struct mb_depthwise_attrs {
    mb_activation act;
} mb_depthwise_attrs;

/* Windows of kernel x kernel, `stride` apart; incomplete ones at the end are dropped. pad: places around the map that
 * count as smaller than everything, at most half a kernel. */
typedef struct mb_pool_attrs {
    int32_t kernel, stride, pad;
} mb_pool_attrs;

typedef struct mb_linear_attrs {
    mb_activation act;
} mb_linear_attrs;

/* Modulated deformable convolution, stride 1, one offset group: y = act(sum_t modulator_t * sample_t * W_t + bias),
 * modulator = modulator_scale * sigmoid(modulator logits); offset channel 2t is y, 2t+1 is x (spec birefnet 3.2). */
typedef struct mb_deform_conv2d_attrs {
    int32_t pad;
    float modulator_scale;
    mb_activation act;
} mb_deform_conv2d_attrs;

/* y = act(conv3x3(up(x), weight) + bias + addend): up is bilinear to exactly twice the size, half-pixel centres,
 * clamped; the convolution then pads the enlarged map with one ring of zeros (VITMatte's fusion, without its
 * concatenation).
 *     x [N,I,h,w] -> [N,O,2h,2w] */
typedef struct mb_upsample_conv2d_attrs {
    mb_activation act;
} mb_upsample_conv2d_attrs;

typedef struct mb_norm_attrs { /* layer_norm over C; batch_norm */
    float eps;
    bool zero_mean; /* layer_norm: the channels of every token sum to zero already, so the mean is not taken */
} mb_norm_attrs;

typedef struct mb_unary_attrs {
    mb_activation act;
} mb_unary_attrs;

typedef struct mb_no_attrs {
    int32_t none;
} mb_no_attrs;

/* Attention of the tokens of one map to those of another (of any size), head-major channels:
 *     y = softmax(scale * q.k) v */
typedef struct mb_cross_attention_attrs {
    int32_t heads;
    float scale;
} mb_cross_attention_attrs;

/* Swin window attention with roll, partition, padding and shift mask inside. Input qkv [N,3C,H,W] (q, k, v; head-major
 * inside each), output [N,C,H,W]. Maps that are no multiple of the window are padded right/bottom with tokens whose qkv
 * is the input pad_qkv [3C] (the bias of the qkv layer); padding keys take part (spec birefnet 3.1).
 *     logits = scale * q.k + relative position bias + mask */
typedef struct mb_window_attention_attrs {
    int32_t heads, window, shift;
    float scale;
} mb_window_attention_attrs;

/* ViT attention with decomposed relative positions (spec vitmatte 4.3). window 0: one map over all H*W tokens. Else
 * windows of window x window, padded right/bottom with tokens whose qkv is pad_qkv, keys included.
 *     logits = scale * q.k + rel_scale * (q.Rh + q.Rw)
 * Tables [rows, C/heads] are resized to 2a-1 rows as in the specification. Without tables: no relative term, window 0.
 * pads_as_one: the padding keys of a window, which differ in position only, are one key whose relative term is the
 * logarithm of the sum of their exp(relative terms): the same softmax (docs/models/vitmatte.md, W2). */
typedef struct mb_vit_attention_attrs {
    int32_t heads, window;
    float scale, rel_scale;
    bool pads_as_one;
} mb_vit_attention_attrs;

/* Bilinear to out_h x out_w. align_corners: r = (in-1)/(out-1), index arithmetic in f32 as in spec birefnet 3; else
 * half-pixel centres, clamped, no antialiasing (spec vitmatte 4.5). y = up(x) + addend. */
typedef struct mb_resize_attrs {
    int32_t out_h, out_w;
    bool align_corners;
} mb_resize_attrs;

/* Rotary position embedding of DINOv3 (docs/models/dino_v3.md): angles of a map of out_h x out_w places for heads of
 * head_dim channels (a multiple of 4), by periods base^(4j / head_dim). */
typedef struct mb_rotary_table_attrs {
    int32_t out_h, out_w, head_dim;
    float base;
} mb_rotary_table_attrs;

typedef struct mb_heads_attrs { /* rotary_embedding */
    int32_t heads;
} mb_heads_attrs;

/* image_to_tiles: cut x [N,C,H,W] into tiles of out_h x out_w; channel (c*Gh + ty)*Gw + tx of the output holds tile
 * (ty,tx) of channel c (row order, spec birefnet 1.2 and 3.3). position_embedding, patch_tokens: the size of the map. */
typedef struct mb_size_attrs {
    int32_t out_h, out_w;
} mb_size_attrs;

#endif
