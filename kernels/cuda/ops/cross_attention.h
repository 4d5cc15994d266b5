/* The launches of attention to another map (cuda/lang/launch.h: what they return). */
#ifndef MB_CUDA_OPS_CROSS_ATTENTION_H
#define MB_CUDA_OPS_CROSS_ATTENTION_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* f16 or bf16 (sm_80), head width a multiple of 8, at most 64. */
int mb_cuda_launch_cross_attention(const mb_view *out, const mb_view *q, const mb_view *kv,
                                   const mb_cross_attention_attrs *a, mb_stream stream);
/* Any type, head width <= 128. */
int mb_cuda_launch_cross_attention_plain(const mb_view *out, const mb_view *q, const mb_view *kv,
                                         const mb_cross_attention_attrs *a, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
