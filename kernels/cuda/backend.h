/* The CUDA back end as the rest of the engine sees it; without CUDA in the build every call is an MB_E_DEVICE error. */
#ifndef MB_CUDA_BACKEND_H
#define MB_CUDA_BACKEND_H

#include "kernel.h"

/* The table of kernels: what `ops.def` promises in its cuda column, libraries first where they can. In calls on this
 * back end views of activations point to device memory, constants are host memory until prepare has copied them, and
 * `device` is the mb_cuda_device (cuda/driver/device.h). */
MB_MUST_CHECK mb_status mb_backend_cuda(mb_backend *out, mb_error *err);

/* The same on GPU `index`, ready to run plans: opens it; maps between nodes are of the type `activations` (f32, f16, or
 * bf16 from sm_80 on). Closed by mb_backend_cuda_close after the last plan and runner of it is gone. */
MB_MUST_CHECK mb_status mb_backend_cuda_open(mb_backend *out, int index, mb_dtype activations, mb_error *err);
void mb_backend_cuda_close(mb_backend *b);
/* Maps of plans made from now on, and whether f32 products may be TF32. MB_E_DEVICE: not on this GPU. */
MB_MUST_CHECK mb_status mb_backend_cuda_set_types(mb_backend *b, mb_dtype activations, bool tf32, mb_error *err);

#endif
