/* Weights of convolutions and linear layers on the device, and the call of our own gemm (cuda/ops/gemm.cuh). Weights
 * are reordered once: [O,I,kh,kw] -> [O][kh*kw*I], channels innermost, rows padded to 16 bytes. */
#include "cuda/ops/gemm.h"

#include "core/alloc.h"

#define MB_ACCESS 16 /* bytes */

/* Weights of a row, rounded up to whole 16-byte accesses. */
static size_t padded(size_t k, mb_dtype t)
{
    size_t n = MB_ACCESS / mb_dtype_size(t);
    return (k + n - 1) / n * n;
}

/* Channels innermost, so that 16 bytes of a patch (channels of one pixel) meet 16 bytes of weights. The
 * rows' ends are zeros. */
mb_status mb_cuda_reorder_weights(mb_cuda_part *part, float **staging, const mb_view *w, int slot, mb_dtype dtype,
                                  mb_error *err)
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

/* k and outputs are counted in int; tiles of 32 outputs are the second axis of the grid. */
bool mb_cuda_gemm_supports(const mb_call *c)
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

/* Uploads weights, bias (twice: our kernel adds it in f32, libraries in the output's type), a constant addend and,
 * with_f32, the rounded weights once more as f32. */
static mb_status prepare_gemm(mb_prepared *out, const mb_call *c, bool with_f32, mb_error *err)
{
    float *staging = NULL, *f32 = NULL;
    mb_cuda_part parts[5] = {{0}};
    mb_status status = mb_cuda_reorder_weights(&parts[0], &staging, &c->in[1], 1, c->in[0].dtype, err);
    if (status == MB_OK && with_f32) {
        f32 = rounded(staging, parts[0].count, parts[0].dtype);
        parts[4] = (mb_cuda_part){MB_CUDA_SLOT_WEIGHTS_F32, f32, parts[0].count, MB_F32};
        status = f32 != NULL ? MB_OK : mb_fail_memory(err, parts[0].count * sizeof *f32, "rounding weights");
    }
    if (status == MB_OK) {
        parts[1] = mb_cuda_constant_map(c, 2, MB_F32);
        parts[2] = mb_cuda_constant_map(c, 3, c->out.dtype);
        parts[3] = mb_cuda_constant_map(c, 2, c->out.dtype); /* libraries want the bias in the output's type */
        parts[3].slot = MB_CUDA_SLOT_BIAS;
        status = mb_cuda_upload(out, c, parts, with_f32 ? 5 : 4, err);
    }
    mb_free(staging);
    mb_free(f32);
    return status;
}

mb_status mb_cuda_prepare_gemm(mb_prepared *out, const mb_call *c, mb_error *err)
{
    return prepare_gemm(out, c, false, err);
}

mb_status mb_cuda_prepare_gemm_f32(mb_prepared *out, const mb_call *c, mb_error *err)
{
    return prepare_gemm(out, c, true, err);
}

/* Slot 1 has the weights, slot 2 the bias; input 3 is the addend of all ops that come here. */
mb_status mb_cuda_gemm_run(const mb_call *c, mb_cuda_conv_args *k, mb_cuda_gemm_launch *launch, const char *name,
                           mb_error *err)
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
