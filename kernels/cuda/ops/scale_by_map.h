/* The launch of the gate (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_SCALE_BY_MAP_H
#define MB_CUDA_OPS_SCALE_BY_MAP_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = x * sigmoid(map); the map may be of another type. */
int mb_cuda_launch_scale_by_map(const mb_view *y, const mb_view *x, const mb_view *map, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
