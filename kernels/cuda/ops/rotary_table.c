/* The host side of rotary positions: one launch, where a pass has not made them a constant. */
#include "cuda/ops/host.h"
#include "cuda/ops/rotary_table.h"

static bool supports(const mb_call *c)
{
    return c->out.dtype != MB_I64 && mb_view_tokens(&c->out) <= INT32_MAX - 65536;
}

/* The size is that of the output. */
static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_rotary_table_attrs *a = c->attrs;
    mb_cuda_device *d = mb_cuda_of(c);
    return mb_cuda_launched(d, mb_cuda_launch_rotary_table(&c->out, a->base, d->compute), "rotary_table", err);
}

static const mb_kernel own = {.name = "own", .supports = supports, .run = run};
const mb_kernel *const mb_cuda_rotary_table[MB_KERNEL_CHOICES] = {&own};
