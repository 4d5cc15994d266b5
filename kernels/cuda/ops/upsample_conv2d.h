/* The launch of the convolution of an enlarged map (cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_UPSAMPLE_CONV2D_H
#define MB_CUDA_OPS_UPSAMPLE_CONV2D_H

#include "cuda/lang/launch.h"
#include "cuda/ops/conv_args.h"

#ifdef __cplusplus
extern "C" {
#endif

/* kh, kw, stride, pad: not read. */
int mb_cuda_launch_upsample_conv2d(const mb_cuda_conv_args *c, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
