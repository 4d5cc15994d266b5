/* The launch of max pooling (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_MAX_POOL2D_H
#define MB_CUDA_OPS_MAX_POOL2D_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_max_pool2d(const mb_view *y, const mb_view *x, const mb_pool_attrs *a, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
