/* The launch of the bilinear resize (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_RESIZE_BILINEAR_H
#define MB_CUDA_OPS_RESIZE_BILINEAR_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* addend may be absent (dims[0] == 0). */
int mb_cuda_launch_resize_bilinear(const mb_view *y, const mb_view *x, const mb_view *addend, bool align_corners,
                                   mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
