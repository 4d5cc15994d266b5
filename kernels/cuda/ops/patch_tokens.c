/* The host side of the patches of a ViT's sequence: one launch. */
#include "cuda/ops/host.h"
#include "cuda/ops/patch_tokens.h"

/* A copy of all tokens but the first ones. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_patch_tokens(&c->out, &x, d->compute), "patch_tokens", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_patch_tokens[MB_KERNEL_CHOICES] = {&own};
