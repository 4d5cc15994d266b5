/* The launch of a copy into a slice of channels (views and pointers: device memory; cuda/lang/launch.h: what it
 * returns). */
#ifndef MB_CUDA_OPS_CONCAT_H
#define MB_CUDA_OPS_CONCAT_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y has as many channels as x, and a pitch of its own; x may be of another type. */
int mb_cuda_launch_copy(const mb_view *y, const mb_view *x, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
