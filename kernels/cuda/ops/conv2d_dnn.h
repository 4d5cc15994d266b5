/* The implementations of conv2d: our own, and two by cuDNN, which fall back to it. */
#ifndef MB_CUDA_OPS_CONV2D_DNN_H
#define MB_CUDA_OPS_CONV2D_DNN_H

#include "cuda/driver/dnn.h"
#include "kernel.h"

MB_MUST_CHECK mb_status mb_cuda_conv2d_run_own(const mb_call *c, mb_error *err);
extern const mb_kernel mb_cuda_conv2d_dnn, mb_cuda_conv2d_dnn_f32;
/* What a convolution is to cuDNN; and one of 16 bits with a result in f32 (conv2d_dnn_f32.c). */
mb_dnn_conv mb_cuda_conv2d_dnn_key(const mb_call *c);
mb_dnn_conv mb_cuda_conv2d_dnn_f32_key(const mb_call *c);

#endif
