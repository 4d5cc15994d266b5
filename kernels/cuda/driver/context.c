/* Opening and closing a GPU with everything that belongs to it: streams, the two libraries, the plan cache, weights. */
#define _GNU_SOURCE /* recursive mutexes */
#include "cuda/driver/context.h"

#include "core/alloc.h"
#include "core/os_thread.h"
#include "cuda/driver/blaslt.h"
#include "cuda/driver/dnn.h"
#include "cuda/driver/tune.h"
#include "cuda/driver/weights.h"
#include "cuda/vendor/plan_cache.h"

#include <stdio.h>
#include <string.h>

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
    /* Asked one by one; the first failure ends it. */
    const int attributes[4] = {MB_CU_ATTR_MAJOR, MB_CU_ATTR_MINOR, MB_CU_ATTR_SM_COUNT, MB_CU_ATTR_SHARED_OPTIN};
    int *values[4] = {&major, &minor, &d->n_processors, &shared};
    for (int i = 0; i < 4 && r == MB_CU_SUCCESS; i++) {
        r = cu->device_attribute(values[i], attributes[i], d->id);
    }
    if (r == MB_CU_SUCCESS) {
        r = cu->device_name(d->name, (int)sizeof d->name, d->id);
    }
    if (r != MB_CU_SUCCESS) {
        (void)snprintf(refusal->reason, sizeof refusal->reason, "device %d cannot be queried (error %d)", d->index, r);
        (void)snprintf(refusal->cure, sizeof refusal->cure, "Check the driver's installation (nvidia-smi)");
        return false;
    }
    /* 75 for sm_75. */
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

/* Opens as little as the report needs: the driver, the libraries' versions, and a context for a moment. */
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

/* In this order, so that each step can use the ones before: driver, device, context, streams, libraries (plan
 * cache, timing, cuBLASLt, cuDNN), weights. A failure closes what is open. MB_E_DEVICE says what is missing and what
 * to do. */
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
    /* Recursive: the executor enters, and calls functions that enter again. */
    mb_recursive_mutex_init(&d->lock);
    if (!mb_nvlib_open(&d->lib, &refusal) || !describe(d, &refusal)) {
        status = mb_fail(err, MB_E_DEVICE, "CUDA: %s\n%s, or use device=cpu", refusal.reason, refusal.cure);
        goto done;
    }
    /* The primary context, which the runtime launches into as well. */
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

/* Backwards. Libraries and memory need the context to be current, on whichever thread this is. */
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
    mb_recursive_mutex_dispose(&d->lock);
    mb_free(d);
}
