/* The host side of patch merging: one launch for each of the four parities, inside the launch function. */
#include "cuda/ops/host.h"
#include "cuda/ops/patch_merge.h"

/* Four launches, one for each parity. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_patch_merge(&c->out, &x, d->compute), "patch_merge", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_patch_merge[MB_KERNEL_CHOICES] = {&own};
