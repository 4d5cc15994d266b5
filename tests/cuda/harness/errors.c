/* What can go wrong on a device, played by the stand-in driver: each missing or unfit part has its message; an
 * allocation that fails, at every place, gives an error and leaves nothing open; after a fault the device is broken and
 * says so. */
#define _GNU_SOURCE /* setenv */
#include "cuda/backend.h"
#include "device.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many blocks, streams and contexts are open in the stand-in. */
static mb_weights *weights;

static int still_open(void)
{
    int (*count)(void) = NULL;
    void *handle = dlopen(MB_STANDIN_FOLDER "/libcuda.so.1", RTLD_NOW);
    void *symbol = handle != NULL ? dlsym(handle, "mb_standin_open") : NULL;
    memcpy(&count, &symbol, sizeof count);
    return count != NULL ? count() : -1;
}

TEST(messages)
{
    static const struct {
        const char *name, *value;
        int device;
        const char *reason, *cure;
    } rows[] = {
        {"MB_STANDIN_DEVICES", "0", 0, "CUDA: the driver sees no GPU", "nvidia-smi"},
        {"MB_STANDIN_CUDA", "12020", 0, "CUDA: the driver supports CUDA 12.2, this build needs 13.0",
         "Update the NVIDIA"},
        {"MB_STANDIN_SM", "61", 0, "CUDA: device 0 \"Stand-in 0\" (sm_61) is older than sm_75", "newer GPU"},
        {"MB_STANDIN_INIT", "999", 0, "CUDA: the driver does not start: unknown error (error 999)", "nvidia-smi"},
        {"MB_STANDIN_DEVICES", "2", 2, "CUDA: there is no device 2, the driver sees 2", "cuda:0 to cuda:1"},
        {"MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER "/none", 0, "CUDA: no driver (libcuda.so.1 not found)", "Install"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mb_device_report report;
        mb_error err = {0};
        char before[512];
        (void)snprintf(before, sizeof before, "%s", getenv(rows[i].name) != NULL ? getenv(rows[i].name) : "");
        setenv(rows[i].name, rows[i].value, 1);
        mb_status s = mb_device_probe(&report, (mb_device_wish){MB_DEVICE_CUDA, rows[i].device}, &err);
        bool real = s == MB_OK && i == 5; /* a machine with a driver of its own */
        CHECK_MSG(real || (s == MB_E_DEVICE && strncmp(err.message, rows[i].reason, strlen(rows[i].reason)) == 0 &&
                           strstr(err.message, rows[i].cure) != NULL),
                  "%s=%s: %s", rows[i].name, rows[i].value, err.message);
        err = (mb_error){0};
        CHECK_OK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_AUTO, rows[i].device}, &err), err);
        CHECK_MSG(real || (report.kind == MB_DEVICE_CPU && strstr(report.note, "; using the CPU. ") != NULL), "%s",
                  report.note);
        if (before[0] != '\0') {
            setenv(rows[i].name, before, 1);
        } else {
            unsetenv(rows[i].name);
        }
        CHECK_MSG(still_open() == 0, "%s: %d", rows[i].name, still_open());
    }
    mb_device_report report;
    mb_error err;
    CHECK_OK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_CUDA, 0}, &err), err);
    CHECK(strcmp(report.name, "Stand-in 0") == 0 && report.compute == 90 && report.driver_cuda == 13000);
}

TEST(precisions)
{
    mb_backend b;
    mb_error err = {0};
    setenv("MB_STANDIN_SM", "75", 1);
    CHECK(mb_backend_cuda_open(&b, 0, MB_BF16, &err) == MB_E_DEVICE && strstr(err.message, "bf16") != NULL);
    CHECK(still_open() == 0);
    CHECK_OK(mb_backend_cuda_open(&b, 0, MB_F16, &err), err);
    mb_backend_cuda_close(&b);
    unsetenv("MB_STANDIN_SM");
    CHECK(still_open() == 0);
}

