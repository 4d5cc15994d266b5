/* The launches of ViT's attention (cuda/lang/launch.h: what they return). */
#ifndef MB_CUDA_OPS_VIT_ATTENTION_H
#define MB_CUDA_OPS_VIT_ATTENTION_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_cuda_vit_args {
    const mb_view *out, *qkv;
    const mb_vit_attention_attrs *attrs;
    const void *pad; /* [3C] of qkv's type, or NULL */
    const float *table_h, *table_w;
    int rows_h, rows_w;
    float *scratch;  /* [2a-1 + 2b-1][d] */
    float *relative; /* [N*H*W][heads][a+b, and 1 with pads_as_one]: written by vit_relative, read by the others; NULL:
                           no relative terms */
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
