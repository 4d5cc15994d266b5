/* The host side of deformable convolutions: our own gemm, which takes the samples where it reads them. */
#include "cuda/ops/deform_conv2d.h"
#include "cuda/ops/gemm.h"

#include "core/alloc.h"

/* Blocks of 64 outputs are the second axis of the grid. */
static bool supports(const mb_call *c)
{
    const int64_t *w = c->in[3].dims;
    return mb_cuda_fits(c, true) && c->in[1].dtype == c->in[2].dtype && w[1] * w[2] * w[3] <= INT32_MAX / 2 &&
           (w[0] + 63) / 64 <= 65535;
}

/* Weights with channels innermost (slot 3), bias in f32 (slot 4). */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    float *staging = NULL;
    mb_cuda_part parts[2] = {{0}};
    mb_status status = mb_cuda_reorder_weights(&parts[0], &staging, &c->in[3], 3, c->in[0].dtype, err);
    if (status == MB_OK) {
        parts[1] = mb_cuda_constant_map(c, 4, MB_F32);
        status = mb_cuda_upload(out, c, parts, 2, err);
    }
    mb_free(staging);
    return status;
}

/* One launch: samples, gemm, bias, activation. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_deform_conv2d_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    /* Offset and logits lie on the device, in their own type. */
    const mb_cuda_deform_args k = {.y = &c->out,
                                   .x = &c->in[0],
                                   .offset = &c->in[1],
                                   .logit = &c->in[2],
                                   .weight = mb_cuda_slot(c, 3),
                                   .bias = mb_cuda_slot(c, 4),
                                   .k = (int)c->in[3].dims[2],
                                   .pad = a->pad,
                                   .act = (int)a->act,
                                   .modulator_scale = a->modulator_scale};
    return mb_cuda_launched(d, mb_cuda_launch_deform_conv2d(&k, d->compute), "deform_conv2d", err);
}

static const mb_kernel own = {.name = "own", .supports = supports, .prepare = prepare, .run = run};
const mb_kernel *const mb_cuda_deform_conv2d[MB_KERNEL_CHOICES] = {&own};
