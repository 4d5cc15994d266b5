/* linear and conv2d on OpenBLAS's cblas_sgemm: y = act(A W^T + bias + addend), A the tokens as they lie or patches
 * gathered into rows of [tap][channel]. OpenBLAS runs with one thread on slices of rows from our own pool, so that two
 * pools never compete; slices depend on the shape only. */
#include "openblas.h"

#include "core/alloc.h"
#include "core/os_process.h"
#include "isa/isa.h"

#include "openblas_api.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 128

/* By itself OpenBLAS runs only where we have no micro-kernel for the processor. */
mb_status mb_openblas_wanted(bool *out, mb_isa isa, mb_error *err)
{
    const char *wish = mb_os_env("MATTEBOX_GEMM");
    bool asked = wish != NULL && wish[0] != '\0';
    *out = asked ? strcmp(wish, "openblas") == 0 : isa == MB_ISA_GENERIC && mb_openblas_suits();
    if (asked && !*out && strcmp(wish, "own") != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "MATTEBOX_GEMM is \"%.32s\", expected openblas or own", wish);
    }
    if (*out && mb_openblas_open() == NULL) {
        *out = false;
        return asked ? mb_fail(err, MB_E_UNSUPPORTED,
                               "MATTEBOX_GEMM=openblas: libopenblas.so.0 is not there\ninstall libopenblas0, or leave "
                               "the variable out: our own kernels do the same")
                     : MB_OK;
    }
    return MB_OK;
}

typedef struct patches { /* of one convolution; 1x1 at stride 1 without padding needs none */
    int64_t kh, kw, stride, pad;
    bool plain;
} patches;

/* What the workers share. */
typedef struct job {
    const mb_call *c;
    const mb_openblas_api *blas;
    const float *w; /* [O][taps][I] */
    const float *bias;
    int64_t k, outputs;
    patches p;
    mb_activation act;
    size_t scratch; /* bytes per worker */
} job;

/* ---- prepare: [O,I,taps] as published to [O][taps][I], bias behind it ---- */

/* One block: weights with channels innermost, so that a patch is a row of memory, then the bias, zeros if
 * there is none. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const int64_t *d = c->in[1].dims;
    int64_t taps = d[2] * d[3];
    bool bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    size_t count, total, bytes;
    if (!mb_mul_size(&count, (size_t)(d[0] * d[1]), (size_t)taps) || !mb_add_size(&total, count, (size_t)d[0]) ||
        !mb_mul_size(&bytes, total, sizeof(float))) {
        return mb_fail(err, MB_E_MEMORY, "the weights exceed the address space");
    }
    float *w = mb_alloc_aligned(bytes);
    if (w == NULL) {
        return mb_fail_memory(err, bytes, "packed weights");
    }
    /* [O][I][taps] -> [O][taps][I]. */
    const float *from = c->in[1].data;
    for (int64_t o = 0; o < d[0]; o++) {
        for (int64_t i = 0; i < d[1]; i++) {
            for (int64_t t = 0; t < taps; t++) {
                w[(o * taps + t) * d[1] + i] = *from++;
            }
        }
    }
    /* Zeros where there is no bias. */
    memset(w + count, 0, (size_t)d[0] * sizeof *w);
    if (bias) {
        memcpy(w + count, c->in[2].data, (size_t)d[0] * sizeof *w);
    }
    *out = (mb_prepared){w, bytes, mb_free_aligned, 1u << 1 | (bias ? 1u << 2 : 0)};
    return MB_OK;
}

/* ---- run ---- */

/* Rows [begin, begin+n) of the patch matrix: zero outside of the map. */
static void gather(float *to, const job *j, int64_t begin, int64_t n)
{
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    const patches *p = &j->p;
    size_t bytes = (size_t)x->dims[1] * sizeof *to;
    for (int64_t row = begin; row < begin + n; row++) {
        int64_t ox = row % y->dims[3], oy = row / y->dims[3] % y->dims[2], item = row / y->dims[3] / y->dims[2];
        for (int64_t ky = 0; ky < p->kh; ky++) {
            for (int64_t kx = 0; kx < p->kw; kx++, to += x->dims[1]) {
                int64_t iy = oy * p->stride - p->pad + ky, ix = ox * p->stride - p->pad + kx;
                if (iy < 0 || iy >= x->dims[2] || ix < 0 || ix >= x->dims[3]) {
                    memset(to, 0, bytes);
                } else {
                    int64_t token = (item * x->dims[2] + iy) * x->dims[3] + ix;
                    memcpy(to, (const float *)x->data + token * x->pitch, bytes);
                }
            }
        }
    }
}

