/* The launch of layer norm (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_LAYER_NORM_H
#define MB_CUDA_OPS_LAYER_NORM_H

#include "attrs.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gamma, beta: [C] or NULL. */
int mb_cuda_launch_layer_norm(const mb_view *y, const mb_view *x, const float *gamma, const float *beta,
                              const mb_norm_attrs *a, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
