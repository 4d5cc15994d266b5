/* The driver's calls on an open GPU; kernels (runtime interface) share its primary context. */
#include "cuda/driver/device.h"

#include "core/os_thread.h"

#include "cuda/lang/launch.h"

#include <string.h>

#define MB_MEGABYTE 1e-6
/* Ends every message about memory. */
#define MB_CUDA_CURE "try precision=f16, a smaller input, a smaller batch, or device=cpu"

/* After these the context cannot be used any more, whatever is called: memory errors, illegal addresses and
 * instructions, time-outs, failed assertions and launches. */
static bool is_sticky(mb_cu_result r)
{
    /* 214: ECC; 700 and up: addresses, time-outs, launches, assertions, instructions. */
    static const mb_cu_result codes[] = {214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 720};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (r == codes[i]) {
            return true;
        }
    }
    return false;
}

/* The message of a failed call. After a sticky error it is kept: every later call returns it again. */
static mb_status fail_with(mb_cuda_device *d, mb_cu_result r, const char *what, const char *text, mb_error *err)
{
    mb_error local = {0};
    const char *name = NULL;
    (void)d->lib.driver.error_name(r, &name);
    (void)mb_fail(&local, r == MB_CU_OUT_OF_MEMORY ? MB_E_MEMORY : MB_E_DEVICE,
                  "CUDA: device %d \"%s\": %s: %s (%s, %d)", d->index, d->name, what,
                  text != NULL ? text : "no description", name != NULL ? name : "unknown", r);
    if (is_sticky(r) && d->broken.code == MB_OK) {
        d->broken = local;
    }
    return mb_fail(err, local.code, "%s", local.message);
}

/* MB_OK for success; else the driver's own words. */
mb_status mb_cuda_check(mb_cuda_device *d, mb_cu_result r, const char *what, mb_error *err)
{
    if (r == MB_CU_SUCCESS) {
        return MB_OK;
    }
    const char *text = NULL;
    (void)d->lib.driver.error_text(r, &text);
    return fail_with(d, r, what, text, err);
}

/* For codes of the runtime, which launches go through; the numbers are the driver's. */
mb_status mb_cuda_launched(mb_cuda_device *d, int code, const char *kernel, mb_error *err)
{
    return code == 0 ? MB_OK : fail_with(d, code, kernel, mb_cuda_launch_text(code), err);
}

/* The runtime launches into the context that is current for the thread. */
mb_status mb_cuda_use(mb_cuda_device *d, mb_error *err)
{
    if (d->broken.code != MB_OK) {
        return mb_fail(err, d->broken.code, "%s", d->broken.message);
    }
    return mb_cuda_check(d, d->lib.driver.context_set(d->context), "making the device current", err);
}

/* Held until leave, also by functions that enter again. */
mb_status mb_cuda_enter(mb_cuda_device *d, mb_error *err)
{
    mb_recursive_mutex_lock(&d->lock);
    mb_status status = mb_cuda_use(d, err);
    if (status != MB_OK) {
        mb_recursive_mutex_unlock(&d->lock);
    }
    return status;
}

/* The device stays current for the thread; the next one makes it its own. */
void mb_cuda_leave(mb_cuda_device *d)
{
    mb_recursive_mutex_unlock(&d->lock);
}

/* Needs the context to be current. */
mb_status mb_cuda_free_bytes(mb_cuda_device *d, size_t *out, mb_error *err)
{
    size_t total = 0;
    return mb_cuda_check(d, d->lib.driver.mem_info(out, &total), "asking for free memory", err);
}

/* Asked before a plan allocates: a refusal with numbers is worth more than a failure halfway. */
mb_status mb_cuda_check_free(mb_cuda_device *d, size_t activations, size_t weights, mb_error *err)
{
    size_t free_bytes = 0;
    mb_status status = mb_cuda_free_bytes(d, &free_bytes, err);
    double need = (double)activations + (double)weights;
    if (status == MB_OK && need + MB_CUDA_SPARE > (double)free_bytes) {
        return mb_fail(err, MB_E_MEMORY,
                       "CUDA: needs %.0f MB (activations and workspaces %.0f, weights %.0f), %.0f MB free on device %d "
                       "\"%s\"\n" MB_CUDA_CURE,
                       need * MB_MEGABYTE, (double)activations * MB_MEGABYTE, (double)weights * MB_MEGABYTE,
                       (double)free_bytes * MB_MEGABYTE, d->index, d->name);
    }
    return status;
}

