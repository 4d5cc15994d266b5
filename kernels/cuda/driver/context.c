/* The host's hold on one GPU through the driver's interface; kernels (runtime interface) share its primary context. */
#define _GNU_SOURCE /* recursive mutexes */
#include "cuda/driver/context.h"

#include "core/alloc.h"
#include "cuda/ops/kernels.h"
#include "cuda/driver/tune.h"
#include "cuda/driver/weights.h"

#include <stdio.h>
#include <string.h>

#define MB_MEGABYTE      1e-6
#define MB_CUDA_WAYS_OUT "try precision=f16, a smaller input, a smaller batch, or device=cpu"

/* After these the context cannot be used any more, whatever is called: memory errors, illegal addresses and
 * instructions, time-outs, failed assertions and launches. */
static bool is_sticky(mb_cu_result r)
{
    static const mb_cu_result codes[] = {214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 720};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (r == codes[i]) {
            return true;
        }
    }
    return false;
}

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

mb_status mb_cuda_check(mb_cuda_device *d, mb_cu_result r, const char *what, mb_error *err)
{
    if (r == MB_CU_SUCCESS) {
        return MB_OK;
    }
    const char *text = NULL;
    (void)d->lib.driver.error_text(r, &text);
    return fail_with(d, r, what, text, err);
}

mb_status mb_cuda_launched(mb_cuda_device *d, int code, const char *kernel, mb_error *err)
{
    return code == 0 ? MB_OK : fail_with(d, code, kernel, mb_cuda_launch_text(code), err);
}

mb_status mb_cuda_use(mb_cuda_device *d, mb_error *err)
{
    if (d->broken.code != MB_OK) {
        return mb_fail(err, d->broken.code, "%s", d->broken.message);
    }
    return mb_cuda_check(d, d->lib.driver.context_set(d->context), "making the device current", err);
}

mb_status mb_cuda_enter(mb_cuda_device *d, mb_error *err)
{
    (void)pthread_mutex_lock(&d->lock);
    mb_status status = mb_cuda_use(d, err);
    if (status != MB_OK) {
        (void)pthread_mutex_unlock(&d->lock);
    }
    return status;
}

void mb_cuda_leave(mb_cuda_device *d)
{
    (void)pthread_mutex_unlock(&d->lock);
}

/* Name, age, size. false and why when the GPU is too old or cannot be asked. */
static bool describe(mb_cuda_device *d, mb_device_refusal *refusal)
{
    mb_driver_api *cu = &d->lib.driver;
    int major = 0, minor = 0, count = 0, shared = 0;
    (void)cu->device_count(&count);
    mb_cu_result r = d->index < count ? cu->device_get(&d->id, d->index) : MB_CU_INVALID_DEVICE;
    if (r == MB_CU_INVALID_DEVICE) {
        (void)snprintf(refusal->reason, sizeof refusal->reason, "there is no device %d, the driver sees %d", d->index,
                       count);
        (void)snprintf(refusal->cure, sizeof refusal->cure, "Choose one of cuda:0 to cuda:%d", count - 1);
        return false;
    }
    const int attributes[4] = {MB_CU_ATTR_MAJOR, MB_CU_ATTR_MINOR, MB_CU_ATTR_SM_COUNT, MB_CU_ATTR_SHARED_OPTIN};
    int *values[4] = {&major, &minor, &d->n_processors, &shared};
    for (int i = 0; i < 4 && r == MB_CU_SUCCESS; i++) {
        r = cu->device_attribute(values[i], attributes[i], d->id);
    }
    if (r == MB_CU_SUCCESS) {
        r = cu->device_name(d->name, (int)sizeof d->name, d->id);
    }
    if (r != MB_CU_SUCCESS) {
        (void)snprintf(refusal->reason, sizeof refusal->reason, "device %d cannot be asked (error %d)", d->index, r);
        (void)snprintf(refusal->cure, sizeof refusal->cure, "Check the driver's installation (nvidia-smi)");
        return false;
    }
    d->sm = major * 10 + minor;
    d->shared_most = (size_t)shared;
    if (d->sm < MB_CUDA_OLDEST) {
        (void)snprintf(refusal->reason, sizeof refusal->reason, "device %d \"%s\" (sm_%d) is older than sm_%d",
                       d->index, d->name, d->sm, MB_CUDA_OLDEST);
        (void)snprintf(refusal->cure, sizeof refusal->cure, "Use a newer GPU");
        return false;
    }
    return true;
}