/* Opens, plans and runs a small network once. */
static mb_status run_network(mb_error *err)
{
    mb_status status = MB_OK;
    mb_backend b = {0};
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    MB_TRY(mb_registry_find(&arch, weights, err));
    MB_TRY(mb_backend_cuda_open(&b, 0, MB_F32, err));
    mb_runner_options options = {NULL, &b, 0, NULL};
    MB_TRY(mb_runner_create(&runner, weights, arch->record, &options, err));
    MB_TRY(mb_runner_plan(&plan, runner, 1, 32, 32, NULL, 0, err));
    mb_view in = mb_plan_view(plan, "input");
    memset(in.data, 0, (size_t)mb_view_count(&in) * sizeof(float));
    MB_TRY(mb_plan_run(plan, NULL, NULL, err));
done:
    if (status != MB_OK && plan != NULL && strstr(err->message, "illegal") != NULL) { /* a broken device stays broken */
        mb_error again = {0};
        mb_status s = mb_plan_run(plan, NULL, NULL, &again);
        CHECK_MSG(s == status && strstr(err->message, again.message) != NULL, "%s | %s", err->message, again.message);
    }
    mb_runner_free(runner);
    mb_backend_cuda_close(&b);
    return status;
}

static void test_failures(const char *variable, mb_status expected, const char *word, int step, int least)
{
    int failed = 0;
    for (int n = 1;; n += step) {
        char text[16];
        mb_error err = {0};
        (void)snprintf(text, sizeof text, "%d", n);
        setenv(variable, text, 1);
        mb_status s = run_network(&err);
        CHECK_MSG(still_open() == 0, "%s=%d: %d left open", variable, n, still_open());
        if (s == MB_OK || !CHECK_MSG(s == expected && strstr(err.message, word) != NULL, "%s=%d: %d %s", variable, n, s,
                                     err.message)) {
            break;
        }
        failed++;
    }
    unsetenv(variable);
    CHECK_MSG(failed >= least, "%s: only %d places", variable, failed);
    printf("%s: %d places\n", variable, failed);
}

static const struct {
    const char *name, *variable; /* the stand-ins' */
    mb_status expected;
    const char *word;
    int step, least;
    const char *code; /* what the libraries fail with; NULL: their own choice */
} failures[] = {
    {"allocations", "MB_STANDIN_FAIL_ALLOC", MB_E_MEMORY, "could not allocate", 1, 2, NULL},
    {"cuBLASLt", "MB_STANDIN_LT_FAIL", MB_E_DEVICE, "cuBLASLt: the GPU program failed to execute", 3, 5, NULL},
    {"cuDNN", "MB_STANDIN_DNN_FAIL", MB_E_DEVICE, "cuDNN: CUDNN_STATUS_OTHER (5000)", 3, 5, NULL},
    {"memory of cuBLASLt", "MB_STANDIN_LT_FAIL", MB_E_MEMORY, "cuBLASLt: ", 15, 1, "3"},
    {"memory of cuDNN", "MB_STANDIN_DNN_FAIL", MB_E_MEMORY, "(4004)", 15, 1, "4004"},
    {"copies", "MB_STANDIN_FAIL_COPY", MB_E_DEVICE, "illegal memory access", 11, 6, NULL},
};

TEST_ROWS(failures, failures)
{
    if (row->code != NULL) {
        setenv("MB_STANDIN_LT_CODE", row->code, 1);
        setenv("MB_STANDIN_DNN_CODE", row->code, 1);
    }
    test_failures(row->variable, row->expected, row->word, row->step, row->least);
    unsetenv("MB_STANDIN_LT_CODE");
    unsetenv("MB_STANDIN_DNN_CODE");
}

SETUP
{
    mb_error err;
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
    setenv("MATTEBOX_CACHE", "", 0); /* no trace at home */
    REQUIRE_OK(gen_weights(&weights, "tiny7", 1, &err), err);
}

TEARDOWN
{
    mb_weights_free(weights);
}
