/* The host side of batch norm: its four vectors become a scale and a shift, on the device in f32. */
#include "cuda/ops/batch_norm.h"
#include "cuda/ops/host.h"

#include "core/alloc.h"

#include <math.h>

/* Input and output of one type. */
static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

/* scale = weight / sqrt(variance + eps), shift = bias - mean * scale, in double, rounded once. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_norm_attrs *a = c->attrs;
    size_t n = (size_t)c->in[1].dims[0];
    const float *weight = c->in[1].data, *bias = c->in[2].data, *mean = c->in[3].data, *variance = c->in[4].data;
    float *folded = mb_alloc_array(2 * n, sizeof *folded);
    if (folded == NULL) {
        return mb_fail_memory(err, 2 * n * sizeof *folded, "batch norm");
    }
    for (size_t i = 0; i < n; i++) {
        double scale = (double)weight[i] / sqrt((double)variance[i] + (double)a->eps);
        folded[i] = (float)scale;
        folded[n + i] = (float)((double)bias[i] - (double)mean[i] * scale);
    }
    /* Two vectors take the place of four. */
    const mb_cuda_part parts[2] = {{1, folded, n, MB_F32}, {2, folded + n, n, MB_F32}};
    mb_status status = mb_cuda_upload(out, c, parts, 2, err);
    out->replaces |= 1u << 3 | 1u << 4;
    mb_free(folded);
    return status;
}

/* One launch. Slot 1 is the scale, slot 2 the shift. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code = mb_cuda_launch_batch_norm(&c->out, &c->in[0], mb_cuda_slot(c, 1), mb_cuda_slot(c, 2), d->compute);
    return mb_cuda_launched(d, code, "batch_norm", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = prepare, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_batch_norm[MB_KERNEL_CHOICES] = {&own};
