/* Every convolution of the official models that we give to cuDNN has a plan: built by the real library for GPUs that
 * are only described (tests/data/gpus), so no GPU is needed. Skipped without cuDNN 9.8 or newer. Usage: cudnn_plans
 * [-v] */
#define _GNU_SOURCE /* setenv, fdopen */
#include "core/alloc.h"
#include "core/file.h"
#include "cuda/backend.h"
#include "cuda/ops/conv2d_dnn.h"
#include "graph/passes/passes.h"
#include "graph/plan.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 400 };
static const char *const symbols[] = {
#define SYMBOL(type, symbol, member, arguments) #symbol,
    MB_DNN_SYMBOLS(SYMBOL)};

static bool verbose;

/* What the CUDA back end would plan for one model: distinct convolutions of one type of maps. */
static int collect(mb_dnn_conv out[MOST], int n, const char *variant, int64_t height, int64_t width, mb_backend *b)
{
    mb_weights *weights = NULL;
    mb_graph *g = NULL;
    mb_plan *p = NULL;
    mb_error err = {0};
    const mb_architecture *arch = NULL;
    mb_runner_options options = {NULL, b, 0, NULL};
    CHECK_OK(gen_weights_as(&weights, variant, 1, MB_F16, &err), err);
    CHECK_OK(mb_registry_find(&arch, weights, &err), err);
    CHECK_OK(mb_graph_create(&g, weights, &err), err);
    CHECK_OK(arch->record(g, 1, height, width, &err), err);
    CHECK_OK(mb_plan_create(&p, g, &options, &err), err);
    int before = n;
    for (int t = 0; p != NULL && t < p->n_steps; t++) {
        const mb_call *c = &p->steps[t].call;
        const char *kernel = p->steps[t].kernel->name;
        bool f32 = strcmp(kernel, "cudnn f32") == 0;
        if (strcmp(kernel, "cudnn") != 0 && !f32) {
            continue;
        }
        mb_dnn_conv k = f32 ? mb_cuda_conv2d_dnn_f32_key(c) : mb_cuda_conv2d_dnn_key(c);
        bool known = false;
        for (int i = 0; i < n; i++) {
            known = known || memcmp(&out[i], &k, sizeof k) == 0;
        }
        if (!known && CHECK(n < MOST)) {
            out[n++] = k;
        }
    }
    printf("%s %lldx%lld %s: %d different convolutions\n", variant, (long long)width, (long long)height,
           mb_dtype_name(b->activations), n - before);
    mb_plan_free(p);
    mb_weights_free(weights);
    return n;
}

static int collect_here(mb_dnn_conv out[MOST], mb_dtype type, bool tf32)
{
    static const struct {
        const char *variant;
        int64_t height, width;
    } models[] = {{"swin_l", 1024, 1024},
                  {"swin_t", 1024, 1024},
                  {"legacy_l", 1024, 1024},
                  {"vitmatte_s", 1024, 1024},
                  {"vitmatte_b", 1024, 1024}};
    mb_backend b = {0};
    mb_error err = {0};
    int n = 0;
    CHECK_OK(mb_backend_cuda_open(&b, 0, type, &err), err);
    b.tf32 = tf32;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (type == MB_F16 || i == 1 || i == 3) { /* the others have the same shapes of layers */
            n = collect(out, n, models[i].variant, models[i].height, models[i].width, &b);
        }
    }
    mb_backend_cuda_close(&b);
    return n;
}

