/* The host side of cutting a picture into tiles: one launch. */
#include "cuda/ops/host.h"
#include "cuda/ops/image_to_tiles.h"

/* A gather; nothing is computed. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view x = mb_cuda_input(c, 0);
    return mb_cuda_launched(d, mb_cuda_launch_image_to_tiles(&c->out, &x, d->compute), "image_to_tiles", err);
}

static const mb_kernel own = {
    .name = "own", .supports = mb_cuda_same_type, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_image_to_tiles[MB_KERNEL_CHOICES] = {&own};
