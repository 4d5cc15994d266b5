/* The host side of activations: one launch. */
#include "cuda/ops/host.h"
#include "cuda/ops/unary.h"

/* In place where the plan says so. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_unary_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_unary(&c->out, &x, (int)a->act, d->compute), "unary", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_unary[MB_KERNEL_CHOICES] = {&own};