bool mb_cuda_probe(mb_device_report *out, mb_device_refusal *refusal, int index)
{
    mb_cuda_device d = {.index = index};
    if (!mb_nvlib_open(&d.lib, refusal)) {
        return false;
    }
    bool ok = describe(&d, refusal);
    mb_error err = {0};
    if (ok) {
        (void)snprintf(out->name, sizeof out->name, "%s", d.name);
        out->compute = d.sm;
        out->driver_cuda = d.lib.driver_cuda;
        mb_nvlib_open_libraries(&d.lib);
        out->cublaslt = d.lib.blaslt_version;
        out->cudnn = d.lib.dnn_version;
        (void)snprintf(out->note, sizeof out->note, "%s", d.lib.note);
        (void)d.lib.driver.device_total(&out->total_bytes, d.id);
        ok = mb_cuda_check(&d, d.lib.driver.context_retain(&d.context, d.id), "opening", &err) == MB_OK;
    }
    if (ok) { /* what is free is known to a context only */
        ok = mb_cuda_use(&d, &err) == MB_OK && mb_cuda_free_bytes(&d, &out->free_bytes, &err) == MB_OK;
        (void)d.lib.driver.context_release(d.id);
    }
    if (err.code != MB_OK) {
        (void)snprintf(refusal->reason, sizeof refusal->reason, "%s", err.message + strlen("CUDA: "));
        (void)snprintf(refusal->cure, sizeof refusal->cure, "Check that no other program holds the GPU (nvidia-smi)");
    }
    mb_nvlib_close(&d.lib);
    return ok;
}

/* Where they are there and start; what they chose before comes from the disk. */
static mb_status open_libraries(mb_cuda_device *d, mb_error *err)
{
    char title[256];
    mb_status status = MB_OK;
    mb_nvlib_open_libraries(&d->lib);
    if (d->lib.blaslt_handle != NULL || d->lib.dnn_handle != NULL) {
        (void)snprintf(title, sizeof title, "cuda-%s-sm%d-%d-driver%d-cublaslt%d-cudnn%d", d->name, d->sm,
                       d->n_processors, d->lib.driver_cuda, d->lib.blaslt_version, d->lib.dnn_version);
        MB_TRY(mb_plan_cache_open(&d->cache, title, err));
    }
    mb_cuda_tune_open(d);
    MB_TRY(mb_blaslt_open(&d->blaslt, d, err));
    MB_TRY(mb_dnn_open(&d->dnn, d, err));
done:
    return status;
}

mb_status mb_cuda_open(mb_cuda_device **out, int index, mb_error *err)
{
    mb_status status = MB_OK;
    mb_device_refusal refusal = {"", ""};
    *out = NULL;
    mb_cuda_device *d = mb_calloc(1, sizeof *d);
    if (d == NULL) {
        return mb_fail_memory(err, sizeof *d, "the CUDA device");
    }
    d->index = index;
    pthread_mutexattr_t recursive;
    (void)pthread_mutexattr_init(&recursive);
    (void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&d->lock, &recursive);
    (void)pthread_mutexattr_destroy(&recursive);
    if (!mb_nvlib_open(&d->lib, &refusal) || !describe(d, &refusal)) {
        status = mb_fail(err, MB_E_DEVICE, "CUDA: %s\n%s, or use device=cpu", refusal.reason, refusal.cure);
        goto done;
    }
    MB_TRY(mb_cuda_check(d, d->lib.driver.context_retain(&d->context, d->id), "opening", err));
    MB_TRY(mb_cuda_use(d, err));
    MB_TRY(mb_cuda_check(d, d->lib.driver.stream_create(&d->compute, MB_CU_STREAM_NON_BLOCKING), "a stream", err));
    MB_TRY(mb_cuda_check(d, d->lib.driver.stream_create(&d->copy, MB_CU_STREAM_NON_BLOCKING), "a stream", err));
    MB_TRY(mb_cuda_check(d, d->lib.driver.stream_create(&d->back, MB_CU_STREAM_NON_BLOCKING), "a stream", err));
    MB_TRY(open_libraries(d, err));
    MB_TRY(mb_cuda_weights_open(d, err));
    *out = d;
    d = NULL;
done:
    mb_cuda_close(d);
    return status;
}

