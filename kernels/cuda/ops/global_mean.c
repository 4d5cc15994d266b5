/* The host side of the mean over a map: slices of the tokens are summed into the workspace, then added in order. */
#include "cuda/ops/global_mean.h"
#include "cuda/ops/host.h"

static bool supports(const mb_call *c)
{
    return mb_cuda_same_type(c) && c->in[0].dims[0] <= 65535; /* items are the third axis of the grid */
}

/* [N, MB_CUDA_MEAN_SLICES, C] sums. */
static size_t workspace(const mb_call *c)
{
    return sizeof(float) * MB_CUDA_MEAN_SLICES * (size_t)(c->in[0].dims[0] * c->in[0].dims[1]);
}

/* Two launches; no atomics, so the bits do not depend on the order. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_global_mean(&c->out, &x, c->workspace, d->compute), "global_mean", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = mb_cuda_prepare_maps, .run = run, .workspace = workspace};
const mb_kernel *const mb_cuda_global_mean[MB_KERNEL_CHOICES] = {&own};
