/* NaN in any tensor of a model reaches its result (no activation or clamp turns it into a number on the way) or is seen
 * before, and the node that is named is the one that uses the tensor. */
#include "core/alloc.h"
#include "graph/runner.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZE 32
/* Sanitizers look at memory, which every tensor uses alike: they see a part of them. So does test_short(). */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FEW true
#else
#define FEW test_short()
#endif

static void fill(const mb_plan *plan, const mb_architecture *arch)
{
    mb_view in = mb_plan_view(plan, arch->input);
    for (int64_t i = 0; i < mb_view_count(&in); i++) {
        ((float *)in.data)[i] = (float)((uint64_t)i * 2654435761u % 1000u) * 0.002F - 1.0F;
    }
}

/* Runs; whether the result is finite. If not, `said` is what is said of it. */
static bool is_finite(const mb_weights *w, const mb_backend *backend, char said[512])
{
    mb_error err = {0};
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    bool finite = true;
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {NULL, backend, 0, NULL};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    if (mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err) != MB_OK) { /* seen before any run */
        CHECK_MSG(err.code == MB_E_FORMAT, "%s", err.message);
        (void)snprintf(said, 512, "%.511s", err.message);
        finite = false;
    }
    if (plan != NULL) {
        fill(plan, arch);
        CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
        finite = mb_plan_is_finite(plan);
        if (!finite) {
            fill(plan, arch);
            CHECK(mb_plan_explain(plan, NULL, &err) == MB_E_FORMAT);
            (void)snprintf(said, 512, "%.511s", err.message);
        }
    }
    mb_runner_free(runner);
    return finite;
}

/* The part of a tensor's name that its node must have: "decoder.decoder_block1.dec_att" of whatever lies in it. */
static bool names_its_node(const char *said, const char *tensor)
{
    const char *dot = strchr(tensor, '.');
    char top[100];
    (void)snprintf(top, sizeof top, "%.*s", dot != NULL ? (int)(dot - tensor) : 99, tensor);
    return strncmp(said, "the model gave ", 15) == 0 && strstr(said, top) != NULL;
}

static void poison_all(const char *variant, size_t each, const mb_backend *backend)
{
    const size_t step = FEW ? 6 * each : each;
    mb_error err = {0};
    mb_weights *w = NULL;
    char said[512] = "";
    size_t n = 0, lost = 0;
    CHECK_OK(gen_weights(&w, variant, 3, &err), err);
    CHECK(is_finite(w, backend, said));
    for (size_t i = 0; i < mb_weights_count(w); i += step) {
        const mb_tensor *t = mb_weights_at(w, i);
        float *v = (float *)(uintptr_t)t->data, kept[4];
        const size_t last = t->bytes / sizeof *v - 1, middle = last / 2;
        memcpy(kept, (float[4]){v[0], v[middle], v[last], 0}, sizeof kept);
        v[0] = v[middle] = v[last] = NAN;
        bool finite = is_finite(w, backend, said);
        lost += finite;
        CHECK_MSG(!finite, "%s: NaN in %s leaves a finite result", variant, t->name);
        CHECK_MSG(finite || names_its_node(said, t->name), "%s: %s: %s", variant, t->name, said);
        v[last] = kept[2];
        v[middle] = kept[1];
        v[0] = kept[0];
        n++;
    }
    printf("%s: %zu tensors poisoned, %zu without a sign\n", variant, n, lost);
    mb_weights_free(w);
}

static mb_backend cpu;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_backend_cpu(&cpu, &err), err);
}

TEST(vitmatte)
{
    poison_all("vitmatte_tiny4", 1, &cpu);
}

TEST(birefnet)
{
    poison_all("tiny7", 7, &cpu);
}

TEST(birefnet_with_dino_v3)
{
    poison_all("tiny_dino_plus", 59, &cpu);
}
