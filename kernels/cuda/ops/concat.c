/* The host side of concatenation: a launch for each input, into its slice of the channels. */
#include "cuda/ops/concat.h"
#include "cuda/ops/host.h"

/* Inputs may be f32 among 16-bit ones: the copy converts. */
static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, true);
}

/* y is cut into slices with the pitch of the whole. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code = 0;
    mb_view slice = c->out;
    for (int i = 0; i < c->n_in && code == 0; i++) {
        mb_view x = mb_cuda_input(c, i);
        slice.dims[1] = x.dims[1];
        code = mb_cuda_launch_copy(&slice, &x, d->compute);
        slice.data = (unsigned char *)slice.data + (size_t)x.dims[1] * mb_dtype_size(slice.dtype);
    }
    return mb_cuda_launched(d, code, "concat", err);
}

static const mb_kernel own = {.name = "own", .supports = supports, .prepare = mb_cuda_prepare_maps, .run = run};
const mb_kernel *const mb_cuda_concat[MB_KERNEL_CHOICES] = {&own};
