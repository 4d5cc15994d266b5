/* The host side of rotary position embedding: the table stays f32, whatever the maps are. */
#include "cuda/ops/host.h"
#include "cuda/ops/rotary_embedding.h"

/* qkv and output of one type; the table is a map in f32, or a constant that prepare uploads. */
static bool supports(const mb_call *c)
{
    return mb_cuda_fits(c, false) && (c->constants >> 1 & 1u || c->in[1].dtype == MB_F32);
}

/* In f32. */
static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_cuda_part part = mb_cuda_constant_map(c, 1, MB_F32);
    *out = (mb_prepared){0};
    return part.src != NULL ? mb_cuda_upload(out, c, &part, 1, err) : MB_OK;
}

/* In place where the plan says so: values are then not even read. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_heads_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    mb_view table = c->in[1];
    void *uploaded = mb_cuda_slot(c, 1);
    if (uploaded != NULL) {
        table.data = uploaded;
        table.pitch = table.dims[1];
    }
    int code = mb_cuda_launch_rotary_embedding(&c->out, &c->in[0], &table, (int)a->heads, d->compute);
    return mb_cuda_launched(d, code, "rotary_embedding", err);
}

static const mb_kernel own = {
    .name = "own", .supports = supports, .prepare = prepare, .run = run, .in_place_input = 1 + 0};
const mb_kernel *const mb_cuda_rotary_embedding[MB_KERNEL_CHOICES] = {&own};
