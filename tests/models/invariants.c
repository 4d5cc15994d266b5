/* What must not change a bit: the number of threads, the position in a batch, what was in the arena before, where the
 * plan came from, and the file's precision beyond the rounding of its values. And: cancelling at every node. */
#include "core/alloc.h"
#include "graph/plan.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"
#include "writer.h"

#include <string.h>

#define SIZE 64

static mb_backend f32, bf16;

/* Runs `n` copies of one picture; the outputs of item `item`, one float a pixel. */
static bool run(float out[SIZE * SIZE], const mb_weights *w, const mb_backend *backend, int threads, int64_t n,
                int64_t item, int poison)
{
    mb_error err = {0};
    mb_pool *pool = NULL;
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    CHECK_OK(mb_pool_create(&pool, threads, &err), err);
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {pool, backend, 0, NULL};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, n, SIZE, SIZE, NULL, 0, &err), err);
    if (plan != NULL) {
        memset(plan->arena, poison, plan->stats.arena_bytes);
        mb_view in = mb_plan_view(plan, arch->input);
        for (int64_t i = 0; i < mb_view_count(&in); i++) {
            ((float *)in.data)[i] = (float)(i % (mb_view_count(&in) / n) * 2654435761u % 1000u) * 0.002f - 1.0f;
        }
        CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
        mb_view v = mb_plan_view(plan, arch->output);
        for (int64_t i = 0; i < SIZE * SIZE; i++) {
            out[i] = ((const float *)v.data)[(item * SIZE * SIZE + i) * v.pitch];
        }
    }
    bool ok = plan != NULL;
    mb_runner_free(runner);
    mb_pool_free(pool);
    return ok;
}

static void same_bits(const char *variant, uint64_t seed)
{
    static float first[SIZE * SIZE], other[SIZE * SIZE];
    mb_error err = {0};
    mb_weights *w = NULL;
    CHECK_OK(gen_weights(&w, variant, seed, &err), err);
    CHECK(run(first, w, &f32, 1, 1, 0, 0));
    for (int threads = 2; threads <= 5; threads += test_short() ? 3 : 1) {
        CHECK(run(other, w, &f32, threads, 1, 0, threads % 2 == 0 ? 0xFF : 0x7F));
        CHECK_MSG(memcmp(first, other, sizeof first) == 0, "%s: %d threads", variant, threads);
    }
    for (int64_t item = test_short() ? 2 : 0; item < 3; item++) {
        CHECK(run(other, w, &f32, 2, 3, item, 0xFF));
        CHECK_MSG(memcmp(first, other, sizeof first) == 0, "%s: item %d of a batch of 3", variant, (int)item);
    }
    mb_weights_free(w);
}

/* The same values, widened, in an f32 file. */
static mb_weights *widened(const mb_weights *w, void **bytes)
{
    mb_error err = {0};
    mbw_writer *to = NULL;
    mb_weights *out = NULL;
    size_t n = 0;
    CHECK_OK(mbw_writer_create(&to, &err), err);
    for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
        const char *key, *value;
        mb_weights_meta_at(w, i, &key, &value);
        CHECK_OK(mbw_writer_meta(to, key, value, &err), err);
    }
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        CHECK_OK(mbw_writer_tensor(to, t->name, MB_F32, t->rank, t->dims, &err), err);
    }
    CHECK_OK(mbw_writer_start_memory(to, &err), err);
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        size_t count = t->bytes / mb_dtype_size(t->dtype);
        float *v = mb_alloc_array(count, sizeof *v);
        mb_to_f32(v, t->data, t->dtype, count);
        CHECK_OK(mbw_writer_data(to, v, count * sizeof *v, &err), err);
        mb_free(v);
    }
    CHECK_OK(mbw_writer_finish_memory(to, bytes, &n, &err), err);
    CHECK_OK(mb_weights_open_memory(&out, *bytes, n, &err), err);
    mbw_writer_free(to);
    return out;
}

static void half_files(const char *variant, uint64_t seed, mb_dtype dtype)
{
    static float half[SIZE * SIZE], full[SIZE * SIZE];
    mb_error err = {0};
    mb_weights *w = NULL;
    void *bytes = NULL;
    CHECK_OK(gen_weights_as(&w, variant, seed, dtype, &err), err);
    mb_weights *f = widened(w, &bytes);
    CHECK(run(half, w, &f32, 2, 1, 0, 0) && run(full, f, &f32, 2, 1, 0, 0xFF));
    CHECK_MSG(memcmp(half, full, sizeof half) == 0, "%s in %s", variant, mb_dtype_name(dtype));
    CHECK(run(half, w, &bf16, 2, 1, 0, 0) && run(full, f, &bf16, 3, 1, 0, 0xFF));
    CHECK_MSG(memcmp(half, full, sizeof half) == 0, "%s in %s, products in 16 bits", variant, mb_dtype_name(dtype));
    mb_weights_free(f);
    mb_weights_free(w);
    mb_free_aligned(bytes);
}

typedef struct stopper {
    int calls, stop_at;
    double last;
    bool backwards;
} stopper;

static int stop(void *user, double done, const char *name)
{
    stopper *s = user;
    (void)name;
    s->backwards = s->backwards || done < s->last || done > 1.0000001;
    s->last = done;
    return s->calls++ == s->stop_at;
}

TEST(cancel_everywhere)
{
    mb_error err = {0};
    mb_weights *w = NULL;
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    CHECK_OK(gen_weights(&w, "vitmatte_tiny4", 4, &err), err);
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {NULL, &f32, 0, NULL};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err), err);
    int n = mb_plan_n_nodes(plan);
    mb_view in = mb_plan_view(plan, "input");
    memset(in.data, 0, (size_t)mb_view_count(&in) * sizeof(float));
    for (int at = 0; at <= n; at++) {
        stopper s = {.stop_at = at};
        err = (mb_error){0};
        CHECK_MSG(mb_plan_run(plan, stop, &s, &err) == MB_E_CANCELLED && err.code == MB_E_CANCELLED, "node %d", at);
        CHECK(s.calls == at + 1 && !s.backwards);
    }
    stopper s = {.stop_at = -1};
    CHECK_OK(mb_plan_run(plan, stop, &s, &err), err);
    CHECK(s.calls == n + 1 && s.last == 1.0);
    size_t before = mb_alloc_count();
    CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
    CHECK_MSG(mb_alloc_count() == before, "the loop allocates");
    options.max_bytes = 1000;
    mb_runner *small = NULL;
    CHECK_OK(mb_runner_create(&small, w, arch->record, &options, &err), err);
    err = (mb_error){0};
    CHECK(mb_runner_plan(&plan, small, 1, SIZE, SIZE, NULL, 0, &err) == MB_E_MEMORY && plan == NULL);
    mb_runner_free(small);
    mb_runner_free(runner);
    mb_weights_free(w);
}

static const struct {
    const char *name; /* of generated weights */
    uint64_t seed;
    mb_dtype half;
} variants[] = {{"tiny7", 1, MB_F16},
                {"tiny_legacy_columns", 1, MB_BF16},
                {"vitmatte_tiny4", 4, MB_F16},
                {"vitmatte_tiny14", 12, MB_BF16},
                {"tiny_dino_plus", 1, MB_F16}};

TEST_ROWS(same_bits, variants)
{
    same_bits(row->name, row->seed);
}

TEST_ROWS(half_files, variants)
{
    half_files(row->name, row->seed, row->half);
}

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_backend_cpu(&f32, &err), err);
    REQUIRE_OK(mb_backend_cpu_bf16(&bf16, &err), err);
}
