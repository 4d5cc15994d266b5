/* The host side of Swin's window attention: the bias table goes to the device head by head. */
#include "cuda/ops/host.h"
#include "cuda/ops/window_attention.h"

#include "core/alloc.h"

/* Heads and items are the second and third axis of the grid. */
static bool fits_grid(const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    return mb_cuda_fits(c, false) && a->heads <= 65535 && c->in[0].dims[0] <= 65535;
}

/* Swin's two windows, head widths up to 32, 16 bits. */
static bool supports_tensor_cores(const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    return fits_grid(c) && c->out.dtype != MB_F32 && (a->window == 7 || a->window == 12) &&
           c->out.dims[1] / a->heads <= 32;
}

/* Everything else whose window fits shared memory. */
static bool supports_plain(const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    return fits_grid(c) && mb_cuda_window_attention_plain_shared(a, c->out.dims[1]) <= MB_CUDA_SHARED_EVERYWHERE;
}

/* The table [(2w-1)^2, heads] as [heads][(2w-1)^2]: a block reads one head's. pad_qkv in the map's type. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    size_t rows = (size_t)c->in[1].dims[0], heads = (size_t)c->in[1].dims[1];
    const float *table = c->in[1].data;
    float *by_head = mb_alloc_array(rows * heads, sizeof *by_head);
    if (by_head == NULL) {
        return mb_fail_memory(err, rows * heads * sizeof *by_head, "the bias table");
    }
    /* [row][head] -> [head][row]. */
    for (size_t i = 0; i < rows * heads; i++) {
        by_head[i % heads * rows + i / heads] = table[i];
    }
    const mb_cuda_part parts[2] = {{1, by_head, rows * heads, MB_F32}, mb_cuda_constant_map(c, 2, c->in[0].dtype)};
    mb_status status = mb_cuda_upload(out, c, parts, 2, err);
    mb_free(by_head);
    return status;
}

/* Slot 1 has the table, slot 2 pad_qkv or NULL. */
static mb_status run_tensor_cores(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code = mb_cuda_launch_window_attention(&c->out, &c->in[0], mb_cuda_slot(c, 2), mb_cuda_slot(c, 1), c->attrs,
                                               d->compute);
    return mb_cuda_launched(d, code, "window_attention", err);
}

/* The same arguments. */
static mb_status run_plain(const mb_call *c, mb_error *err)
{
    mb_cuda_device *d = mb_cuda_of(c);
    int code = mb_cuda_launch_window_attention_plain(&c->out, &c->in[0], mb_cuda_slot(c, 2), mb_cuda_slot(c, 1),
                                                     c->attrs, d->compute);
    return mb_cuda_launched(d, code, "window_attention", err);
}

static const mb_kernel tensor_cores = {
    .name = "tensor cores", .supports = supports_tensor_cores, .prepare = prepare, .run = run_tensor_cores};
static const mb_kernel plain = {.name = "own", .supports = supports_plain, .prepare = prepare, .run = run_plain};
const mb_kernel *const mb_cuda_window_attention[MB_KERNEL_CHOICES] = {&tensor_cores, &plain};
