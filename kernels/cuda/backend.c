/* The table of the CUDA back end, from the cuda column of ops.def. OWN: the op's file (ops/<op>.c) defines
 * mb_cuda_<op>, its kernels in the order of preference: libraries first, then our own. */
#include "cuda/backend.h"

#include "cuda/driver/context.h"
#include "cuda/driver/tune.h"
#include "cuda/driver/weights.h"

#include <string.h>

#define MB_CUDA_OWN(name) extern const mb_kernel *const mb_cuda_##name[MB_KERNEL_CHOICES];
#define MB_CUDA_NONE(name)
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
#undef MB_CUDA_OWN
extern const mb_device_image_io mb_cuda_image_io;

/* The op's kernels in the order they are tried; rows end with NULL. */
static void copy_row(mb_backend *b, mb_op op, const mb_kernel *const row[MB_KERNEL_CHOICES])
{
    memcpy(b->kernels[op], row, sizeof b->kernels[op]);
}

/* The table alone, without a device: for tests of what it holds. */
mb_status mb_backend_cuda(mb_backend *out, mb_error *err)
{
    (void)err;
    *out = (mb_backend){.name = "cuda"};
/* Each OWN row of ops.def fills its row of the table. */
#define MB_CUDA_OWN(name) copy_row(out, MB_OP_##name, mb_cuda_##name);

#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
    out->output_multiple = 8; /* 16-bit channels that fill 16 bytes */
    return MB_OK;
}

/* The device as the executor sees it. */
static const mb_device_memory memory = {.alloc = mb_cuda_alloc,
                                        .free = mb_cuda_free,
                                        .pin = mb_cuda_pin,
                                        .unpin = mb_cuda_unpin,
                                        .reserve = mb_cuda_reserve,
                                        .copy_in = mb_cuda_copy_in,
                                        .copy_out = mb_cuda_copy_out,
                                        .wait = mb_cuda_wait,
                                        .enter = mb_cuda_enter,
                                        .leave = mb_cuda_leave,
                                        .tune_begin = mb_cuda_tune_begin,
                                        .tune_end = mb_cuda_tune_end,
                                        .capture_begin = mb_cuda_capture_begin,
                                        .capture_end = mb_cuda_capture_end,
                                        .replay = mb_cuda_replay,
                                        .captured_free = mb_cuda_captured_free};

/* What the device cannot compute in is refused here, so that kernels need not ask. f16 that overflows is
 * computed again in bf16, which has f32's range, where there is that. */
mb_status mb_backend_cuda_set_types(mb_backend *b, mb_dtype activations, bool tf32, mb_error *err)
{
    const mb_cuda_device *d = b->device;
    if (activations == MB_I64 || ((activations == MB_BF16 || tf32) && d->sm < 80)) {
        return mb_fail(err, MB_E_DEVICE, "CUDA: device %d \"%s\" (sm_%d) cannot compute in %s\nuse f16 or f32",
                       d->index, d->name, d->sm, tf32 ? "tf32" : mb_dtype_name(activations));
    }
    b->activations = activations;
    b->tf32 = tf32;
    b->fallback_dtype = activations == MB_F16 && d->sm >= 80 ? MB_BF16 : MB_F32;
    return MB_OK;
}

/* On failure *out is a back end without a device, and nothing stays open. */
mb_status mb_backend_cuda_open(mb_backend *out, int index, mb_dtype activations, mb_error *err)
{
    mb_status status = MB_OK;
    mb_cuda_device *d = NULL;
    MB_TRY(mb_backend_cuda(out, err));
    MB_TRY(mb_cuda_open(&d, index, err));
    out->device = d;
    out->memory = &memory;
    out->image_io = &mb_cuda_image_io;
    MB_TRY(mb_backend_cuda_set_types(out, activations, false, err));
done:
    if (status != MB_OK) {
        mb_cuda_close(d);
        *out = (mb_backend){.name = "cuda"};
    }
    return status;
}

/* Back ends without a device, and the CPU's, have nothing to close. */
void mb_backend_cuda_close(mb_backend *b)
{
    if (b->memory == &memory) {
        mb_cuda_close(b->device);
        *b = (mb_backend){0};
    }
}
