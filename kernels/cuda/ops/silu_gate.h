/* The launch of the gate of a SwiGLU (views and pointers: device memory; cuda/lang/launch.h: what it returns). */
#ifndef MB_CUDA_OPS_SILU_GATE_H
#define MB_CUDA_OPS_SILU_GATE_H

#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = silu(gate) * x; y may be the gate. */
int mb_cuda_launch_silu_gate(const mb_view *y, const mb_view *gate, const mb_view *x, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
