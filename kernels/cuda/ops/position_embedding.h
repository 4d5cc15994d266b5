/* The launch of the resized position table (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_POSITION_EMBEDDING_H
#define MB_CUDA_OPS_POSITION_EMBEDDING_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* table [1+g*g, C] f32 on the device. */
int mb_cuda_launch_position_embedding(const mb_view *y, const float *table, int g, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
