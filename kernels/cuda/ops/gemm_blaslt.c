/* Linear layers and 1x1 convolutions by cuBLASLt. Bias, residual (through C, beta = 1) and ReLU ride in the product;
 * other activations follow in place: the library's GELU is the tanh form, the models' is erf. */
#include "cuda/ops/gemm.h"

/* Types the library takes: operands of one type, the result of the same or f32; a residual of the result's type. */
static bool supports(const mb_call *c)
{
    const mb_view *x = &c->in[0], *w = &c->in[1], *y = &c->out;
    mb_view none = {0};
    const mb_view *addend = c->n_in > 3 ? &c->in[3] : &none;
    bool residual = mb_view_present(addend);
    bool fits = !residual || (mb_view_tokens(addend) == mb_view_tokens(y) &&
                              ((c->constants >> 3 & 1u) != 0 || addend->dtype == y->dtype));
    return mb_cuda_of(c)->blaslt != NULL && mb_cuda_fits(c, true) && (y->dtype == x->dtype || y->dtype == MB_F32) &&
           w->dims[2] * w->dims[3] == 1 && y->dims[1] >= 8 && w->dims[1] >= 8 && fits;
}

static bool supports_conv(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    return a->stride == 1 && a->pad == 0 && !a->border_variants && supports(c);
}

static size_t workspace(const mb_call *c)
{
    return mb_cuda_of(c)->sm >= 90 ? MB_LT_WORKSPACE_HOPPER : MB_LT_WORKSPACE;
}

static mb_lt_product product_of(const mb_call *c, mb_activation act)
{
    mb_view addend = mb_cuda_input(c, 3);
    size_t wide = 16 / mb_dtype_size(c->in[0].dtype), k = (size_t)c->in[1].dims[1];
    return (mb_lt_product){.x = c->in[0].data,
                           .w = mb_cuda_slot(c, 1),
                           .bias = mb_cuda_slot(c, MB_CUDA_SLOT_BIAS),
                           .addend = mb_view_present(&addend) ? addend.data : NULL,
                           .y = c->out.data,
                           .m = mb_view_tokens(&c->out),
                           .n = c->out.dims[1],
                           .k = (int64_t)k,
                           .x_pitch = c->in[0].pitch,
                           .w_pitch = (int64_t)((k + wide - 1) / wide * wide),
                           .addend_pitch = addend.pitch,
                           .y_pitch = c->out.pitch,
                           .x_type = c->in[0].dtype,
                           .y_type = c->out.dtype,
                           .relu = act == MB_ACT_RELU,
                           .tf32 = c->tf32};
}

typedef mb_status own_fn(const mb_call *c, mb_error *err);

static mb_status run(const mb_call *c, mb_activation act, own_fn *own, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    const mb_lt_product p = product_of(c, act);
    bool served = false;
    mb_status status = mb_blaslt_run(&served, d, &p, c->workspace, workspace(c), err);
    if (status != MB_OK || !served) {
        return status != MB_OK ? status : own(c, err);
    }
    if (act == MB_ACT_NONE || act == MB_ACT_RELU) {
        return MB_OK;
    }
    return mb_cuda_launched(d, mb_cuda_launch_unary(&c->out, &c->out, (int)act, d->compute), "activation", err);
}

static mb_status run_linear(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    return run(c, a->act, mb_cuda_run_own_linear, err);
}

static mb_status run_conv2d(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    return run(c, a->act, mb_cuda_run_own_conv2d, err);
}

static mb_status tune_linear(const mb_call *c, mb_error *err)
{
    const mb_linear_attrs *a = c->attrs;
    const mb_lt_product p = product_of(c, a->act);
    return mb_blaslt_tune(mb_cuda_of(c), &p, workspace(c), run_linear, c, err);
}

static mb_status tune_conv2d(const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_lt_product p = product_of(c, a->act);
    return mb_blaslt_tune(mb_cuda_of(c), &p, workspace(c), run_conv2d, c, err);
}

const mb_kernel mb_cuda_linear_blaslt = {.name = "cublaslt",
                                         .supports = supports,
                                         .prepare = mb_cuda_prepare_product,
                                         .workspace = workspace,
                                         .tune = tune_linear,
                                         .run = run_linear,
                                         .in_place_input = 1 + 3};
const mb_kernel mb_cuda_conv2d_blaslt = {.name = "cublaslt",
                                         .supports = supports_conv,
                                         .prepare = mb_cuda_prepare_product,
                                         .workspace = workspace,
                                         .tune = tune_conv2d,
                                         .run = run_conv2d,
                                         .in_place_input = 1 + 3};
