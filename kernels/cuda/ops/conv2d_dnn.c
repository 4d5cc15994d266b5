/* Convolutions with more than one tap by cuDNN: conv + addend + bias + ReLU in one plan. Channel counts that fill no
 * 16 bytes, border variants and one-channel layers are for our own kernel; so are 16-bit maps with a result in f32
 * (offsets of deformable convolutions): the library has no ready-made engine for them, but see conv2d_dnn_f32.c. */
#include "cuda/ops/conv2d_dnn.h"
#include "cuda/ops/gemm.h"
#include "cuda/ops/unary.h"

/* Bytes that a map's first element is known to be a multiple of: slices may begin anywhere, but in the maps of our
 * networks they begin at multiples of 16 bytes, and for any other one our own kernel runs. */
static int32_t alignment_of(const mb_view *v)
{
    return (size_t)v->pitch * mb_dtype_size(v->dtype) % 16 == 0 ? 16 : (int32_t)mb_dtype_size(v->dtype);
}

/* Everything that a plan depends on. Padding bytes are part of the key's comparison: it starts from {0}. */
mb_dnn_conv mb_cuda_conv2d_dnn_key(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *w = &c->in[1];
    mb_dnn_conv k = {0};
    k.n = x->dims[0];
    k.inputs = x->dims[1];
    k.height = x->dims[2];
    k.width = x->dims[3];
    k.outputs = w->dims[0];
    k.kh = w->dims[2];
    k.kw = w->dims[3];
    k.stride = a->stride;
    k.pad = a->pad;
    k.x_pitch = x->pitch;
    k.y_pitch = c->out.pitch;
    if (c->n_in > 3 && mb_view_present(&c->in[3])) {
        k.addend_pitch = (c->constants >> 3 & 1u) != 0 ? c->in[3].dims[1] : c->in[3].pitch;
    }
    k.type = (int32_t)x->dtype;
    k.y_type = (int32_t)c->out.dtype;
    k.x_align = alignment_of(x);
    k.y_align = alignment_of(&c->out);
    k.bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    k.relu = a->act == MB_ACT_RELU;
    k.tf32 = c->tf32;
    return k;
}

/* Channel counts that fill 16 bytes, more than one tap, one type, an addend of the output's size, and a plan. */
static bool supports(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *w = &c->in[1], *y = &c->out;
    mb_view none = {0};
    const mb_view *addend = c->n_in > 3 ? &c->in[3] : &none;
    /* Channels in 16 bytes: the library's engines for channels last want multiples. */
    int64_t vec16 = 16 / (int64_t)mb_dtype_size(x->dtype);
    bool residual = mb_view_present(addend);
    bool fits = !residual || (mb_view_tokens(addend) == mb_view_tokens(y) &&
                              ((c->constants >> 3 & 1u) != 0 || addend->dtype == y->dtype));
    size_t bytes;
    if (mb_cuda_of(c)->dnn == NULL || !mb_cuda_fits(c, true) || y->dtype != x->dtype || a->border_variants ||
        x->dims[1] % vec16 != 0 || w->dims[0] % vec16 != 0 || w->dims[2] * w->dims[3] == 1 || !fits) {
        return false;
    }
    /* The dear question comes last: a plan may have to be made for it. */
    mb_dnn_conv k = mb_cuda_conv2d_dnn_key(c);
    return mb_dnn_plan_for(&bytes, mb_cuda_of(c), &k, c->once ? MB_DNN_ONE : 0);
}

/* The largest of the plans that may still be timed. */
static size_t workspace(const mb_call *c)
{
    size_t bytes;
    mb_dnn_conv k = mb_cuda_conv2d_dnn_key(c);
    return mb_dnn_plan_for(&bytes, mb_cuda_of(c), &k, c->once ? MB_DNN_ONE : 0) ? bytes : 0;
}

/* The plan computes conv + addend + bias + ReLU; other activations follow in place. Without a plan, or with maps
 * that are not aligned as planned, our own kernel runs. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view addend = mb_cuda_input(c, 3);
    mb_dnn_conv k = mb_cuda_conv2d_dnn_key(c);
    const mb_dnn_maps maps = {.x = c->in[0].data,
                              .w = mb_cuda_slot(c, 1),
                              .bias = mb_cuda_slot(c, MB_CUDA_SLOT_BIAS),
                              .addend = mb_view_present(&addend) ? addend.data : NULL,
                              .y = c->out.data};
    bool ran = false;
    mb_status status = mb_dnn_run(&ran, d, &k, &maps, c->workspace, err);
    if (status != MB_OK || !ran) {
        return status != MB_OK ? status : mb_cuda_conv2d_run_own(c, err);
    }
    if (a->act == MB_ACT_NONE || a->act == MB_ACT_RELU) {
        return MB_OK;
    }
    return mb_cuda_launched(d, mb_cuda_launch_unary(&c->out, &c->out, (int)a->act, d->compute), "activation", err);
}

/* Before a plan's first run. */
static mb_status tune(const mb_call *c, mb_error *err)
{
    mb_dnn_conv k = mb_cuda_conv2d_dnn_key(c);
    return mb_dnn_tune(mb_cuda_of(c), &k, run, c, err);
}

const mb_kernel mb_cuda_conv2d_dnn = {.name = "cudnn",
                                      .supports = supports,
                                      .prepare = mb_cuda_prepare_gemm,
                                      .workspace = workspace,
                                      .tune = tune,
                                      .run = run};
