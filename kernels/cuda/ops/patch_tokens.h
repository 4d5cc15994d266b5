/* The launch of the patches of a ViT's sequence (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_PATCH_TOKENS_H
#define MB_CUDA_OPS_PATCH_TOKENS_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_patch_tokens(const mb_view *y, const mb_view *x, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
