/* The launch of activations (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_UNARY_H
#define MB_CUDA_OPS_UNARY_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_unary(const mb_view *y, const mb_view *x, int act, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