/* The addend and the bias go into the output first; the product is added to them. */
static void start_rows(const job *j, int64_t begin, int64_t n)
{
    const mb_view *y = &j->c->out, *a = j->c->n_in > 3 ? &j->c->in[3] : NULL;
    bool vector = a != NULL && a->dims[2] * a->dims[3] == 1 && y->dims[2] * y->dims[3] != 1;
    for (int64_t row = begin; row < begin + n; row++) {
        float *out = (float *)y->data + row * y->pitch;
        const float *add = NULL;
        if (a != NULL && mb_view_present(a)) {
            add = (const float *)a->data + (vector ? row / (y->dims[2] * y->dims[3]) : row) * a->pitch;
        }
        for (int64_t o = 0; o < j->outputs; o++) {
            out[o] = j->bias[o] + (add != NULL ? add[o] : 0.0f);
        }
    }
}

/* Items: rows of the output. Patches of up to ROWS rows are gathered into the worker's scratch, then
 *     out = A W^T + (bias + addend),   activated in place. */
static void run_rows(void *arg, size_t first, size_t last, int worker)
{
    const job *j = arg;
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t begin = (int64_t)first, n = (int64_t)(last - first);
    const float *rows = (const float *)x->data + begin * x->pitch;
    int64_t pitch = x->pitch;
    /* The worker's patches take the place of the map's tokens. */
    if (!j->p.plain) {
        float *scratch = (float *)(void *)((char *)j->c->workspace + (size_t)worker * j->scratch);
        gather(scratch, j, begin, n);
        rows = scratch;
        pitch = j->k;
    }
    float *out = (float *)y->data + begin * y->pitch;
    start_rows(j, begin, n);
    j->blas->sgemm(MB_CBLAS_ROW_MAJOR, MB_CBLAS_NO_TRANS, MB_CBLAS_TRANS, (int)n, (int)j->outputs, (int)j->k, 1.0f,
                   rows, (int)pitch, j->w, (int)j->k, 1.0f, out, (int)y->pitch);
    if (j->act != MB_ACT_NONE) {
        const mb_simd *simd = mb_simd_of(mb_cpu_best_isa());
        int64_t run = y->pitch == j->outputs ? n : 1; /* rows in one run of memory */
        for (int64_t r = 0; r < n; r += run, out += y->pitch) {
            simd->activate(out, out, run * j->outputs, j->act);
        }
    }
}

/* The library keeps one thread: our pool cuts the rows. */
static mb_status run(const mb_call *c, patches p, mb_activation act)
{
    const int64_t *d = c->in[1].dims;
    job j = {.c = c,
             .blas = mb_openblas_open(),
             .w = c->prepared->data,
             .k = d[1] * d[2] * d[3],
             .outputs = d[0],
             .p = p,
             .act = act};
    j.bias = j.w + j.k * j.outputs;
    j.scratch = (size_t)(ROWS * j.k) * sizeof(float);
    mb_parallel_for(c->pool, (size_t)mb_view_tokens(&c->out), ROWS, run_rows, &j);
    return MB_OK;
}

/* A linear layer is a 1x1 convolution that needs no patches. */
static mb_status run_linear(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_linear_attrs *a = c->attrs;
    return run(c, (patches){1, 1, 1, 0, true}, a->act);
}

/* The geometry of a convolution; plain: the map's tokens are the patches. */
static patches patches_of(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const int64_t *d = c->in[1].dims;
    return (patches){d[2], d[3], a->stride, a->pad, d[2] * d[3] == 1 && a->stride == 1 && a->pad == 0};
}

static mb_status run_conv2d(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_conv2d_attrs *a = c->attrs;
    return run(c, patches_of(c), a->act);
}

/* Patches of ROWS output pixels, for each thread. */
static size_t workspace(const mb_call *c)
{
    const int64_t *d = c->in[1].dims;
    size_t bytes;
    if (patches_of(c).plain) {
        return 0;
    }
    if (!mb_mul_size(&bytes, (size_t)(d[1] * d[2] * d[3]), ROWS * sizeof(float)) ||
        !mb_mul_size(&bytes, bytes, (size_t)mb_pool_size(c->pool))) {
        return SIZE_MAX;
    }
    return bytes;
}

/* A border variant is a set of weights by pixel, which one gemm does not know. */
static bool supports(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    return !a->border_variants;
}

static const mb_kernel linear = {.name = "openblas", .prepare = prepare, .run = run_linear, .in_place_input = 1 + 3};
static const mb_kernel conv2d = {.name = "openblas",
                                 .supports = supports,
                                 .prepare = prepare,
                                 .workspace = workspace,
                                 .run = run_conv2d,
                                 .in_place_input = 1 + 3};

const mb_kernel *mb_openblas_kernel(mb_op op)
{
    return op == MB_OP_linear ? &linear : (op == MB_OP_conv2d ? &conv2d : NULL);
}
