/* The launch of batch norm (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_BATCH_NORM_H
#define MB_CUDA_OPS_BATCH_NORM_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* scale, shift: [C] f32. */
int mb_cuda_launch_batch_norm(const mb_view *y, const mb_view *x, const float *scale, const float *shift,
                              mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
