/* Products and convolutions have three servers: cuBLASLt, cuDNN, and our own kernel. They share prepared weights, so
 * the own kernel can step in for a library at any call. */
#ifndef MB_CUDA_OPS_GEMM_H
#define MB_CUDA_OPS_GEMM_H

#include "cuda/vendor/dnn_plan.h"
#include "cuda/ops/host.h"

/* Beyond the inputs: the bias once more, in the output's type (slot 2 has it in f32). */
#define MB_CUDA_SLOT_BIAS (MB_MAX_INPUTS - 1)
#define MB_CUDA_SLOT_WIDE (MB_MAX_INPUTS - 2) /* 16-bit weights as f32 (mb_cuda_prepare_widened) */

/* Slots 1: weights [O][kh*kw*I] in the input's type, rows padded to 16 bytes; 2 and MB_CUDA_SLOT_BIAS: bias;
 * 3: addend, if it is a constant. */
MB_MUST_CHECK mb_status mb_cuda_prepare_product(mb_prepared *out, const mb_call *c, mb_error *err);
/* The same, and the rounded weights in f32. Only for counts of inputs that need no padding. */
MB_MUST_CHECK mb_status mb_cuda_prepare_widened(mb_prepared *out, const mb_call *c, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_run_own_conv2d(const mb_call *c, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_run_own_linear(const mb_call *c, mb_error *err);

/* What a convolution is to cuDNN; and one of 16 bits with a result in f32 (product_widened.c). */
mb_dnn_conv mb_cuda_dnn_key(const mb_call *c);
mb_dnn_conv mb_cuda_dnn_widened_key(const mb_call *c);

#endif
