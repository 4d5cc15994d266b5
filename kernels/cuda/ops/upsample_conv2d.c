/* The host side of the 3x3 convolution of an enlarged map: our own gemm, which blends the map where it reads it. */
#include "cuda/ops/gemm.h"
#include "cuda/ops/upsample_conv2d.h"

/* One launch: blend, gemm, bias, addend, activation. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_upsample_conv2d_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.act = (int)a->act};
    return mb_cuda_gemm_run(c, &k, mb_cuda_launch_upsample_conv2d, "upsample_conv2d", err);
}

static const mb_kernel own = {.name = "own",
                              .supports = mb_cuda_gemm_supports,
                              .prepare = mb_cuda_prepare_gemm,
                              .run = run,
                              .in_place_input = 1 + 3};
const mb_kernel *const mb_cuda_upsample_conv2d[MB_KERNEL_CHOICES] = {&own};
