/* The host side of a ViT's sequence: class token and registers go to the device in the map's type. */
#include "cuda/ops/host.h"
#include "cuda/ops/join_tokens.h"

/* One launch. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    int code = mb_cuda_launch_join_tokens(&c->out, &x, mb_cuda_slot(c, 1), mb_cuda_slot(c, 2), d->compute);
    return mb_cuda_launched(d, code, "join_tokens", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_join_tokens[MB_KERNEL_CHOICES] = {&own};
