/* What the host sides of convolutions and linear layers share. Three implementations compute them: cuBLASLt, cuDNN, and
 * our own gemm (cuda/ops/gemm.cuh). They share prepared weights, so our own can step in for a library at any call. */
#ifndef MB_CUDA_OPS_GEMM_H
#define MB_CUDA_OPS_GEMM_H

#include "cuda/ops/conv_args.h"
#include "cuda/ops/host.h"

/* Slots beyond the inputs: the bias once more, in the output's type (slot 2 has it in f32); 16-bit weights as f32. */
#define MB_CUDA_SLOT_BIAS        (MB_MAX_INPUTS - 1)
#define MB_CUDA_SLOT_WEIGHTS_F32 (MB_MAX_INPUTS - 2)

/* ---- weights ---- */

/* Weights `w` [O,I,kh,kw] as [O][kh*kw*I], channels innermost, rows padded to 16 bytes: a part for `slot`. *staging is
 * what the part points to; free it after the upload. */
MB_MUST_CHECK mb_status mb_cuda_reorder_weights(mb_cuda_part *part, float **staging, const mb_view *w, int slot,
                                                mb_dtype dtype, mb_error *err);
/* Slots 1: weights in the input's type; 2 and MB_CUDA_SLOT_BIAS: bias; 3: addend, if it is a constant. */
MB_MUST_CHECK mb_status mb_cuda_prepare_gemm(mb_prepared *out, const mb_call *c, mb_error *err);
/* The same, and the rounded weights in f32. Only for counts of inputs that need no padding. */
MB_MUST_CHECK mb_status mb_cuda_prepare_gemm_f32(mb_prepared *out, const mb_call *c, mb_error *err);

/* ---- our own ---- */

typedef int mb_cuda_gemm_launch(const mb_cuda_conv_args *k, mb_stream stream);
bool mb_cuda_gemm_supports(const mb_call *c);
/* Fills in the maps, weights, bias and kernel size of the call, and launches. `name` for messages. */
MB_MUST_CHECK mb_status mb_cuda_gemm_run(const mb_call *c, mb_cuda_conv_args *k, mb_cuda_gemm_launch *launch,
                                         const char *name, mb_error *err);

/* ---- cuBLASLt (gemm_blaslt.c) ---- */

bool mb_cuda_gemm_blaslt_supports(const mb_call *c);
size_t mb_cuda_gemm_blaslt_workspace(const mb_call *c);
typedef mb_status mb_cuda_run_fn(const mb_call *c, mb_error *err);
/* act(x w + bias + addend); `own` runs instead where the library cannot, or is slower. */
MB_MUST_CHECK mb_status mb_cuda_gemm_blaslt_run(const mb_call *c, mb_activation act, mb_cuda_run_fn *own,
                                                mb_error *err);
/* Times the library's algorithms and our own kernel; `run` is the whole call. */
MB_MUST_CHECK mb_status mb_cuda_gemm_blaslt_tune(const mb_call *c, mb_activation act, mb_cuda_run_fn *run,
                                                 mb_error *err);

#endif
