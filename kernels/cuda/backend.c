/* The table of the CUDA back end, from the cuda column of ops.def: OWN puts mb_cuda_<op> into the row. */
#include "cuda/backend.h"

#include "cuda/driver/context.h"
#include "cuda/driver/tune.h"
#include "cuda/driver/weights.h"

#define MB_CUDA_OWN(name) extern const mb_kernel mb_cuda_##name;
#define MB_CUDA_NONE(name)
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
#undef MB_CUDA_OWN
#undef MB_CUDA_NONE

/* Faster where they serve: they stand in front of the row's own kernel. */
extern const mb_kernel mb_cuda_window_attention_mma, mb_cuda_vit_attention_mma, mb_cuda_linear_blaslt,
    mb_cuda_conv2d_blaslt, mb_cuda_conv2d_dnn, mb_cuda_conv2d_widened;
extern const mb_device_image_io mb_cuda_image_io;

static void put_first(mb_backend *b, mb_op op, const mb_kernel *k)
{
    for (int i = MB_KERNEL_CHOICES - 1; i > 0; i--) {
        b->kernels[op][i] = b->kernels[op][i - 1];
    }
    b->kernels[op][0] = k;
}

mb_status mb_backend_cuda(mb_backend *out, mb_error *err)
{
    (void)err;
    *out = (mb_backend){.name = "cuda"};
#define MB_CUDA_OWN(name) out->kernels[MB_OP_##name][0] = &mb_cuda_##name;
#define MB_CUDA_NONE(name)
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
    put_first(out, MB_OP_vit_attention, &mb_cuda_vit_attention_mma);
    put_first(out, MB_OP_window_attention, &mb_cuda_window_attention_mma);
    put_first(out, MB_OP_linear, &mb_cuda_linear_blaslt);
    put_first(out, MB_OP_conv2d, &mb_cuda_conv2d_dnn);
    put_first(out, MB_OP_conv2d, &mb_cuda_conv2d_blaslt);
    put_first(out, MB_OP_conv2d, &mb_cuda_conv2d_widened);
    out->output_multiple = 8; /* 16-bit channels that fill 16 bytes */
    return MB_OK;
}

/* ---- the device as the executor sees it ---- */
static mb_status memory_alloc(void *device, void **out, size_t bytes, const char *what, mb_error *err)
{
    return mb_cuda_alloc(device, out, bytes, what, err);
}
static void memory_free(void *device, void *p)
{
    mb_cuda_free(device, p);
}
static mb_status memory_copy_in(void *device, void *dst, const void *src, size_t bytes, mb_error *err)
{
    return mb_cuda_copy_in(device, dst, src, bytes, err);
}
static mb_status memory_copy_out(void *device, void *dst, const void *src, size_t bytes, mb_error *err)
{
    return mb_cuda_copy_out(device, dst, src, bytes, err);
}
static mb_status memory_wait(void *device, mb_error *err)
{
    return mb_cuda_wait(device, err);
}
static mb_status memory_enter(void *device, mb_error *err)
{
    return mb_cuda_enter(device, err);
}
static void memory_leave(void *device)
{
    mb_cuda_leave(device);
}
static void *memory_pin(void *device, size_t bytes)
{
    return mb_cuda_pin(device, bytes);
}
static void memory_unpin(void *device, void *p)
{
    mb_cuda_unpin(device, p);
}
static mb_status memory_room(void *device, size_t activations, size_t weights, mb_error *err)
{
    mb_status status = mb_cuda_room(device, activations, weights, err);
    if (status == MB_OK) {
        mb_cuda_weights_expect(device, weights);
    }
    return status;
}
static bool memory_tune_begin(void *device)
{
    return mb_cuda_tune_begin(device);
}
static void memory_tune_end(void *device)
{
    mb_cuda_tune_end(device);
}
static mb_status memory_capture_begin(void *device, mb_error *err)
{
    return mb_cuda_capture_begin(device, err);
}
static mb_status memory_capture_end(void *device, void **out, mb_error *err)
{
    return mb_cuda_capture_end(device, out, err);
}
static mb_status memory_replay(void *device, void *captured, mb_error *err)
{
    return mb_cuda_replay(device, captured, err);
}
static void memory_captured_free(void *device, void *captured)
{
    mb_cuda_captured_free(device, captured);
}

static const mb_device_memory memory = {.alloc = memory_alloc,
                                        .free = memory_free,
                                        .pin = memory_pin,
                                        .unpin = memory_unpin,
                                        .room = memory_room,
                                        .copy_in = memory_copy_in,
                                        .copy_out = memory_copy_out,
                                        .wait = memory_wait,
                                        .enter = memory_enter,
                                        .leave = memory_leave,
                                        .tune_begin = memory_tune_begin,
                                        .tune_end = memory_tune_end,
                                        .capture_begin = memory_capture_begin,
                                        .capture_end = memory_capture_end,
                                        .replay = memory_replay,
                                        .captured_free = memory_captured_free};

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

void mb_backend_cuda_close(mb_backend *b)
{
    if (b->memory == &memory) {
        mb_cuda_close(b->device);
        *b = (mb_backend){0};
    }
}
