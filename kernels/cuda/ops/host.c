/* Constants on the device, and what all our kernels can and cannot do. */
#include "cuda/ops/host.h"

#include "core/alloc.h"
#include "cuda/driver/weights.h"

/* mb_prepared.free. */
static void free_constants(void *data)
{
    mb_cuda_constants *k = data;
    if (k != NULL) {
        mb_cuda_weights_free(k->device, k->block);
        mb_free(k);
    }
}

/* Where each part begins in the block, and the block's size; SIZE_MAX on overflow. */
static size_t place(size_t offset[], const mb_cuda_part *parts, int n_parts)
{
    size_t total = 0;
    for (int i = 0; i < n_parts; i++) {
        size_t bytes = 0;
        offset[i] = total;
        if (parts[i].src != NULL && (!mb_mul_size(&bytes, parts[i].count, mb_dtype_size(parts[i].dtype)) ||
                                     !mb_add_size(&bytes, bytes, MB_CUDA_ALIGNMENT - 1))) {
            return SIZE_MAX;
        }
        if (!mb_add_size(&total, total, bytes / MB_CUDA_ALIGNMENT * MB_CUDA_ALIGNMENT)) {
            return SIZE_MAX;
        }
    }
    return total;
}

/* One block for all parts. On failure nothing is kept, and *out is empty. */
mb_status mb_cuda_upload(mb_prepared *out, const mb_call *c, const mb_cuda_part *parts, int n_parts, mb_error *err)
{
    mb_status status = MB_OK;
    mb_cuda_device *d = mb_cuda_of(c);
    /* place() says SIZE_MAX on overflow; then there is nothing to allocate. */
    size_t offset[MB_MAX_INPUTS], total = place(offset, parts, n_parts);
    mb_cuda_constants *k = total < SIZE_MAX ? mb_calloc(1, sizeof *k) : NULL;
    *out = (mb_prepared){0};
    if (k == NULL) {
        return mb_fail_memory(err, total, "staging constants for the GPU");
    }
    k->device = d;
    MB_TRY(mb_cuda_use(d, err));
    MB_TRY(mb_cuda_weights_alloc(d, &k->block, total, err));
    /* Parts beyond the inputs (a bias once more) replace no input. */
    for (int i = 0; i < n_parts; i++) {
        if (parts[i].src != NULL) {
            k->slot[parts[i].slot] = (unsigned char *)k->block + offset[i];
            MB_TRY(mb_cuda_weights_fill(d, k->slot[parts[i].slot], parts[i].src, parts[i].count, parts[i].dtype, err));
            out->replaces |= parts[i].slot < c->n_in ? 1u << parts[i].slot : 0;
        }
    }
    MB_TRY(mb_cuda_weights_ready(d, err));
    out->data = k;
    out->bytes = total;
    out->free = free_constants;
    k = NULL;
done:
    if (status != MB_OK) {
        *out = (mb_prepared){0};
    }
    free_constants(k);
    return status;
}

/* While planning nothing is prepared yet. */
void *mb_cuda_slot(const mb_call *c, int i)
{
    const mb_cuda_constants *k = c->prepared != NULL ? c->prepared->data : NULL;
    return k != NULL ? k->slot[i] : NULL;
}

mb_view mb_cuda_input(const mb_call *c, int i)
{
    mb_view v = c->in[i];
    void *uploaded = mb_cuda_slot(c, i);
    if (uploaded != NULL) { /* packed densely, in the output's type (mb_cuda_prepare_maps) */
        v.data = uploaded;
        v.pitch = v.dims[1];
        v.dtype = c->out.dtype;
    }
    return v;
}

/* Parts without a source are skipped by the upload. */
mb_cuda_part mb_cuda_constant_map(const mb_call *c, int i, mb_dtype dtype)
{
    const mb_view *v = &c->in[i];
    bool is_constant = i < c->n_in && (c->constants >> i & 1u) && mb_view_present(v);
    return (mb_cuda_part){i, is_constant ? v->data : NULL, (size_t)(is_constant ? mb_view_count(v) : 0), dtype};
}

/* Nothing to do in most calls: maps are rarely constant. */
mb_status mb_cuda_prepare_maps(mb_prepared *out, const mb_call *c, mb_error *err)
{
    mb_cuda_part parts[MB_MAX_INPUTS];
    bool any = false;
    for (int i = 0; i < c->n_in; i++) {
        parts[i] = mb_cuda_constant_map(c, i, c->out.dtype);
        any = any || parts[i].src != NULL;
    }
    *out = (mb_prepared){0};
    return any ? mb_cuda_upload(out, c, parts, c->n_in, err) : MB_OK;
}

/* With room for rounding up to whole tiles. */
static bool countable(const mb_view *v)
{
    return mb_view_tokens(v) <= INT32_MAX - 65536 && v->dims[1] <= INT32_MAX - 65536;
}

/* The limits are the same for all kernels: they count tokens and channels in int. */
bool mb_cuda_fits(const mb_call *c, bool loose_output)
{
    const mb_cuda_device *d = mb_cuda_of(c);
    mb_dtype t = c->in[0].dtype;
    if (t == MB_I64 || (t == MB_BF16 && d->sm < 80) || !countable(&c->in[0]) || !countable(&c->out)) {
        return false;
    }
    return c->out.dtype == t || (loose_output && (c->out.dtype == MB_F32 || t == MB_F32));
}

bool mb_cuda_same_type(const mb_call *c)
{
    for (int i = 0; i < c->n_in; i++) {
        bool constant = c->constants >> i & 1u; /* prepare rounds it */
        if (mb_view_present(&c->in[i]) && !constant && c->in[i].dtype != c->out.dtype) {
            return false;
        }
    }
    return mb_cuda_fits(c, c->constants & 1u);
}
