/* Opens a GPU with everything that belongs to it; once per process and device. */
#ifndef MB_CUDA_DRIVER_CONTEXT_H
#define MB_CUDA_DRIVER_CONTEXT_H

#include "cuda/driver/device.h"

MB_MUST_CHECK mb_status mb_cuda_open(mb_cuda_device **out, int index, mb_error *err);
void mb_cuda_close(mb_cuda_device *d); /* NULL is fine */

#endif
