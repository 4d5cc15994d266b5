/* The host side of max pooling: one launch. */
#include "cuda/ops/host.h"
#include "cuda/ops/max_pool2d.h"

static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_max_pool2d(&c->out, &x, c->attrs, d->compute), "max_pool2d", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_max_pool2d[MB_KERNEL_CHOICES] = {&own};
