/* The host side of VITMatte's absolute positions: the table goes to the device as it is. */
#include "cuda/ops/host.h"
#include "cuda/ops/position_embedding.h"
#include "rules/position_embedding.h"

/* The table is f32; the map has the plan's type. */
static bool supports(const mb_call *c)
{
    return c->out.dtype != MB_I64 && mb_view_tokens(&c->out) <= INT32_MAX;
}

/* [1+g*g, C] in f32. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_cuda_part part = mb_cuda_constant_map(c, 0, MB_F32);
    return mb_cuda_upload(out, c, &part, 1, err);
}

/* Once per plan: a pass makes it a constant where it can. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int side = (int)mb_position_grid(c->in[0].dims[0]);
    return mb_cuda_launched(d, mb_cuda_launch_position_embedding(&c->out, mb_cuda_slot(c, 0), side, d->compute),
                            "position_embedding", err);
}

static const mb_kernel own = {.name = "own", .supports = supports, .prepare = prepare, .run = run};
const mb_kernel *const mb_cuda_position_embedding[MB_KERNEL_CHOICES] = {&own};
