/* The launch of deformable convolutions (cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_DEFORM_CONV2D_H
#define MB_CUDA_OPS_DEFORM_CONV2D_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_cuda_deform_args {
    const mb_view *y, *x, *offset, *logit; /* offset and logit of one type */
    const void *weight;
    const float *bias;
    int k, pad, act;
    float modulator_scale;
} mb_cuda_deform_args;
int mb_cuda_launch_deform_conv2d(const mb_cuda_deform_args *c, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
