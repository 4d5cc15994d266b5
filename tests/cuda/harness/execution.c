/* How plans run on a device, on the stand-ins: captured graphs give the bits of single launches, libraries and our own
 * kernels replace each other, choices come back from the disk, precision is what was asked for, and what will not fit
 * is refused before work. */
#define _GNU_SOURCE /* setenv, mkdtemp */
#include "core/alloc.h"
#include "device.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "on_standins.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(capture)
{
    runs = RUNS;
    outcome *o = run(MB_F32, false);
    CHECK_OK(o->status, o->err);
    CHECK_MSG(o->launches == RUNS - 1 && o->recorded > 50, "%d launches of %d works", o->launches, o->recorded);
    CHECK(memcmp(o->logits[0], o->logits[2], sizeof o->logits[0]) == 0);
    CHECK(memcmp(o->logits[1], o->logits[3], sizeof o->logits[0]) == 0);
    CHECK(memcmp(o->logits[0], o->logits[1], sizeof o->logits[0]) != 0);
    static const char *const off[][2] = {{"MATTEBOX_CUDA_GRAPH", "off"},
                                         {"MATTEBOX_CUDA_SYNC", "1"},
                                         {"MB_STANDIN_FAIL_CAPTURE", "1"},
                                         {"MB_STANDIN_FAIL_CAPTURE", "2"}};
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        outcome *eager = run_with(off[i][0], off[i][1], MB_F32);
        CHECK_OK(eager->status, eager->err);
        CHECK_MSG(eager->launches == 0 && same_bits(eager, o), "%s=%s", off[i][0], off[i][1]);
    }
    outcome *unpinned = run_with("MB_STANDIN_FAIL_PINNED", "1", MB_F32);
    CHECK_OK(unpinned->status, unpinned->err);
    CHECK(same_bits(unpinned, o));
    runs = 1;
}

/* Each library does its part where it is there, and is replaced where it is not, or not fit. */
TEST(libraries)
{
    static const struct {
        const char *variable, *value;
        bool blaslt, dnn;
    } rows[] = {
        {"MATTEBOX_CUBLASLT", "off", false, true},        {"MATTEBOX_CUDNN", "off", true, false},
        {"MB_STANDIN_LT_START", "1", false, true},        {"MB_STANDIN_DNN_START", "1001", true, false},
        {"MB_STANDIN_LT_VERSION", "110000", false, true}, {"MB_STANDIN_DNN_VERSION", "80900", true, false},
        {"MB_STANDIN_LT_CUDART", "14000", false, true},   {"MB_STANDIN_DNN_CUDART", "14000", true, false},
        {"MB_STANDIN_DNN_NONE", "1", true, false},        {"MB_STANDIN_DNN_NONE", "2", true, false},
        {"MB_STANDIN_LT_NONE", "1", true, true}, /* planned, then our own kernel runs */
    };
    outcome *all = run(MB_F32, false);
    CHECK_OK(all->status, all->err);
    CHECK_MSG(all->by_blaslt > 20 && all->by_dnn > 5, "%d and %d nodes", all->by_blaslt, all->by_dnn);
    static outcome kept;
    kept = *all;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        outcome *o = run_with(rows[i].variable, rows[i].value, MB_F32);
        CHECK_OK(o->status, o->err);
        CHECK_MSG((o->by_blaslt > 0) == rows[i].blaslt && (o->by_dnn > 0) == rows[i].dnn, "%s=%s: %d and %d nodes",
                  rows[i].variable, rows[i].value, o->by_blaslt, o->by_dnn);
        double far = apart(o, &kept);
        CHECK_MSG(far < 1e-4, "%s=%s: %g", rows[i].variable, rows[i].value, far);
    }
}

