/* The host side of LayerScale, for maps that are looked at (else a pass folds it): gamma goes to the device in f32. */
#include "cuda/ops/host.h"
#include "cuda/ops/layer_scale.h"

static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_cuda_part part = mb_cuda_constant_map(c, 1, MB_F32);
    return mb_cuda_upload(out, c, &part, 1, err);
}

/* In place where the plan says so. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code = mb_cuda_launch_layer_scale(&c->out, &c->in[0], mb_cuda_slot(c, 1), d->compute);
    return mb_cuda_launched(d, code, "layer_scale", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = prepare, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_layer_scale[MB_KERNEL_CHOICES] = {&own};