/* In a process of its own: the real library must not find the stand-in driver. */
static int collect_all(mb_dnn_conv out[MOST], mb_dtype type, bool tf32)
{
    int ends[2], status = 1, n = 0;
    FILE *from = NULL;
    (void)fflush(stdout);
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child == 0) {
        n = collect_here(out, type, tf32);
        FILE *to = fdopen(ends[1], "wb");
        bool sent = to != NULL && fwrite(out, sizeof *out, (size_t)n, to) == (size_t)n && fclose(to) == 0;
        (void)fflush(stdout);
        _exit(sent && test_report() == 0 ? 0 : 1);
    }
    if (child > 0) {
        (void)close(ends[1]);
        from = fdopen(ends[0], "rb");
        n = from != NULL ? (int)fread(out, sizeof *out, MOST, from) : 0;
        (void)fclose(from);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK_MSG(n > 0, "no convolutions");
    return n;
}

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Plans for all of them on one GPU; the text of each plan is a plan again. */
static void plan_all(const mb_dnn_api *api, const char *gpu, const mb_dnn_conv *convs, int n, mb_dtype type, bool tf32)
{
    char path[512];
    void *json = NULL;
    size_t bytes = 0;
    mb_error err = {0};
    mb_dnn_desc device = NULL;
    double begin = now_ms();
    int64_t workspace = 0;
    int planned = 0, left = 0, choices = 0;
    const bool turing = strcmp(gpu, "sm_75") == 0; /* has no TF32: no map is copied to f32 */
    (void)snprintf(path, sizeof path, "%s/gpus/%s.json", MB_TEST_DATA, gpu);
    CHECK_OK(mb_read_file(&json, &bytes, path, 1 << 16, &err), err);
    CHECK_OK(mb_dnn_describe(&device, api, json, &err), err);
    const mb_dnn_target t = {api, NULL, device, (int64_t)256 << 20};
    for (int i = 0; i < n && device != NULL; i++) {
        mb_dnn_plan p, again;
        char *text = NULL;
        mb_dnn_conv c = convs[i];
        if (c.from_16bit != 0 && turing) {
            left++;
            continue;
        }
        c.type = (int32_t)(c.type != MB_F32 ? type : MB_F32);
        c.y_type = (int32_t)(c.y_type != MB_F32 ? type : MB_F32);
        if (!CHECK_MSG(mb_dnn_build(&p, &t, &c, MB_DNN_CHOICES, &err) == MB_OK,
                       "%s: %lldx%lld %lld -> %lld, %lldx%lld, addend %lld: %s", gpu, (long long)c.width,
                       (long long)c.height, (long long)c.inputs, (long long)c.outputs, (long long)c.kw, (long long)c.kh,
                       (long long)c.addend_pitch, err.message)) {
            continue;
        }
        planned++;
        choices += p.n_choices;
        workspace = p.choices[0].workspace > workspace ? p.choices[0].workspace : workspace;
        if (verbose) {
            printf("  %s %s %4lldx%-4lld %4lld -> %-4lld %lldx%lld: engine %lld, workspace %lld\n", gpu,
                   mb_dtype_name(type), (long long)c.width, (long long)c.height, (long long)c.inputs,
                   (long long)c.outputs, (long long)c.kw, (long long)c.kh, (long long)p.choices[0].engine,
                   (long long)p.choices[0].workspace);
        }
        if (i == 0) {
            CHECK_OK(mb_dnn_write(&text, &bytes, &t, &p, &err), err);
            CHECK_OK(mb_dnn_read(&again, &t, text, bytes, &err), err);
            CHECK(again.choices[0].workspace == p.choices[0].workspace);
            mb_dnn_dispose(&again, api);
            mb_free(text);
        }
        mb_dnn_dispose(&p, api);
    }
    printf("%s %s%s: %d of %d convolutions planned, %d choices, largest workspace %.1f MB, %.0f ms\n", gpu,
           mb_dtype_name(type), tf32 ? " (tf32)" : "", planned, n - left, choices, (double)workspace * 1e-6,
           now_ms() - begin);
    if (device != NULL) {
        (void)api->desc_destroy(device);
    }
    mb_free(json);
}

static void *library;
static mb_dnn_api api;
static mb_dnn_conv convs[MOST];

SETUP
{
    verbose = getenv("MB_VERBOSE") != NULL;
    library = dlopen(MB_CUDNN_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        SKIP("no cuDNN here");
    }
    REQUIRE(mb_nvlib_fill(&api, library, symbols, sizeof symbols / sizeof symbols[0]) == NULL);
    if (api.version() < 90800) {
        SKIP("this cuDNN does not take described devices");
    }
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1); /* what goes to cuDNN is decided with the stand-ins */
    setenv("MATTEBOX_CACHE", "", 1);
    setenv("MATTEBOX_TUNE", "1000", 1); /* with the offset convolutions that cuDNN may win */
}

TEST(half_types)
{
    static const char *const gpus[] = {"sm_75", "sm_80", "sm_89", "sm_90"};
    const int n = collect_all(convs, MB_F16, false);
    for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
        plan_all(&api, gpus[i], convs, n, MB_F16, false);
    }
    plan_all(&api, "sm_80", convs, n, MB_BF16, false);
    plan_all(&api, "sm_90", convs, n, MB_BF16, false);
}

TEST(f32)
{
    const int n = collect_all(convs, MB_F32, false);
    plan_all(&api, "sm_80", convs, n, MB_F32, false);
    plan_all(&api, "sm_90", convs, n, MB_F32, false);
}

TEST(tf32)
{
    const int n = collect_all(convs, MB_F32, true);
    plan_all(&api, "sm_90", convs, n, MB_F32, true);
}