TEST(notes)
{
    static const struct {
        const char *variable, *value, *note;
    } rows[] = {
        {"MATTEBOX_CUDNN", "off", "cuDNN is switched off (MATTEBOX_CUDNN)"},
        {"MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER "/broken:" MB_STANDIN_FOLDER,
         "cuDNN is too old: it has no cudnnCreate"},
        {"MB_STANDIN_DNN_VERSION", "80900", "cuDNN 80900 is too old (90000 or newer is needed)"},
        {"MB_STANDIN_LT_CUDART", "14000", "cuBLASLt 130100 is made for CUDA 14, newer than the driver"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char before[512];
        const char *old = getenv(rows[i].variable);
        (void)snprintf(before, sizeof before, "%s", old != NULL ? old : "");
        setenv(rows[i].variable, rows[i].value, 1);
        mb_device_report report;
        mb_error err;
        CHECK_OK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_CUDA, 0}, &err), err);
        CHECK_MSG(strcmp(report.note, rows[i].note) == 0, "%s: %s", rows[i].variable, report.note);
        if (old != NULL) {
            setenv(rows[i].variable, before, 1);
        } else {
            unsetenv(rows[i].variable);
        }
    }
}

/* Strict f32 is never TF32 unasked; asked for, it shows. */
TEST(tf32)
{
    outcome *strict = run(MB_F32, false), *tf32 = run(MB_F32, true);
    CHECK_OK(tf32->status, tf32->err);
    outcome *own = run_with("MATTEBOX_CUBLASLT", "off", MB_F32);
    double rounding = apart(tf32, strict);
    CHECK_MSG(rounding > 1e-5 && rounding < 2e-2, "%g", rounding);
    CHECK_MSG(apart(own, strict) < 1e-5, "%g", apart(own, strict));
}

static int count_files(const char *folder, char *name, size_t bytes)
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            n++;
            (void)snprintf(name, bytes, "%s/%s", folder, e->d_name);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return n;
}

/* The first process writes what the libraries chose; a second one does not ask them again; damage is no harm. */
TEST(cache)
{
    char folder[] = "/tmp/mattebox-plans-XXXXXX", file[600] = "";
    static outcome first;
    CHECK(mkdtemp(folder) != NULL);
    setenv("MATTEBOX_CACHE", folder, 1);
    setenv("MATTEBOX_TUNE", "off", 1); /* timing has seconds at most, so what it chooses depends on the load */
    first = *run(MB_F32, false);
    CHECK_OK(first.status, first.err);
    CHECK_MSG(count_files(folder, file, sizeof file) == 1, "%s", file);
    outcome *second = run_with("MB_STANDIN_DNN_NONE", "2", MB_F32); /* the heuristics would give nothing now */
    CHECK_MSG(second->by_dnn == first.by_dnn && same_bits(second, &first), "%d of %d", second->by_dnn, first.by_dnn);
    for (int damage = 0; damage < 3; damage++) {
        FILE *f = fopen(file, damage == 2 ? "w" : "r+");
        if (CHECK(f != NULL)) {
            (void)fseek(f, damage == 0 ? 3 : 5000, SEEK_SET); /* the magic; a plan; everything */
            (void)fputs("damage", f);
            (void)fclose(f);
        }
        outcome *o = run(MB_F32, false);
        CHECK_OK(o->status, o->err);
        CHECK_MSG(same_bits(o, &first) && o->by_dnn == first.by_dnn, "damage %d", damage);
    }
    (void)remove(file);
    (void)remove(folder);
    outcome *nowhere = run(MB_F32, false); /* the folder is gone: made again */
    CHECK(nowhere->status == MB_OK);
    (void)remove(file);
    (void)remove(folder);
    setenv("MATTEBOX_CACHE", "/dev/null/nowhere", 1);
    nowhere = run(MB_F32, false);
    CHECK_MSG(nowhere->status == MB_OK && same_bits(nowhere, &first), "%s", nowhere->err.message);
    setenv("MATTEBOX_CACHE", "", 1);
    unsetenv("MATTEBOX_TUNE");
}

TEST(room)
{
    outcome *o = run_with("MB_STANDIN_TOTAL", "90000000", MB_F32);
    CHECK_MSG(o->status == MB_E_MEMORY && strncmp(o->err.message, "CUDA: needs ", 12) == 0 &&
                  strstr(o->err.message, "(activations and workspaces ") != NULL &&
                  strstr(o->err.message, " 90 MB free on device 0 \"Stand-in 0\"\n") != NULL &&
                  strstr(o->err.message, "device=cpu") != NULL,
              "%s", o->err.message);
}

