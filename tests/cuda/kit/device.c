/* What this card can do, how cuDNN describes it, and what a fault leaves behind. */
#define _GNU_SOURCE
#include "kit.h"

#include "core/alloc.h"
#include "core/file.h"
#include "cuda/driver/blaslt.h"
#include "cuda/driver/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mb_cuda_device *device;

static int open_device(void)
{
    mb_error err = {0};
    if (mb_cuda_open(&device, 0, &err) != MB_OK || mb_cuda_use(device, &err) != MB_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}

/* Milliseconds of one of `n` repetitions, by events. */
typedef mb_status work_fn(void *arg, mb_error *err);
static double time_ms(work_fn *work, void *arg, int n, mb_error *err)
{
    const mb_driver_api *cu = &device->lib.driver;
    mb_cu_event events[2] = {NULL, NULL};
    float ms = -1.0f;
    mb_status status = work(arg, err); /* once, to warm up */
    for (int i = 0; i < 2; i++) {
        (void)cu->event_create(&events[i], 0);
    }
    (void)cu->event_record(events[0], device->compute);
    for (int i = 0; i < n && status == MB_OK; i++) {
        status = work(arg, err);
    }
    (void)cu->event_record(events[1], device->compute);
    if (status == MB_OK && mb_cuda_wait(device, err) == MB_OK) {
        (void)cu->event_elapsed(&ms, events[0], events[1]);
    }
    (void)cu->event_destroy(events[0]);
    (void)cu->event_destroy(events[1]);
    return (double)ms / n;
}

typedef struct copy_work {
    void *dst, *src;
    size_t bytes;
} copy_work;
static mb_status copy(void *arg, mb_error *err)
{
    const copy_work *w = arg;
    return mb_cuda_check(device,
                         device->lib.driver.copy_on((mb_cu_ptr)(uintptr_t)w->dst, (mb_cu_ptr)(uintptr_t)w->src,
                                                    w->bytes, device->compute),
                         "copying", err);
}

typedef struct gemm_work {
    mb_lt_gemm p;
    void *workspace;
    size_t bytes;
} gemm_work;
static mb_status multiply(void *arg, mb_error *err)
{
    const gemm_work *w = arg;
    bool ran = false;
    mb_status status = mb_blaslt_run(&ran, device, &w->p, w->workspace, w->bytes, err);
    return status == MB_OK && !ran ? mb_fail(err, MB_E_DEVICE, "cuBLASLt cannot run it") : status;
}

/* n x n noise, rounded to the type. */
static void *noise(size_t n, mb_dtype t, mb_error *err)
{
    void *block = NULL;
    uint32_t state = 12345;
    float *v = mb_alloc_array(n * n, sizeof *v);
    for (size_t i = 0; v != NULL && i < n * n; i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    if (v == NULL || mb_cuda_weights_alloc(device, &block, n * n * mb_dtype_size(t), err) != MB_OK ||
        mb_cuda_weights_fill(device, block, v, n * n, t, err) != MB_OK || mb_cuda_weights_ready(device, err) != MB_OK) {
        block = NULL;
    }
    mb_free(v);
    return block;
}

static void rate_gemm(size_t n, mb_dtype t, bool tf32, const char *name)
{
    mb_error err = {0};
    gemm_work w = {.bytes = MB_LT_WORKSPACE_HOPPER};
    void *x = noise(n, t, &err), *y = noise(n, t, &err);
    int64_t side = (int64_t)n;
    w.p = (mb_lt_gemm){.x = x,
                       .w = x,
                       .y = y,
                       .m = side,
                       .n = side,
                       .k = side,
                       .x_pitch = side,
                       .w_pitch = side,
                       .y_pitch = side,
                       .x_type = t,
                       .y_type = t,
                       .tf32 = tf32};
    double ms = -1;
    if (y != NULL && mb_cuda_alloc(device, &w.workspace, w.bytes, "a workspace", &err) == MB_OK) {
        ms = time_ms(multiply, &w, 10, &err);
    }
    printf("{\"rate\":\"gemm %s\",\"side\":%zu,\"ms\":%.4f,\"tflops\":%.1f,\"error\":\"%s\"}\n", name, n, ms,
           ms > 0 ? 2e-9 * (double)n * (double)n * (double)n / ms : 0.0, err.message);
    mb_cuda_free(device, w.workspace);
    mb_cuda_weights_free(device, x);
    mb_cuda_weights_free(device, y);
}

int kit_rates(void)
{
    bool small = getenv("KIT_SMALL") != NULL;
    size_t bytes = small ? 1 << 16 : (size_t)512 << 20, side = small ? 32 : 8192;
    mb_error err = {0};
    copy_work c = {.bytes = bytes};
    if (open_device() != 0) {
        return 1;
    }
    double ms = -1;
    if (mb_cuda_alloc(device, &c.dst, bytes, "a copy", &err) == MB_OK &&
        mb_cuda_alloc(device, &c.src, bytes, "a copy", &err) == MB_OK) {
        ms = time_ms(copy, &c, 10, &err);
    }
    printf("{\"rate\":\"copy\",\"device\":\"%s\",\"sm\":%d,\"processors\":%d,\"driver_cuda\":%d,\"cublaslt\":%d,"
           "\"cudnn\":%d,\"note\":\"%s\",\"ms\":%.4f,\"gb_per_s\":%.0f}\n",
           device->name, device->sm, device->n_processors, device->lib.driver_cuda, device->lib.blaslt_version,
           device->lib.dnn_version, device->lib.note, ms, ms > 0 ? 2e-6 * (double)bytes / ms : 0.0);
    mb_cuda_free(device, c.dst);
    mb_cuda_free(device, c.src);
    rate_gemm(side, MB_F16, false, "f16");
    if (device->sm >= 80) {
        rate_gemm(side, MB_BF16, false, "bf16");
        rate_gemm(side / (small ? 1 : 2), MB_F32, true, "tf32");
    }
    rate_gemm(side / (small ? 1 : 2), MB_F32, false, "f32");
    mb_cuda_close(device);
    return 0;
}

int kit_describe(const char *path)
{
    const mb_dnn_api *api = NULL;
    mb_dnn_desc d = NULL;
    int32_t id = 0;
    int64_t n = 0;
    mb_error err = {0};
    char text[8192] = "";
    if (open_device() != 0) {
        return 1;
    }
    api = &device->lib.dnn;
    mb_dnn_result r = device->dnn == NULL ? 1 : api->desc_create(MB_DNN_DEVICE, &d);
    r = r != 0 ? r : api->set(d, MB_DNN_DEVICE_ID, 23 /* CUDNN_TYPE_INT32 */, 1, &id);
    r = r != 0 ? r : api->finalize(d);
    r = r != 0 ? r : api->get(d, MB_DNN_DEVICE_JSON, MB_DNN_T_CHAR, (int64_t)sizeof text - 1, &n, text);
    bool written = r == 0 && mb_write_file(path, text, strlen(text), true, &err) == MB_OK;
    printf("{\"describe\":\"%s\",\"result\":%d,\"bytes\":%zu}\n", written ? path : "", r, strlen(text));
    if (d != NULL) {
        (void)api->desc_destroy(d);
    }
    mb_cuda_close(device);
    return written ? 0 : 1;
}

#if defined(MB_ON_DEVICE)
int kit_fault(void)
{
    mb_error first = {0}, later = {0};
    if (open_device() != 0) {
        return 1;
    }
    (void)mb_kit_launch_fault(device->compute);
    mb_status a = mb_cuda_wait(device, &first), b = mb_cuda_use(device, &later);
    bool good = a == MB_E_DEVICE && b == MB_E_DEVICE && strcmp(first.message, later.message) == 0;
    printf("{\"fault\":\"%s\",\"then\":\"%s\"}\n", first.message, later.message);
    mb_cuda_close(device);
    return good ? 0 : 1;
}
#else
int kit_fault(void)
{
    printf("{\"fault\":\"not in the emulated kit\"}\n");
    return 0;
}
#endif