/* 0 bytes are allocated as 1, so that a block always has an address. */
mb_status mb_cuda_alloc(mb_cuda_device *d, void **out, size_t bytes, const char *what, mb_error *err)
{
    mb_cu_ptr p = 0;
    *out = NULL;
    mb_cu_result r = d->lib.driver.mem_alloc(&p, bytes > 0 ? bytes : 1);
    /* The driver's own words say no numbers. */
    if (r == MB_CU_OUT_OF_MEMORY) {
        size_t free_bytes = 0, total = 0;
        (void)d->lib.driver.mem_info(&free_bytes, &total);
        return mb_fail(err, MB_E_MEMORY,
                       "CUDA: could not allocate %.0f MB for %s, %.0f MB free on device %d \"%s\"\n" MB_CUDA_CURE,
                       (double)bytes * MB_MEGABYTE, what, (double)free_bytes * MB_MEGABYTE, d->index, d->name);
    }
    memcpy(out, &p, sizeof *out); /* a device address fits a pointer on every platform with CUDA */
    return mb_cuda_check(d, r, what, err);
}

/* A device address as the driver counts it. */
static mb_cu_ptr address(const void *p)
{
    return (mb_cu_ptr)(uintptr_t)p;
}

void mb_cuda_free(mb_cuda_device *d, void *p)
{
    if (p != NULL) {
        (void)d->lib.driver.mem_free(address(p)); /* fails only when the context is dead */
    }
}

mb_status mb_cuda_copy_in(mb_cuda_device *d, void *dst, const void *src, size_t bytes, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.copy_in(address(dst), src, bytes, d->compute), "copying to the device", err);
}

mb_status mb_cuda_copy_out(mb_cuda_device *d, void *dst, const void *src, size_t bytes, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.copy_out(dst, address(src), bytes, d->compute), "copying from the device",
                         err);
}

/* Kernels fail late: their faults show here. */
mb_status mb_cuda_wait(mb_cuda_device *d, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.stream_wait(d->compute), "waiting for the device", err);
}

/* Want of pinned memory is no error: copies from ordinary memory are slower. */
void *mb_cuda_pin(mb_cuda_device *d, size_t bytes)
{
    void *p = NULL;
    return d->lib.driver.pinned_alloc(&p, bytes > 0 ? bytes : 1) == MB_CU_SUCCESS ? p : NULL;
}

void mb_cuda_unpin(mb_cuda_device *d, void *p)
{
    if (p != NULL) {
        (void)d->lib.driver.pinned_free(p);
    }
}

/* ---- captured graphs ---- */
mb_status mb_cuda_capture_begin(mb_cuda_device *d, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.capture_begin(d->compute, MB_CU_CAPTURE_THREAD_LOCAL), "recording a graph",
                         err);
}

/* *out: the graph ready to launch, or NULL with the error. The recording itself is not kept. */
mb_status mb_cuda_capture_end(mb_cuda_device *d, void **out, mb_error *err)
{
    /* The recording becomes an executable graph, and is not needed any more then. */
    mb_cu_graph graph = NULL;
    mb_cu_graph_exec ready = NULL;
    *out = NULL;
    mb_status status = mb_cuda_check(d, d->lib.driver.capture_end(d->compute, &graph), "recording a graph", err);
    if (status == MB_OK) {
        status = mb_cuda_check(d, d->lib.driver.graph_instantiate(&ready, graph, 0), "making a graph ready", err);
    }
    if (graph != NULL) {
        (void)d->lib.driver.graph_destroy(graph);
    }
    *out = ready;
    return status;
}

/* One launch for a whole plan. */
mb_status mb_cuda_replay(mb_cuda_device *d, void *captured, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.graph_launch(captured, d->compute), "launching a graph", err);
}

void mb_cuda_captured_free(mb_cuda_device *d, void *captured)
{
    if (captured != NULL) {
        (void)d->lib.driver.graph_exec_destroy(captured);
    }
}
