/* What is remembered and what is repeated: the plan cache in words, and a model run again and again. */
#define _GNU_SOURCE
#include "kit.h"

#include "core/alloc.h"
#include "core/file.h"
#include "cuda/backend.h"
#include "cuda/driver/tune.h"
#include "cuda/vendor/plan_cache.h"
#include "models/registry.h"
#include "weights/reader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int kit_plans(const char *folder)
{
    int files = 0;
    DIR *d = opendir(folder);
    (void)setenv("MATTEBOX_CACHE", folder, 1);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        char title[256];
        size_t n = strlen(e->d_name), at = 0, bytes = 0;
        uint32_t kind = 0;
        mb_plan_cache *c = NULL;
        mb_error err = {0};
        if (n < 7 || n >= sizeof title || strcmp(e->d_name + n - 6, ".plans") != 0) {
            continue;
        }
        (void)snprintf(title, sizeof title, "%.*s", (int)(n - 6), e->d_name);
        if (mb_plan_cache_open(&c, title, &err) != MB_OK) {
            continue;
        }
        files++;
        const void *value;
        while ((value = mb_plan_cache_at(c, &at, &kind, &bytes)) != NULL) {
            mb_cuda_choice choice;
            if (bytes < sizeof choice) {
                continue;
            }
            memcpy(&choice, value, sizeof choice);
            printf("{\"choice\":\"%.59s\",\"kind\":%u,\"timed\":%u,\"own\":%u,\"proposal\":%d,\"first_ms\":%.4f,\"ms\":"
                   "%.4f}\n",
                   choice.what, kind, choice.timed, choice.own, choice.index, (double)choice.first_ms,
                   (double)choice.ms);
        }
        mb_plan_cache_close(c);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    printf("{\"plan files\":%d}\n", files);
    return 0;
}

/* Fills the input with waves and noise. */
static void fill_input(mb_view in)
{
    uint32_t state = 12345;
    float *v = in.data;
    for (int64_t i = 0; i < mb_view_count(&in); i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
}

static mb_status repeat(const mb_weights *w, mb_backend *b, int64_t side, int runs, mb_error *err)
{
    mb_status status = MB_OK;
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    float *first = NULL;
    int different = 0;
    mb_runner_options options = {NULL, b, 0, NULL};
    MB_TRY(mb_registry_find(&arch, w, err));
    MB_TRY(mb_runner_create(&runner, w, arch->record, &options, err));
    MB_TRY(mb_runner_plan(&plan, runner, 1, side, side, NULL, 0, err));
    const char *name = mb_plan_tap_name(plan, 0);
    size_t count = 0;
    for (int r = 0; r < runs; r++) { /* launch by launch, recorded, replayed */
        fill_input(mb_plan_view(plan, "input"));
        MB_TRY(mb_plan_run(plan, NULL, NULL, err));
        mb_view out = mb_plan_view(plan, name);
        count = (size_t)mb_view_count(&out);
        if (r == 0) {
            first = mb_alloc_array(count, sizeof *first);
            if (first == NULL) {
                status = mb_fail_memory(err, count * sizeof *first, name);
                goto done;
            }
            memcpy(first, out.data, count * sizeof *first);
        }
        different += memcmp(first, out.data, count * sizeof *first) != 0;
    }
    printf("{\"repeat\":\"%s\",\"values\":%zu,\"runs\":%d,\"different\":%d}\n", name, count, runs, different);
    if (different > 0) {
        status = mb_fail(err, MB_E_INTERNAL, "%d of %d runs gave other bits than the first", different, runs);
    }
done:
    mb_free(first);
    mb_runner_free(runner);
    return status;
}

int kit_repeat(char **args)
{
    mb_weights *w = NULL;
    mb_backend b = {0};
    mb_error err = {0};
    mb_dtype t = strcmp(args[1], "f16") == 0 ? MB_F16 : (strcmp(args[1], "bf16") == 0 ? MB_BF16 : MB_F32);
    mb_status status = mb_weights_open(&w, args[0], &err);
    if (status == MB_OK) {
        status = mb_backend_cuda_open(&b, 0, t, &err);
    }
    if (status == MB_OK) {
        status = repeat(w, &b, strtol(args[2], NULL, 10), (int)strtol(args[3], NULL, 10), &err);
        mb_backend_cuda_close(&b);
    }
    mb_weights_free(w);
    if (status != MB_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    return status != MB_OK;
}
