/* The host side of ViT's attention: relative terms into the workspace, then one of two kernels. */
#include "cuda/ops/host.h"
#include "cuda/ops/vit_attention.h"

#define MB_MOST_HEAD 128 /* of the plain kernel: four channels per lane */

/* Tokens of a map that attends: a window's, or the whole picture's. */
static void map_size(int64_t *a, int64_t *b, const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    *a = at->window > 0 ? at->window : c->in[0].dims[2];
    *b = at->window > 0 ? at->window : c->in[0].dims[3];
}

/* Head widths up to MB_MOST_HEAD; everything is counted in int, and a token's q lies in shared memory. */
static bool supports_plain(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    int64_t a, b;
    map_size(&a, &b, c);
    return mb_cuda_fits(c, false) && at->heads <= 65535 && c->in[0].dims[0] <= 65535 &&
           c->out.dims[1] / at->heads <= MB_MOST_HEAD && a * b <= INT32_MAX / 64 &&
           at->heads * (a + b + 1) <= INT32_MAX && (size_t)c->out.dims[1] * sizeof(float) <= MB_CUDA_SHARED_EVERYWHERE;
}

/* ViT's head width of 64, 16 bits. */
static bool supports_tensor_cores(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    return supports_plain(c) && c->out.dtype != MB_F32 && c->out.dims[1] / at->heads == 64;
}

/* Resized tables, then the relative terms of every token and head. */
static size_t scratch_floats(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    int64_t a, b;
    map_size(&a, &b, c);
    return (size_t)((2 * a + 2 * b - 2) * (c->out.dims[1] / at->heads));
}

/* Floats: the resized tables, then a + b terms (with pads_as_one one more) for each token and head. */
static size_t workspace(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    int64_t a, b;
    if (!mb_view_present(&c->in[1])) {
        return 0;
    }
    map_size(&a, &b, c);
    /* In double, because the product may exceed 64 bits. */
    double floats = (double)mb_view_tokens(&c->out) * (double)at->heads * (double)(a + b + (at->pads_as_one ? 1 : 0));
    if (floats > 1e15) {
        return SIZE_MAX;
    }
    return sizeof(float) * (scratch_floats(c) + (size_t)floats);
}

/* Tables in f32, pad_qkv in the map's type; nothing where there are no tables. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    *out = (mb_prepared){0};
    if (!mb_view_present(&c->in[1])) {
        return MB_OK;
    }
    const mb_cuda_part parts[3] = {mb_cuda_constant_map(c, 1, MB_F32), mb_cuda_constant_map(c, 2, MB_F32),
                                   mb_cuda_constant_map(c, 3, c->in[0].dtype)};
    return mb_cuda_upload(out, c, parts, 3, err);
}

/* Two launches: relative terms of all queries, then one of the attention kernels, which reads them. Without tables the
 * second alone. */
static mb_status run(const mb_call *c, int (*attend)(const mb_cuda_vit_args *, mb_stream), mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    bool relative = mb_view_present(&c->in[1]);
    float *scratch = c->workspace;
    /* The terms lie behind the resized tables. */
    const mb_cuda_vit_args v = {.out = &c->out,
                                .qkv = &c->in[0],
                                .attrs = c->attrs,
                                .pad = mb_cuda_slot(c, 3),
                                .table_h = mb_cuda_slot(c, 1),
                                .table_w = mb_cuda_slot(c, 2),
                                .rows_h = (int)c->in[1].dims[0],
                                .rows_w = (int)c->in[2].dims[0],
                                .scratch = scratch,
                                .relative = relative ? scratch + scratch_floats(c) : NULL,
                                .shared_most = d->shared_most};
    mb_status status = MB_OK;
    if (relative) {
        status = mb_cuda_launched(d, mb_cuda_launch_vit_relative(&v, d->compute), "vit_attention", err);
    }
    return status == MB_OK ? mb_cuda_launched(d, attend(&v, d->compute), "vit_attention", err) : status;
}

/* 16 bits. */
static mb_status run_tensor_cores(const mb_call *c, mb_error *err)
{
    return run(c, mb_cuda_launch_vit_attention, err);
}
/* Any type. */
static mb_status run_plain(const mb_call *c, mb_error *err)
{
    return run(c, mb_cuda_launch_vit_attention_plain, err);
}

static const mb_kernel tensor_cores = {.name = "tensor cores",
                                       .supports = supports_tensor_cores,
                                       .prepare = prepare,
                                       .workspace = workspace,
                                       .run = run_tensor_cores};
static const mb_kernel plain = {
    .name = "own", .supports = supports_plain, .prepare = prepare, .workspace = workspace, .run = run_plain};
const mb_kernel *const mb_cuda_vit_attention[MB_KERNEL_CHOICES] = {&tensor_cores, &plain};
