/* Matrix products by cuBLASLt: y[m,n] = act(x[m,k] * w[n,k]^T + bias[n] + addend[m,n]), rows with pitches. */
#ifndef MB_CUDA_DRIVER_BLASLT_H
#define MB_CUDA_DRIVER_BLASLT_H

#include "cuda/driver/device.h"

typedef struct mb_blaslt mb_blaslt;

typedef struct mb_lt_gemm {
    const void *x, *w, *bias, *addend;                        /* bias, addend: NULL if absent; both of y's type */
    void *y;                                                  /* may be addend */
    int64_t m, n, k, x_pitch, w_pitch, addend_pitch, y_pitch; /* in elements */
    mb_dtype x_type, y_type;                                  /* y as x, or f32; w as x */
    bool relu;
    bool tf32; /* f32 operands may be rounded to TF32; never done unasked */
} mb_lt_gemm;

/* Largest workspace of a gemm: planned for each, shared by all. */
#define MB_LT_WORKSPACE_HOPPER ((size_t)32 << 20)
#define MB_LT_WORKSPACE        ((size_t)8 << 20)

/* The library's handle and a table of the gemms it has met, so that runs allocate nothing. NULL in *out without an
 * error: the library is not there, or does not start. */
MB_MUST_CHECK mb_status mb_blaslt_open(mb_blaslt **out, mb_cuda_device *d, mb_error *err);
void mb_blaslt_close(mb_blaslt *b); /* NULL is fine */

/* On the compute stream. *ran false without an error: the library has no algorithm for this gemm (remembered), or
 * our own kernel is faster; the caller runs that. */
MB_MUST_CHECK mb_status mb_blaslt_run(bool *ran, mb_cuda_device *d, const mb_lt_gemm *p, void *workspace,
                                      size_t workspace_bytes, mb_error *err);
/* Before a plan's first run: which of the library's proposals, or our own kernel, is the fastest for this gemm.
 * `run` is the whole of the call, as it will be made. */
MB_MUST_CHECK mb_status mb_blaslt_tune(mb_cuda_device *d, const mb_lt_gemm *p, size_t workspace_bytes,
                                       mb_status (*run)(const mb_call *c, mb_error *err), const mb_call *c,
                                       mb_error *err);

#endif