void mb_cuda_close(mb_cuda_device *d)
{
    if (d == NULL) {
        return;
    }
    if (d->context != NULL) {
        (void)d->lib.driver.context_set(d->context); /* whichever thread this is */
    }
    mb_cuda_weights_close(d);
    mb_dnn_close(d->dnn);
    mb_blaslt_close(d->blaslt);
    mb_plan_cache_close(d->cache);
    if (d->compute != NULL) {
        (void)d->lib.driver.stream_destroy(d->compute);
    }
    if (d->copy != NULL) {
        (void)d->lib.driver.stream_destroy(d->copy);
    }
    if (d->back != NULL) {
        (void)d->lib.driver.stream_destroy(d->back);
    }
    if (d->context != NULL) {
        (void)d->lib.driver.context_release(d->id);
    }
    mb_nvlib_close(&d->lib);
    (void)pthread_mutex_destroy(&d->lock);
    mb_free(d);
}

mb_status mb_cuda_free_bytes(mb_cuda_device *d, size_t *out, mb_error *err)
{
    size_t total = 0;
    return mb_cuda_check(d, d->lib.driver.mem_info(out, &total), "asking for free memory", err);
}

mb_status mb_cuda_room(mb_cuda_device *d, size_t activations, size_t weights, mb_error *err)
{
    size_t free_bytes = 0;
    mb_status status = mb_cuda_free_bytes(d, &free_bytes, err);
    double need = (double)activations + (double)weights;
    if (status == MB_OK && need + MB_CUDA_SPARE > (double)free_bytes) {
        return mb_fail(err, MB_E_MEMORY,
                       "CUDA: needs %.0f MB (activations and workspaces %.0f, weights %.0f), %.0f MB free on device %d "
                       "\"%s\"\n" MB_CUDA_WAYS_OUT,
                       need * MB_MEGABYTE, (double)activations * MB_MEGABYTE, (double)weights * MB_MEGABYTE,
                       (double)free_bytes * MB_MEGABYTE, d->index, d->name);
    }
    return status;
}

mb_status mb_cuda_alloc(mb_cuda_device *d, void **out, size_t bytes, const char *what, mb_error *err)
{
    mb_cu_ptr p = 0;
    *out = NULL;
    mb_cu_result r = d->lib.driver.mem_alloc(&p, bytes > 0 ? bytes : 1);
    if (r == MB_CU_OUT_OF_MEMORY) {
        size_t free_bytes = 0, total = 0;
        (void)d->lib.driver.mem_info(&free_bytes, &total);
        return mb_fail(err, MB_E_MEMORY,
                       "CUDA: %.0f MB for %s could not be had, %.0f MB free on device %d \"%s\"\n" MB_CUDA_WAYS_OUT,
                       (double)bytes * MB_MEGABYTE, what, (double)free_bytes * MB_MEGABYTE, d->index, d->name);
    }
    memcpy(out, &p, sizeof *out); /* a device address fits a pointer on every platform with CUDA */
    return mb_cuda_check(d, r, what, err);
}

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

mb_status mb_cuda_wait(mb_cuda_device *d, mb_error *err)
{
    return mb_cuda_check(d, d->lib.driver.stream_wait(d->compute), "waiting for the device", err);
}

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

mb_status mb_cuda_capture_end(mb_cuda_device *d, void **out, mb_error *err)
{
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
