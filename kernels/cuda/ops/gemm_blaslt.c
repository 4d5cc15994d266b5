/* Linear layers and 1x1 convolutions by cuBLASLt. Bias, residual (through C, beta = 1) and ReLU ride in the gemm;
 * other activations follow in place: the library's GELU is the tanh form, the models' is erf. */
#include "cuda/driver/blaslt.h"
#include "cuda/ops/gemm.h"
#include "cuda/ops/unary.h"

/* Types the library takes: operands of one type, the result of the same or f32; a residual of the result's type. */
bool mb_cuda_gemm_blaslt_supports(const mb_call *c)
{
    const mb_view *x = &c->in[0], *w = &c->in[1], *y = &c->out;
    /* An addend is the library's C: it has the output's rows and type. A constant one is uploaded in that type. */
    mb_view none = {0};
    const mb_view *addend = c->n_in > 3 ? &c->in[3] : &none;
    bool residual = mb_view_present(addend);
    bool fits = !residual || (mb_view_tokens(addend) == mb_view_tokens(y) &&
                              ((c->constants >> 3 & 1u) != 0 || addend->dtype == y->dtype));
    return mb_cuda_of(c)->blaslt != NULL && mb_cuda_fits(c, true) && (y->dtype == x->dtype || y->dtype == MB_F32) &&
           w->dims[2] * w->dims[3] == 1 && y->dims[1] >= 8 && w->dims[1] >= 8 && fits;
}

/* The library splits sums over more blocks on Hopper, and asks for more. */
size_t mb_cuda_gemm_blaslt_workspace(const mb_call *c)
{
    return mb_cuda_of(c)->sm >= 90 ? MB_LT_WORKSPACE_HOPPER : MB_LT_WORKSPACE;
}

/* The call in the words of cuBLASLt: tokens x weights, rows with pitches. */
static mb_lt_gemm gemm_of(const mb_call *c, mb_activation act)
{
    mb_view addend = mb_cuda_input(c, 3);
    size_t vec16 = 16 / mb_dtype_size(c->in[0].dtype), k = (size_t)c->in[1].dims[1];
    return (mb_lt_gemm){.x = c->in[0].data,
                        .w = mb_cuda_slot(c, 1),
                        .bias = mb_cuda_slot(c, MB_CUDA_SLOT_BIAS),
                        .addend = mb_view_present(&addend) ? addend.data : NULL,
                        .y = c->out.data,
                        .m = mb_view_tokens(&c->out),
                        .n = c->out.dims[1],
                        .k = (int64_t)k,
                        .x_pitch = c->in[0].pitch,
                        .w_pitch = (int64_t)((k + vec16 - 1) / vec16 * vec16),
                        .addend_pitch = addend.pitch,
                        .y_pitch = c->out.pitch,
                        .x_type = c->in[0].dtype,
                        .y_type = c->out.dtype,
                        .relu = act == MB_ACT_RELU,
                        .tf32 = c->tf32};
}

/* ReLU is part of the library's gemm; GELU and sigmoid are a launch of our own on the result. */
mb_status mb_cuda_gemm_blaslt_run(const mb_call *c, mb_activation act, mb_cuda_run_fn *own, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    const mb_lt_gemm g = gemm_of(c, act);
    bool ran = false;
    mb_status status = mb_blaslt_run(&ran, d, &g, c->workspace, mb_cuda_gemm_blaslt_workspace(c), err);
    if (status != MB_OK || !ran) {
        return status != MB_OK ? status : own(c, err);
    }
    if (act == MB_ACT_NONE || act == MB_ACT_RELU) {
        return MB_OK;
    }
    return mb_cuda_launched(d, mb_cuda_launch_unary(&c->out, &c->out, (int)act, d->compute), "activation", err);
}

/* The whole call is timed, activation included: our own gemm has it inside. */
mb_status mb_cuda_gemm_blaslt_tune(const mb_call *c, mb_activation act, mb_cuda_run_fn *run, mb_error *err)
{
    const mb_lt_gemm g = gemm_of(c, act);
    return mb_blaslt_tune(mb_cuda_of(c), &g, mb_cuda_gemm_blaslt_workspace(c), run, c, err);
}
