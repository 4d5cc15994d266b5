/* 16-bit convolutions with a result in f32 (offsets and modulators of deformable convolutions: 7x7, 64 to 147 padded to
 * 152) by cuDNN. It has no engine for f16 to f32, but it has TF32 engines, and numbers of 16 bits fit TF32 without
 * rounding (ten bits of mantissa, eight of exponent). So the map is copied to f32 in the workspace, the weights were
 * when they were prepared, and products and sums are those of our own 16-bit kernel. Only a device can say which of
 * the two is faster: until it was timed (tune.h) our own kernel runs. */
#include "core/alloc.h"
#include "cuda/ops/concat.h"
#include "cuda/ops/conv2d_dnn.h"
#include "cuda/ops/gemm.h"

/* The key of the same convolution on the f32 copy, which is dense. */
mb_dnn_conv mb_cuda_conv2d_dnn_f32_key(const mb_call *c)
{
    mb_dnn_conv k = mb_cuda_conv2d_dnn_key(c);
    k.type = MB_F32;
    k.x_pitch = k.inputs;
    k.x_align = 16;
    k.tf32 = 1;
    k.from_16bit = 1;
    return k;
}

/* 16-bit maps with a result in f32, channel counts that fill 16 bytes, no addend, and TF32 (sm_80). */
static bool supports(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *w = &c->in[1];
    size_t bytes;
    bool residual = c->n_in > 3 && mb_view_present(&c->in[3]);
    bool act = a->act == MB_ACT_NONE || a->act == MB_ACT_RELU;
    if (mb_cuda_of(c)->dnn == NULL || mb_cuda_of(c)->sm < 80 || !mb_cuda_fits(c, true) ||
        mb_dtype_size(x->dtype) != 2 || c->out.dtype != MB_F32 || a->border_variants || residual || !act ||
        x->dims[1] % 8 != 0 || w->dims[0] % 8 != 0 || w->dims[2] * w->dims[3] == 1) {
        return false;
    }
    mb_dnn_conv k = mb_cuda_conv2d_dnn_f32_key(c);
    return mb_dnn_plan_for(&bytes, mb_cuda_of(c), &k, MB_DNN_OWN_FIRST | (c->once ? MB_DNN_ONE : 0));
}

/* The map in f32, before the plan's own workspace. */
static size_t copy_bytes(const mb_call *c)
{
    size_t bytes = sizeof(float);
    for (int i = 0; i < 4; i++) {
        if (!mb_mul_size(&bytes, bytes, (size_t)c->in[0].dims[i])) {
            return SIZE_MAX;
        }
    }
    return mb_add_size(&bytes, bytes, MB_CUDA_ALIGNMENT - 1) ? bytes / MB_CUDA_ALIGNMENT * MB_CUDA_ALIGNMENT : SIZE_MAX;
}

/* The copy, then what the plan asks for. 0 while our own kernel is the choice. */
static size_t workspace(const mb_call *c)
{
    size_t bytes = 0, map = copy_bytes(c);
    mb_dnn_conv k = mb_cuda_conv2d_dnn_f32_key(c);
    if (!mb_dnn_plan_for(&bytes, mb_cuda_of(c), &k, MB_DNN_OWN_FIRST | (c->once ? MB_DNN_ONE : 0))) {
        return 0; /* our own kernel runs */
    }
    return mb_add_size(&bytes, bytes, map) ? bytes : SIZE_MAX;
}

/* Copies the map to f32 and lets the plan run on it; else our own kernel, which reads the 16-bit map. */
static mb_status run(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    mb_dnn_conv k = mb_cuda_conv2d_dnn_f32_key(c);
    const mb_view *x = &c->in[0];
    bool ran = false;
    if (!mb_dnn_can_run(d, &k)) {
        return mb_cuda_conv2d_run_own(c, err);
    }
    mb_view f32 = mb_view_of(c->workspace, x->dims[0], x->dims[1], x->dims[2], x->dims[3]);
    mb_status status = mb_cuda_launched(d, mb_cuda_launch_copy(&f32, x, d->compute), "copying a map to f32", err);
    if (status != MB_OK) {
        return status;
    }
    /* Slots: the f32 weights, and the bias in the output's type, which is f32. */
    const mb_dnn_maps maps = {.x = f32.data,
                              .w = mb_cuda_slot(c, MB_CUDA_SLOT_WEIGHTS_F32),
                              .bias = mb_cuda_slot(c, MB_CUDA_SLOT_BIAS),
                              .y = c->out.data};
    status = mb_dnn_run(&ran, d, &k, &maps, (unsigned char *)c->workspace + copy_bytes(c), err);
    return status == MB_OK && !ran ? mb_cuda_conv2d_run_own(c, err) : status;
}

/* Before a plan's first run. */
static mb_status tune(const mb_call *c, mb_error *err)
{
    mb_dnn_conv k = mb_cuda_conv2d_dnn_f32_key(c);
    return mb_dnn_tune(mb_cuda_of(c), &k, run, c, err);
}

const mb_kernel mb_cuda_conv2d_dnn_f32 = {.name = "cudnn f32",
                                          .supports = supports,
                                          .prepare = mb_cuda_prepare_gemm_f32,
                                          .workspace = workspace,
                                          .tune = tune,
                                          .run = run};
