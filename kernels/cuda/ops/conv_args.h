/* The arguments of the convolutions on our own gemm. Pointers are device memory. */
#ifndef MB_CUDA_OPS_CONV_ARGS_H
#define MB_CUDA_OPS_CONV_ARGS_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* weight [O][kh*kw*I] of x's type, channels innermost, rows padded to 16 bytes with zeros. y may be f32. */
typedef struct mb_cuda_conv_args {
    const mb_view *y, *x, *addend; /* addend: dims[0] == 0 if absent */
    const void *weight;            /* nine times over for border variants */
    const float *bias;             /* or NULL */
    int kh, kw, stride, pad, act;
    bool variants;
} mb_cuda_conv_args;

#ifdef __cplusplus
}
#endif
#endif
