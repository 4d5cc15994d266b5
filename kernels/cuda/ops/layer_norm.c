/* The host side of layer norm: weight and bias go to the device in f32, if they are there. */
#include "cuda/ops/host.h"
#include "cuda/ops/layer_norm.h"

/* Input and output of one type; the vectors are f32 whatever it is. */
static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

/* Nothing to prepare where a pass has folded both vectors into the next layer. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    *out = (mb_prepared){0};
    const mb_cuda_part parts[2] = {mb_cuda_constant_map(c, 1, MB_F32), mb_cuda_constant_map(c, 2, MB_F32)};
    return parts[0].src != NULL || parts[1].src != NULL ? mb_cuda_upload(out, c, parts, 2, err) : MB_OK;
}

/* One launch; rows of tokens. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code =
        mb_cuda_launch_layer_norm(&c->out, &c->in[0], mb_cuda_slot(c, 1), mb_cuda_slot(c, 2), c->attrs, d->compute);
    return mb_cuda_launched(d, code, "layer_norm", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = prepare, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_layer_norm[MB_KERNEL_CHOICES] = {&own};
