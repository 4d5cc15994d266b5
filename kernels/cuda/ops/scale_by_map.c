/* The host side of the gate: one launch. The map may be f32 beside 16-bit maps. */
#include "cuda/ops/host.h"
#include "cuda/ops/scale_by_map.h"

static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

/* The sigmoid is taken in the kernel. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0), map = mb_cuda_input(c, 1);
    return mb_cuda_launched(d, mb_cuda_launch_scale_by_map(&c->out, &x, &map, d->compute), "scale_by_map", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = mb_cuda_prepare_maps, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_scale_by_map[MB_KERNEL_CHOICES] = {&own};
