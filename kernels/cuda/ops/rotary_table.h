/* The launch of rotary positions (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_ROTARY_TABLE_H
#define MB_CUDA_OPS_ROTARY_TABLE_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_rotary_table(const mb_view *y, float base, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
