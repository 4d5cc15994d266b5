/* The host side of linear layers: cuBLASLt, else our own gemm as a 1x1 convolution. */
#include "cuda/ops/conv2d.h"
#include "cuda/ops/gemm.h"

/* Every token is a pixel. */
static mb_status run_own(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.stride = 1, .act = (int)a->act};
    return mb_cuda_gemm_run(c, &k, mb_cuda_launch_conv2d, "linear", err);
}

/* The library's gemm, or our own kernel where it cannot. */
static mb_status run_blaslt(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    return mb_cuda_gemm_blaslt_run(c, a->act, run_own, err);
}

/* Before a plan's first run. */
static mb_status tune_blaslt(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    return mb_cuda_gemm_blaslt_tune(c, a->act, run_blaslt, err);
}

static const mb_kernel blaslt = {.name = "cublaslt",
                                 .supports = mb_cuda_gemm_blaslt_supports,
                                 .prepare = mb_cuda_prepare_gemm,
                                 .workspace = mb_cuda_gemm_blaslt_workspace,
                                 .tune = tune_blaslt,
                                 .run = run_blaslt,
                                 .in_place_input = 1 + 3};
static const mb_kernel own = {.name = "own",
                              .supports = mb_cuda_gemm_supports,
                              .prepare = mb_cuda_prepare_gemm,
                              .run = run_own,
                              .in_place_input = 1 + 3};
const mb_kernel *const mb_cuda_linear[MB_KERNEL_CHOICES] = {&blaslt, &own};
