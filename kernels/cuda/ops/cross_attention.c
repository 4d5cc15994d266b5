/* The host side of attention to another map: one of two kernels. */
#include "cuda/ops/cross_attention.h"
#include "cuda/ops/host.h"

#define MOST_HEAD 128 /* of the plain kernel: four channels per lane */

static int64_t head_of(const mb_call *c)
{
    const mb_cross_attention_attrs *a = c->attrs;
    return c->out.dims[1] / a->heads;
}

/* Everything is counted in int; heads and items are axes of the grid. */
static bool supports_plain(const mb_call *c)
{
    const mb_cross_attention_attrs *a = c->attrs;
    const mb_view *kv = &c->in[1];
    return mb_cuda_same_type(c) && a->heads <= 65535 && c->out.dims[0] <= 65535 && head_of(c) <= MOST_HEAD &&
           mb_view_tokens(kv) <= INT32_MAX / 64 && kv->dims[1] <= INT32_MAX / 64;
}

static bool supports_tensor_cores(const mb_call *c)
{
    return supports_plain(c) && c->out.dtype != MB_F32 && head_of(c) % 8 == 0 && head_of(c) <= 64;
}

static mb_status run(const mb_call *c,
                     int (*launch)(const mb_view *, const mb_view *, const mb_view *, const mb_cross_attention_attrs *,
                                   mb_stream),
                     mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view q = mb_cuda_input(c, 0), kv = mb_cuda_input(c, 1);
    return mb_cuda_launched(d, launch(&c->out, &q, &kv, c->attrs, d->compute), "cross_attention", err);
}

/* 16 bits. */
static mb_status run_tensor_cores(const mb_call *c, mb_error *err)
{
    return run(c, mb_cuda_launch_cross_attention, err);
}
/* Any type. */
static mb_status run_plain(const mb_call *c, mb_error *err)
{
    return run(c, mb_cuda_launch_cross_attention_plain, err);
}

static const mb_kernel tensor_cores = {.name = "tensor cores",
                                       .supports = supports_tensor_cores,
                                       .prepare = mb_cuda_prepare_maps,
                                       .run = run_tensor_cores};
static const mb_kernel plain = {
    .name = "own", .supports = supports_plain, .prepare = mb_cuda_prepare_maps, .run = run_plain};
const mb_kernel *const mb_cuda_cross_attention[MB_KERNEL_CHOICES] = {&tensor_cores, &plain};
