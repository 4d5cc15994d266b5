/* The host side of the bilinear resize: one launch, the addend inside. */
#include "cuda/ops/host.h"
#include "cuda/ops/resize_bilinear.h"

/* The addend may be absent. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_resize_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0), addend = mb_cuda_input(c, 1);
    int code = mb_cuda_launch_resize_bilinear(&c->out, &x, &addend, a->align_corners, d->compute);
    return mb_cuda_launched(d, code, "resize_bilinear", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run, .in_place_input = 1 + 1};
const mb_kernel *const mb_cuda_resize_bilinear[MB_KERNEL_CHOICES] = {&own};
