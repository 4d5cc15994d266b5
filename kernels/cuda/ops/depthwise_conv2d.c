/* The host side of depthwise convolution: weights are turned to [taps][C] and stay f32, as each serves few products. */
#include "cuda/ops/depthwise_conv2d.h"
#include "cuda/ops/host.h"

#include "core/alloc.h"

#include <string.h>

static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

/* Slot 1: weights [taps][C]; slot 2: bias [C], zeros if there is none. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const size_t channels = (size_t)c->in[1].dims[0], taps = (size_t)(c->in[1].dims[2] * c->in[1].dims[3]);
    const float *weight = c->in[1].data;
    const bool has_bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    float *turned = mb_calloc(channels * (taps + 1), sizeof *turned);
    if (turned == NULL) {
        return mb_fail_memory(err, channels * (taps + 1) * sizeof *turned, "weights of a convolution");
    }
    for (size_t i = 0; i < channels; i++) {
        for (size_t t = 0; t < taps; t++) {
            turned[t * channels + i] = weight[i * taps + t];
        }
    }
    if (has_bias) {
        memcpy(turned + taps * channels, c->in[2].data, channels * sizeof *turned);
    }
    const mb_cuda_part parts[2] = {{1, turned, taps * channels, MB_F32},
                                   {2, turned + taps * channels, channels, MB_F32}};
    mb_status status = mb_cuda_upload(out, c, parts, 2, err);
    if (!has_bias) {
        out->replaces &= ~4u;
    }
    mb_free(turned);
    return status;
}

static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_depthwise_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    int code = mb_cuda_launch_depthwise_conv2d(&c->out, &c->in[0], mb_cuda_slot(c, 1), mb_cuda_slot(c, 2),
                                               (int)c->in[1].dims[2], (int)a->act, d->compute);
    return mb_cuda_launched(d, code, "depthwise_conv2d", err);
}

static const mb_kernel own = {.name = "own", .supports = supports, .prepare = prepare, .run = run};
const mb_kernel *const mb_cuda_depthwise_conv2d[MB_KERNEL_CHOICES] = {&own};
