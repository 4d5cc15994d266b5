/* The launch of additions (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_ADD_H
#define MB_CUDA_OPS_ADD_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = a + b; b may have N = 1. */
int mb_cuda_launch_add(const mb_view *y, const mb_view *a, const mb_view *b, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
