/* The host side of convolutions. In this order: 16-bit maps with a result in f32 by cuDNN (conv2d_dnn_f32.c), 1x1 by
 * cuBLASLt, several taps by cuDNN (conv2d_dnn.c), and everything by our own gemm. */
#include "cuda/ops/conv2d_dnn.h"
#include "cuda/ops/gemm.h"

/* A 1x1 convolution is a matrix product of the map's tokens. */
static bool supports_blaslt(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    return a->stride == 1 && a->pad == 0 && !a->border_variants && mb_cuda_gemm_blaslt_supports(c);
}

/* The library's gemm, or our own kernel where it cannot. */
static mb_status run_blaslt(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    return mb_cuda_gemm_blaslt_run(c, a->act, mb_cuda_conv2d_run_own, err);
}

/* Before a plan's first run. */
static mb_status tune_blaslt(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    return mb_cuda_gemm_blaslt_tune(c, a->act, run_blaslt, err);
}

static const mb_kernel blaslt = {.name = "cublaslt",
                                 .supports = supports_blaslt,
                                 .prepare = mb_cuda_prepare_gemm,
                                 .workspace = mb_cuda_gemm_blaslt_workspace,
                                 .tune = tune_blaslt,
                                 .run = run_blaslt,
                                 .in_place_input = 1 + 3};
static const mb_kernel own = {.name = "own",
                              .supports = mb_cuda_gemm_supports,
                              .prepare = mb_cuda_prepare_gemm,
                              .run = mb_cuda_conv2d_run_own,
                              .in_place_input = 1 + 3};
const mb_kernel *const mb_cuda_conv2d[MB_KERNEL_CHOICES] = {&mb_cuda_conv2d_dnn_f32, &blaslt, &mb_cuda_conv2d_dnn,
                                                            &own};
