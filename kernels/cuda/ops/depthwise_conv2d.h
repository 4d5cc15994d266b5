/* The launch of depthwise convolution (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_DEPTHWISE_CONV2D_H
#define MB_CUDA_OPS_DEPTHWISE_CONV2D_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* weight: [k*k][C] f32, bias: [C] f32. */
int mb_cuda_launch_depthwise_conv2d(const mb_view *y, const mb_view *x, const float *weight, const float *bias, int k,
                                    int act, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
