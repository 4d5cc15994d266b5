/* The launch of convolutions and linear layers on our own gemm (cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_CONV2D_H
#define MB_CUDA_OPS_CONV2D_H

#include "cuda/lang/launch.h"
#include "cuda/ops/conv_args.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_conv2d(const mb_cuda_conv_args *c, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
