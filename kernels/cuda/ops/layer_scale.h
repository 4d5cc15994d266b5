/* The launch of LayerScale (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_LAYER_SCALE_H
#define MB_CUDA_OPS_LAYER_SCALE_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

int mb_cuda_launch_layer_scale(const mb_view *y, const mb_view *x, const float *gamma, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
