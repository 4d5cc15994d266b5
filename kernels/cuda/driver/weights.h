/* Weights on a device: one image of all that a model's plans need, filled through two pinned buffers on the copy
 * stream, so that converting, copying and computing overlap. */
#ifndef MB_CUDA_DRIVER_WEIGHTS_H
#define MB_CUDA_DRIVER_WEIGHTS_H

#include "cuda/driver/device.h"

MB_MUST_CHECK mb_status mb_cuda_weights_open(mb_cuda_device *d, mb_error *err);
void mb_cuda_weights_close(mb_cuda_device *d); /* also one that was never opened */

/* mb_device_memory.reserve: MB_E_MEMORY if activations and weights do not fit into what is free; else the next image is
 * allocated for all of the weights at once. */
MB_MUST_CHECK mb_status mb_cuda_reserve(mb_cuda_device *d, size_t activations, size_t weights, mb_error *err);
/* 0: every block is an allocation of its own (tests: the address sanitizer then sees its ends). */
void mb_cuda_weights_image_bytes(mb_cuda_device *d, size_t least);

/* A block in an image. Freed images go back to the device when their last block does. */
MB_MUST_CHECK mb_status mb_cuda_weights_alloc(mb_cuda_device *d, void **out, size_t bytes, mb_error *err);
void mb_cuda_weights_free(mb_cuda_device *d, void *block); /* NULL is fine */

/* Rounds `count` values to `dtype` into the block. Returns before the copy is done; src may go away; kernels launched
 * after mb_cuda_weights_ready see it. */
MB_MUST_CHECK mb_status mb_cuda_weights_fill(mb_cuda_device *d, void *dst, const float *src, size_t count,
                                             mb_dtype dtype, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_weights_ready(mb_cuda_device *d, mb_error *err);

#endif
