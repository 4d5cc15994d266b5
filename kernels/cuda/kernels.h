/* Launch functions of our kernels as the C host side sees them. Each returns 0, or a code for mb_cuda_launch_text when
 * the launch itself was refused; faults of the kernel show at the next synchronisation. Sizes a kernel cannot do are
 * for the caller to refuse (`supports` of the op). Views point to device memory; f32 pointers to prepared constants
 * there. */
#ifndef MB_CUDA_KERNELS_H
#define MB_CUDA_KERNELS_H

#include "core/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *mb_stream;

const char *mb_cuda_launch_text(int code);

#ifdef __cplusplus
}
#endif
#endif