/* An input that f16 cannot hold: the check names the first node that shows it. */
TEST(finite)
{
    mb_backend b = {0};
    mb_error err = {0};
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    setenv("MATTEBOX_CHECK", "finite", 1);
    CHECK_OK(mb_backend_cuda_open(&b, 0, MB_F16, &err), err);
    mb_runner_options options = {NULL, &b, 0, NULL};
    CHECK_OK(mb_registry_find(&arch, weights, &err), err);
    CHECK_OK(mb_runner_create(&runner, weights, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIDE, SIDE, NULL, 0, &err), err);
    mb_view in = mb_plan_view(plan, "input");
    fill(in, 0);
    CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
    ((float *)in.data)[5] = 1e6f;
    mb_status s = mb_plan_run(plan, NULL, NULL, &err);
    CHECK_MSG(s == MB_E_INTERNAL && strstr(err.message, "are not finite") != NULL && strstr(err.message, "f16") != NULL,
              "%d %s", s, err.message);
    mb_runner_free(runner);
    mb_backend_cuda_close(&b);
    unsetenv("MATTEBOX_CHECK");
}

/* f16 overflows: the run is repeated in bf16 (f32 on sm_75), the warning names the node, the result is that of the
 * wider type. */
static void test_rerun(const char *sm, const char *wider)
{
    mb_backend b = {0}, b32 = {0};
    mb_error err = {0};
    mb_runner *runner = NULL, *exact = NULL;
    mb_plan *plan = NULL, *plan32 = NULL;
    const mb_architecture *arch = NULL;
    setenv("MB_STANDIN_SM", sm, 1);
    CHECK_OK(mb_backend_cuda_open(&b, 0, MB_F16, &err), err);
    b32 = b;
    CHECK_OK(mb_backend_cuda_set_types(&b32, MB_F32, false, &err), err);
    mb_runner_options options = {NULL, &b, 0, NULL}, options32 = {NULL, &b32, 0, NULL};
    CHECK_OK(mb_registry_find(&arch, weights, &err), err);
    CHECK_OK(mb_runner_create(&runner, weights, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_create(&exact, weights, arch->record, &options32, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIDE, SIDE, NULL, 0, &err), err);
    CHECK_OK(mb_runner_plan(&plan32, exact, 1, SIDE, SIDE, NULL, 0, &err), err);
    fill(mb_plan_view(plan, "input"), 0);
    CHECK_OK(mb_runner_run(runner, plan, NULL, NULL, &err), err);
    CHECK_MSG(mb_runner_warning(runner)[0] == '\0', "%s", mb_runner_warning(runner));
    ((float *)mb_plan_view(plan, "input").data)[5] = 7e4f; /* infinite in f16 */
    memcpy(mb_plan_view(plan32, "input").data, mb_plan_view(plan, "input").data, 3 * PIXELS * sizeof(float));
    CHECK_OK(mb_runner_run(runner, plan, NULL, NULL, &err), err);
    CHECK_OK(mb_plan_run(plan32, NULL, NULL, &err), err);
    char end[64];
    (void)snprintf(end, sizeof end, "; computed again in %s", wider);
    CHECK_MSG(strncmp(mb_runner_warning(runner), "f16 overflowed: ", 16) == 0 &&
                  strstr(mb_runner_warning(runner), "are not finite") != NULL &&
                  strstr(mb_runner_warning(runner), end) != NULL,
              "%s", mb_runner_warning(runner));
    double most = 0, size = 0;
    const float *got = mb_plan_view(plan, "logits").data, *want = mb_plan_view(plan32, "logits").data;
    for (int i = 0; i < PIXELS; i++) {
        most = fmax(most, isfinite(got[i]) ? fabs((double)got[i] - (double)want[i]) : INFINITY);
        size = fmax(size, fabs((double)want[i]));
    }
    CHECK_MSG(most < 0.2 * size, "%g of %g", most, size);
    mb_runner_free(runner);
    mb_runner_free(exact);
    mb_backend_cuda_close(&b);
    unsetenv("MB_STANDIN_SM");
    CHECK_MSG(ask_standin("mb_standin_open") == 0, "%d left open", ask_standin("mb_standin_open"));
}

/* The same with every node kept, more than any fixed list would hold: each shows what the fallback type gave. */
TEST(rerun_taps)
{
    static const char *const all[] = {"all"};
    mb_backend b = {0}, b16 = {0};
    mb_error err = {0};
    mb_runner *runner = NULL, *fallback = NULL;
    mb_plan *plan = NULL, *want = NULL;
    const mb_architecture *arch = NULL;
    CHECK_OK(mb_backend_cuda_open(&b, 0, MB_F16, &err), err);
    b16 = b;
    CHECK_OK(mb_backend_cuda_set_types(&b16, MB_BF16, false, &err), err);
    mb_runner_options options = {NULL, &b, 0, NULL}, options16 = {NULL, &b16, 0, NULL};
    CHECK_OK(mb_registry_find(&arch, weights, &err), err);
    CHECK_OK(mb_runner_create(&runner, weights, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_create(&fallback, weights, arch->record, &options16, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIDE, SIDE, all, 1, &err), err);
    CHECK_OK(mb_runner_plan(&want, fallback, 1, SIDE, SIDE, all, 1, &err), err);
    fill(mb_plan_view(plan, "input"), 0);
    ((float *)mb_plan_view(plan, "input").data)[5] = 7e4f; /* infinite in f16 */
    memcpy(mb_plan_view(want, "input").data, mb_plan_view(plan, "input").data, 3 * PIXELS * sizeof(float));
    CHECK_OK(mb_runner_run(runner, plan, NULL, NULL, &err), err);
    CHECK_OK(mb_plan_run(want, NULL, NULL, &err), err);
    int n = mb_plan_n_taps(plan), stale = 0;
    CHECK_MSG(n > 100 && n == mb_plan_n_taps(want), "%d taps", n);
    for (int i = 0; i < n; i++) {
        const char *name = mb_plan_tap_name(plan, i);
        mb_view got = mb_plan_view(plan, name), expected = mb_plan_view(want, name);
        stale += memcmp(got.data, expected.data, (size_t)mb_view_count(&got) * sizeof(float)) != 0;
    }
    CHECK_MSG(stale == 0, "%d of %d taps are not those of the repeated run", stale, n);
    mb_runner_free(runner);
    mb_runner_free(fallback);
    mb_backend_cuda_close(&b);
}

typedef struct thread_job {
    mb_backend *b;
    outcome o;
} thread_job;

static void *run_thread(void *arg)
{
    thread_job *j = arg;
    j->o.status = run_on(&j->o, j->b, &j->o.err);
    return NULL;
}

/* Two networks of one device in two threads. */
TEST(threads)
{
    static thread_job jobs[2];
    pthread_t threads[2];
    mb_backend b = {0};
    mb_error err = {0};
    runs = 3;
    outcome *alone = run(MB_F32, false);
    CHECK_OK(mb_backend_cuda_open(&b, 0, MB_F32, &err), err);
    for (int i = 0; i < 2; i++) {
        jobs[i].b = &b;
        CHECK(pthread_create(&threads[i], NULL, run_thread, &jobs[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
        CHECK_OK(jobs[i].o.status, jobs[i].o.err);
        CHECK(same_bits(&jobs[i].o, alone));
    }
    mb_backend_cuda_close(&b);
}

TEST(overflow_on_sm_90)
{
    test_rerun("90", "bf16");
}

TEST(overflow_on_sm_75)
{
    test_rerun("75", "f32");
}

static mb_weights *owned;

SETUP
{
    mb_error err;
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
    setenv("MATTEBOX_CACHE", "", 1);
    REQUIRE_OK(gen_weights(&owned, "tiny7", 1, &err), err);
    weights = owned;
}

TEARDOWN
{
    mb_weights_free(owned);
}
