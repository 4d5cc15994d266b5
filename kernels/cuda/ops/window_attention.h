/* The launches of window attention (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_WINDOW_ATTENTION_H
#define MB_CUDA_OPS_WINDOW_ATTENTION_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* pad [3C] in the type of qkv (NULL when the map is a multiple of the window), table [heads, (2w-1)^2] f32.
 * f16 or bf16 (sm_80), window 7 or 12, head width <= 32. */
int mb_cuda_launch_window_attention(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                    const mb_window_attention_attrs *a, mb_stream stream);
/* Any type, window and head width whose shared memory the device has. */
size_t mb_cuda_window_attention_plain_shared(const mb_window_attention_attrs *a, int64_t channels);
int mb_cuda_launch_window_attention_plain(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                          const mb_window_attention_attrs *a, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
