/* The host side of the gate of a SwiGLU: one launch. */
#include "cuda/ops/host.h"
#include "cuda/ops/silu_gate.h"

/* In place where the plan says so. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view gate = mb_cuda_input(c, 0), x = mb_cuda_input(c, 1);
    return mb_cuda_launched(d, mb_cuda_launch_silu_gate(&c->out, &gate, &x, d->compute), "silu_gate", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_silu_gate[MB_KERNEL_CHOICES] = {&own};
