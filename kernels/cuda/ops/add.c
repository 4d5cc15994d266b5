/* The host side of additions: one launch; a constant input is uploaded once. */
#include "cuda/ops/add.h"
#include "cuda/ops/host.h"

/* b may stand for every item of a. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view a = mb_cuda_input(c, 0), b = mb_cuda_input(c, 1);
    return mb_cuda_launched(d, mb_cuda_launch_add(&c->out, &a, &b, d->compute), "add", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_add[MB_KERNEL_CHOICES] = {&own};
