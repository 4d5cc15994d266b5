/* A BiRefNet without batch norms, as training with one picture at a time leaves it: the same as one whose norms are
 * identities (weight 1, bias 0, mean 0, variance 1 - eps), which the reference kernels compute without any pass. */
#include "core/alloc.h"
#include "graph/runner.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"
#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZE 64

static bool run(float out[SIZE * SIZE], const mb_weights *w, const mb_backend *backend, const char *passes)
{
    mb_error err = {0};
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    uint8_t image[SIZE * SIZE * 3];
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {NULL, backend, 0, passes};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err), err);
    if (plan != NULL) {
        mb_view in = mb_plan_view(plan, arch->input);
        gen_image(image, 5, SIZE, SIZE, 0);
        for (int i = 0; i < SIZE * SIZE * 3; i++) {
            ((float *)in.data)[i / 3 * in.pitch + i % 3] = ((float)image[i] / 255.0F - 0.45F) / 0.225F;
        }
        CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
        mb_view v = mb_plan_view(plan, arch->output);
        for (int64_t i = 0; i < SIZE * SIZE; i++) {
            out[i] = ((const float *)v.data)[i * v.pitch];
        }
    }
    bool ok = plan != NULL;
    mb_runner_free(runner);
    return ok;
}

/* Makes every batch norm of generated weights (memory of the test's own) the identity; how many there are. */
static int make_identities(mb_weights *w)
{
    int n = 0;
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *mean = mb_weights_at(w, i);
        const char *end = strstr(mean->name, ".running_mean");
        static const struct {
            const char *name;
            float value;
        } parts[] = {{"weight", 1}, {"bias", 0}, {"running_mean", 0}, {"running_var", 1 - 1e-5F}};
        for (int k = 0; end != NULL && k < 4; k++) {
            char name[200];
            (void)snprintf(name, sizeof name, "%.*s.%s", (int)(end - mean->name), mean->name, parts[k].name);
            const mb_tensor *t = mb_weights_find(w, name);
            CHECK(t != NULL && t->dtype == MB_F32);
            float *v = t != NULL ? (float *)(uintptr_t)t->data : NULL;
            for (size_t e = 0; v != NULL && e < t->bytes / sizeof *v; e++) {
                v[e] = parts[k].value;
            }
        }
        n += end != NULL;
    }
    return n;
}

static void same_as_identities(const char *variant, int n_norms)
{
    static float want[SIZE * SIZE], got[SIZE * SIZE];
    static const char *const ways[] = {"none", NULL};
    char name[60];
    mb_error err = {0};
    mb_weights *with = NULL, *without = NULL;
    mb_backend reference, cpu;
    mb_backend_ref(&reference);
    CHECK_OK(mb_backend_cpu(&cpu, &err), err);
    (void)snprintf(name, sizeof name, "%s_batch1", variant);
    CHECK_OK(gen_weights(&with, variant, 3, &err), err);
    CHECK_OK(gen_weights(&without, name, 3, &err), err);
    CHECK_MSG(make_identities(with) == n_norms, "%s: %d norms", variant, n_norms);
    CHECK_MSG(mb_weights_count(with) - mb_weights_count(without) == 4 * (size_t)n_norms, "%s: %zu tensors less",
              variant, mb_weights_count(with) - mb_weights_count(without));
    CHECK(run(want, with, &reference, "none"));
    double largest = 0, spread = 0;
    for (int i = 0; i < SIZE * SIZE; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        spread = fmax(spread, fabs((double)want[i] - (double)want[0]));
    }
    CHECK_MSG(isfinite(largest) && spread > 1e-3 * largest, "%s: the outputs are numbers and differ: %g %g", variant,
              largest, spread);
    for (int k = 0; k < 4; k++) {
        double off = 0;
        CHECK(run(got, without, k < 2 ? &reference : &cpu, ways[k % 2]));
        for (int i = 0; i < SIZE * SIZE; i++) {
            off = fmax(off, fabs((double)got[i] - (double)want[i]));
        }
        CHECK_MSG(off <= 2e-5 * largest, "%s, way %d: off by %.3g of %.3g", variant, k, off, largest);
        printf("%-12s way %d: off by %.2e of %.3g\n", variant, k, off, largest);
    }
    mb_weights_free(with);
    mb_weights_free(without);
}

/* Without the note in the metadata a missing norm is a missing tensor, and an unknown kind is refused. */
static void refused(const char *identities)
{
    mb_error err = {0};
    mb_weights *from = NULL, *w = NULL;
    mbw_writer *to = NULL;
    void *bytes = NULL;
    size_t n = 0;
    mb_backend reference;
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    mb_backend_ref(&reference);
    CHECK_OK(gen_weights(&from, "tiny7_batch1", 3, &err), err);
    CHECK_OK(mbw_writer_create(&to, &err), err);
    for (size_t i = 0; i < mb_weights_meta_count(from); i++) {
        const char *key, *value;
        mb_weights_meta_at(from, i, &key, &value);
        const char *text = strcmp(key, "arch.identities") == 0 ? identities : value;
        CHECK_OK(text != NULL ? mbw_writer_meta(to, key, text, &err) : MB_OK, err);
    }
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        const mb_tensor *t = mb_weights_at(from, i);
        CHECK_OK(mbw_writer_tensor(to, t->name, t->dtype, t->rank, t->dims, &err), err);
    }
    CHECK_OK(mbw_writer_start_memory(to, &err), err);
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        CHECK_OK(mbw_writer_data(to, mb_weights_at(from, i)->data, mb_weights_at(from, i)->bytes, &err), err);
    }
    CHECK_OK(mbw_writer_finish_memory(to, &bytes, &n, &err), err);
    CHECK_OK(mb_weights_open_memory(&w, bytes, n, &err), err);
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {NULL, &reference, 0, NULL};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    mb_status status = mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err);
    CHECK_MSG(status == MB_E_FORMAT || status == MB_E_MISMATCH, "%s: %d %s", identities != NULL ? identities : "none",
              status, err.message);
    mb_runner_free(runner);
    mb_weights_free(w);
    mb_weights_free(from);
    mb_free_aligned(bytes);
    mbw_writer_free(to);
}

TEST(same_as_identities_v2)
{
    same_as_identities("tiny7", 43);
}

TEST(same_as_identities_v1)
{
    same_as_identities("tiny_legacy", 32);
}

TEST(refused)
{
    refused(NULL);
    refused("bn,bn_in,bn_out,bn1,global_avg_pool.2");
    refused("bn,bn_in,bn_out,bn1,global_avg_pool.2,gdt_convs.1,bn_other");
}
