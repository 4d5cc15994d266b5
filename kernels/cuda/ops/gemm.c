/* Convolution, linear layer and deformable convolution on our own product (cuda/ops/gemm.cuh). Weights are reordered
 * once: [O,I,kh,kw] -> [O][kh*kw*I], channels innermost, rows padded to 16 bytes. */
#include "cuda/ops/gemm.h"

#include "core/alloc.h"

#define MB_ACCESS 16 /* bytes */

static size_t padded(size_t k, mb_dtype t)
{
    size_t n = MB_ACCESS / mb_dtype_size(t);
    return (k + n - 1) / n * n;
}

/* The reordered weights of `w` as a part for slot `slot`; *staging is to be freed. */
static mb_status reorder(mb_cuda_part *part, float **staging, const mb_view *w, int slot, mb_dtype dtype, mb_error *err)
{
    size_t outputs = (size_t)w->dims[0], inputs = (size_t)w->dims[1], taps = (size_t)(w->dims[2] * w->dims[3]);
    size_t row = padded(inputs * taps, dtype);
    const float *src = w->data;
    *staging = mb_calloc(outputs, row * sizeof **staging);
    if (*staging == NULL) {
        return mb_fail_memory(err, outputs * row * sizeof **staging, "reordering weights");
    }
    for (size_t o = 0; o < outputs; o++) {
        for (size_t i = 0; i < inputs; i++) {
            for (size_t t = 0; t < taps; t++) {
                (*staging)[o * row + t * inputs + i] = src[(o * inputs + i) * taps + t];
            }
        }
    }
    *part = (mb_cuda_part){slot, *staging, outputs * row, dtype};
    return MB_OK;
}

static bool supports_conv(const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    return mb_cuda_fits(c, true) && w[1] * w[2] * w[3] <= INT32_MAX / 2 && w[0] <= INT32_MAX / 2 &&
           (w[0] + 31) / 32 <= 65535; /* the second axis of the grid */
}

/* Rounded to 16 bits, each in f32 again. */
static float *rounded(const float *src, size_t n, mb_dtype t)
{
    float *out = mb_alloc_array(n, sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++) {
        uint16_t bits;
        mb_from_f32(&bits, &src[i], t, 1);
        mb_to_f32(&out[i], &bits, t, 1);
    }
    return out;
}

static mb_status prepare_product(mb_prepared *out, const mb_call *c, bool widened, mb_error *err)
{
    float *staging = NULL, *wide = NULL;
    mb_cuda_part parts[5] = {{0}};
    mb_status status = reorder(&parts[0], &staging, &c->in[1], 1, c->in[0].dtype, err);
    if (status == MB_OK && widened) {
        wide = rounded(staging, parts[0].count, parts[0].dtype);
        parts[4] = (mb_cuda_part){MB_CUDA_SLOT_WIDE, wide, parts[0].count, MB_F32};
        status = wide != NULL ? MB_OK : mb_fail_memory(err, parts[0].count * sizeof *wide, "widening weights");
    }
    if (status == MB_OK) {
        parts[1] = mb_cuda_constant_map(c, 2, MB_F32);
        parts[2] = mb_cuda_constant_map(c, 3, c->out.dtype);
        parts[3] = mb_cuda_constant_map(c, 2, c->out.dtype); /* libraries want the bias in the output's type */
        parts[3].slot = MB_CUDA_SLOT_BIAS;
        status = mb_cuda_upload(out, c, parts, widened ? 5 : 4, err);
    }
    mb_free(staging);
    mb_free(wide);
    return status;
}

mb_status mb_cuda_prepare_product(mb_prepared *out, const mb_call *c, mb_error *err)
{
    return prepare_product(out, c, false, err);
}

mb_status mb_cuda_prepare_widened(mb_prepared *out, const mb_call *c, mb_error *err)
{
    return prepare_product(out, c, true, err);
}

typedef int launch_fn(const mb_cuda_conv_args *k, mb_stream stream);

static mb_status run_product(const mb_call *c, mb_cuda_conv_args *k, launch_fn *launch, const char *name, mb_error *err)
{
    mb_view addend = mb_cuda_input(c, 3);
    k->y = &c->out;
    k->x = &c->in[0];
    k->addend = &addend;
    k->weight = mb_cuda_slot(c, 1);
    k->bias = mb_cuda_slot(c, 2);
    k->kh = (int)c->in[1].dims[2];
    k->kw = (int)c->in[1].dims[3];
    mb_cuda_device *d = mb_cuda_of(c);
    return mb_cuda_launched(d, launch(k, d->compute), name, err);
}

mb_status mb_cuda_run_own_conv2d(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.stride = a->stride, .pad = a->pad, .act = (int)a->act, .variants = a->border_variants};
    return run_product(c, &k, mb_cuda_launch_conv2d, "conv2d", err);
}

mb_status mb_cuda_run_own_linear(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.stride = 1, .act = (int)a->act};
    return run_product(c, &k, mb_cuda_launch_conv2d, "linear", err);
}

static mb_status run_upsample(const mb_call *c, mb_error *err)
{
    const mb_upsample_conv2d_attrs *a = c->attrs;
    mb_cuda_conv_args k = {.act = (int)a->act};
    return run_product(c, &k, mb_cuda_launch_upsample_conv2d, "upsample_conv2d", err);
}

const mb_kernel mb_cuda_upsample_conv2d = {.name = "own",
                                           .supports = supports_conv,
                                           .prepare = mb_cuda_prepare_product,
                                           .run = run_upsample,
                                           .in_place_input = 1 + 3};
const mb_kernel mb_cuda_conv2d = {.name = "own",
                                  .supports = supports_conv,
                                  .prepare = mb_cuda_prepare_product,
                                  .run = mb_cuda_run_own_conv2d,
                                  .in_place_input = 1 + 3};
const mb_kernel mb_cuda_linear = {.name = "own",
                                  .supports = supports_conv,
                                  .prepare = mb_cuda_prepare_product,
                                  .run = mb_cuda_run_own_linear,
                                  .in_place_input = 1 + 3};

static bool supports_deform(const mb_call *c)
{
    const int64_t *w = c->in[3].dims;
    return mb_cuda_fits(c, true) && c->in[1].dtype == c->in[2].dtype && w[1] * w[2] * w[3] <= INT32_MAX / 2 &&
           (w[0] + 63) / 64 <= 65535;
}

static mb_status prepare_deform(mb_prepared *out, const mb_call *c, mb_error *err)
{
    float *staging = NULL;
    mb_cuda_part parts[2] = {{0}};
    mb_status status = reorder(&parts[0], &staging, &c->in[3], 3, c->in[0].dtype, err);
    if (status == MB_OK) {
        parts[1] = mb_cuda_constant_map(c, 4, MB_F32);
        status = mb_cuda_upload(out, c, parts, 2, err);
    }
    mb_free(staging);
    return status;
}

static mb_status run_deform(const mb_call *c, mb_error *err)
{
    const mb_deform_conv2d_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
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

const mb_kernel mb_cuda_deform_conv2d = {
    .name = "own", .supports = supports_deform, .prepare = prepare_deform, .run = run_deform};
