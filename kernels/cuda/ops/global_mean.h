/* The launch of the mean over a map (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_GLOBAL_MEAN_H
#define MB_CUDA_OPS_GLOBAL_MEAN_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* partial: [N, MB_CUDA_MEAN_SLICES, C] floats of workspace. */
#define MB_CUDA_MEAN_SLICES 32
int mb_cuda_launch_global_mean(const mb_view *y, const mb_view *x, float *partial, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
