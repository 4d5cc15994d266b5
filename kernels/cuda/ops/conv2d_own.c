/* Convolutions by our own gemm: what every other implementation falls back to. */
#include "cuda/ops/conv2d.h"
#include "cuda/ops/conv2d_dnn.h"
#include "cuda/ops/gemm.h"

/* Anything the rule allows: strides, paddings, border variants. */
mb_status mb_cuda_conv2d_run_own(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.stride = a->stride, .pad = a->pad, .act = (int)a->act, .variants = a->border_variants};
    return mb_cuda_gemm_run(c, &k, mb_cuda_launch_conv2d, "conv2d", err);
}
