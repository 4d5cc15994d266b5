/* The launch of a ViT's sequence (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_JOIN_TOKENS_H
#define MB_CUDA_OPS_JOIN_TOKENS_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* first [C] and registers [R,C] of the type of y; registers may be NULL if there are none. */
int mb_cuda_launch_join_tokens(const mb_view *y, const mb_view *x, const void *first, const void *registers,
                               mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
