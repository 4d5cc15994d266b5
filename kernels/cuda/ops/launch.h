/* Launch functions of the ops' kernels (cuda/lang/launch.h: what they return). Sizes that a kernel cannot do are for the
 * caller to refuse (`supports` of the op). Views point to device memory, f32 pointers to prepared constants there. */
#ifndef MB_CUDA_OPS_LAUNCH_H
#define MB_CUDA_OPS_LAUNCH_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_unary(const mb_view *y, const mb_view *x, int act, mb_stream stream);
int mb_cuda_launch_add(const mb_view *y, const mb_view *a, const mb_view *b, mb_stream stream);
int mb_cuda_launch_scale_by_map(const mb_view *y, const mb_view *x, const mb_view *map, mb_stream stream);
int mb_cuda_launch_batch_norm(const mb_view *y, const mb_view *x, const float *scale, const float *shift,
                              mb_stream stream);
int mb_cuda_launch_copy(const mb_view *y, const mb_view *x, mb_stream stream);
int mb_cuda_launch_patch_merge(const mb_view *y, const mb_view *x, mb_stream stream);
int mb_cuda_launch_image_to_tiles(const mb_view *y, const mb_view *x, mb_stream stream);
/* addend may be absent (dims[0] == 0). */
int mb_cuda_launch_resize_bilinear(const mb_view *y, const mb_view *x, const mb_view *addend, bool align_corners,
                                   mb_stream stream);
/* partial: [N, MB_CUDA_MEAN_SLICES, C] floats of workspace. */
#define MB_CUDA_MEAN_SLICES 32
int mb_cuda_launch_global_mean(const mb_view *y, const mb_view *x, float *partial, mb_stream stream);
/* table [1+g*g, C] f32 on the device. */
int mb_cuda_launch_position_embedding(const mb_view *y, const float *table, int g, mb_stream stream);
/* gamma, beta: [C] or NULL. */
int mb_cuda_launch_layer_norm(const mb_view *y, const mb_view *x, const float *gamma, const float *beta,
                              const mb_norm_attrs *a, mb_stream stream);

/* pad [3C] in the type of qkv (NULL when the map is a multiple of the window), table [heads, (2w-1)^2] f32.
 * f16 or bf16 (sm_80), window 7 or 12, head width <= 32. */
int mb_cuda_launch_window_attention(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                    const mb_window_attention_attrs *a, mb_stream stream);
/* Any type, window and head width whose shared memory the device has. */
size_t mb_cuda_window_attention_plain_shared(const mb_window_attention_attrs *a, int64_t channels);
int mb_cuda_launch_window_attention_plain(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                          const mb_window_attention_attrs *a, mb_stream stream);

/* weight [O][kh*kw*I] of x's type, channels innermost, rows padded to 16 bytes with zeros. y may be f32. */
typedef struct mb_cuda_conv_args {
    const mb_view *y, *x, *addend; /* addend: dims[0] == 0 if absent */
    const void *weight;            /* nine times over for border variants */
    const float *bias;             /* or NULL */
    int kh, kw, stride, pad, act;
    bool variants;
} mb_cuda_conv_args;
int mb_cuda_launch_conv2d(const mb_cuda_conv_args *c, mb_stream stream);
int mb_cuda_launch_upsample_conv2d(const mb_cuda_conv_args *c, mb_stream stream); /* kh, kw, stride, pad: not read */

typedef struct mb_cuda_deform_args {
    const mb_view *y, *x, *offset, *logit; /* offset and logit of one type */
    const void *weight;
    const float *bias;
    int k, pad, act;
    float modulator_scale;
} mb_cuda_deform_args;
int mb_cuda_launch_deform_conv2d(const mb_cuda_deform_args *c, mb_stream stream);

typedef struct mb_cuda_vit_args {
    const mb_view *out, *qkv;
    const mb_vit_attention_attrs *attrs;
    const void *pad; /* [3C] of qkv's type, or NULL */
    const float *table_h, *table_w;
    int rows_h, rows_w;
    float *scratch;     /* [2a-1 + 2b-1][d] */
    float *relative;    /* [N*H*W][heads][a+b, and 1 with pads_as_one]: written by vit_relative, read by the others */
    size_t shared_most; /* bytes that a block may ask for */
} mb_cuda_vit_args;
int mb_cuda_launch_vit_relative(const mb_cuda_vit_args *v, mb_stream stream);
/* f16 or bf16 (sm_80), head width 64. */
int mb_cuda_launch_vit_attention(const mb_cuda_vit_args *v, mb_stream stream);
int mb_cuda_launch_vit_attention_plain(const mb_cuda_vit_args *v, mb_stream stream); /* head width <= 128 */

#ifdef __cplusplus
}
#endif
#endif
