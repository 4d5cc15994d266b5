/* The launch of rotary position embedding (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_ROTARY_EMBEDDING_H
#define MB_CUDA_OPS_ROTARY_EMBEDDING_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The table is f32 [1,2d,h,w]. */
int mb_cuda_launch_rotary_embedding(const mb_view *y, const mb_view *x, const mb_view *table, int heads,
                                    mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
