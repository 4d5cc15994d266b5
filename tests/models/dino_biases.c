/* Other builds of DINOv3 have q_bias and v_bias in every attention, which are added to q and v; the key has none. A file
 * with them gives the bits of one whose qkv layer has the three joined, and other ones than a file without. */
#include "core/alloc.h"
#include "graph/runner.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "models/registry.h"
#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZE     32
#define CHANNELS 128
#define DEPTH    12

typedef enum kind { WITHOUT, APART, JOINED, KINDS } kind;

static mb_backend cpu;
static float bias[DEPTH][3 * CHANNELS];

/* The biases of block i, to what is open: names and shapes (data NULL), or values. */
static void add_biases(mbw_writer *to, int i, kind k, bool values)
{
    static const struct {
        kind kind;
        const char *name;
        int first, n;
    } parts[] = {{APART, "q_bias", 0, CHANNELS},
                 {APART, "v_bias", 2 * CHANNELS, CHANNELS},
                 {JOINED, "qkv.bias", 0, 3 * CHANNELS}};
    mb_error err = {0};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        char name[100];
        (void)snprintf(name, sizeof name, "bb.model.blocks.%d.attn.%s", i, parts[p].name);
        if (parts[p].kind == k && values) {
            CHECK_OK(mbw_writer_data(to, bias[i] + parts[p].first, (size_t)parts[p].n * sizeof(float), &err), err);
        } else if (parts[p].kind == k) {
            CHECK_OK(mbw_writer_tensor(to, name, MB_F32, 1, (const int64_t[]){parts[p].n}, &err), err);
        }
    }
}

/* A copy of generated weights in memory, with biases. */
static void build(mb_weights **out, void **bytes, const mb_weights *from, kind k)
{
    mb_error err = {0};
    mbw_writer *to = NULL;
    size_t n = 0;
    CHECK_OK(mbw_writer_create(&to, &err), err);
    for (size_t i = 0; i < mb_weights_meta_count(from); i++) {
        const char *key, *value;
        mb_weights_meta_at(from, i, &key, &value);
        CHECK_OK(mbw_writer_meta(to, key, value, &err), err);
    }
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        const mb_tensor *t = mb_weights_at(from, i);
        CHECK_OK(mbw_writer_tensor(to, t->name, t->dtype, t->rank, t->dims, &err), err);
    }
    for (int i = 0; i < DEPTH; i++) {
        add_biases(to, i, k, false);
    }
    CHECK_OK(mbw_writer_start_memory(to, &err), err);
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        CHECK_OK(mbw_writer_data(to, mb_weights_at(from, i)->data, mb_weights_at(from, i)->bytes, &err), err);
    }
    for (int i = 0; i < DEPTH; i++) {
        add_biases(to, i, k, true);
    }
    CHECK_OK(mbw_writer_finish_memory(to, bytes, &n, &err), err);
    CHECK_OK(mb_weights_open_memory(out, *bytes, n, &err), err);
    mbw_writer_free(to);
}

static void run(float out[SIZE * SIZE], const mb_weights *w)
{
    mb_error err = {0};
    mb_runner *runner = NULL;
    mb_plan *plan = NULL;
    const mb_architecture *arch = NULL;
    CHECK_OK(mb_registry_find(&arch, w, &err), err);
    mb_runner_options options = {NULL, &cpu, 0, NULL};
    CHECK_OK(mb_runner_create(&runner, w, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err), err);
    if (plan != NULL) {
        mb_view in = mb_plan_view(plan, arch->input), v = mb_plan_view(plan, arch->output);
        for (int64_t i = 0; i < mb_view_count(&in); i++) {
            ((float *)in.data)[i / 3 * in.pitch + i % 3] = sinf((float)i);
        }
        CHECK_OK(mb_plan_run(plan, NULL, NULL, &err), err);
        for (int64_t i = 0; i < SIZE * SIZE; i++) {
            out[i] = ((const float *)v.data)[i * v.pitch];
        }
    }
    mb_runner_free(runner);
}

TEST(apart_as_joined)
{
    static float out[KINDS][SIZE * SIZE];
    mb_error err = {0};
    mb_weights *from = NULL;
    REQUIRE_OK(mb_backend_cpu(&cpu, &err), err);
    for (int i = 0; i < DEPTH * 3 * CHANNELS; i++) {
        (&bias[0][0])[i] = i / CHANNELS % 3 == 1 ? 0.0F : cosf((float)i);
    }
    REQUIRE_OK(gen_weights(&from, "tiny_dino", 3, &err), err);
    for (int k = 0; k < KINDS; k++) {
        mb_weights *w = NULL;
        void *bytes = NULL;
        build(&w, &bytes, from, (kind)k);
        run(out[k], w);
        mb_weights_free(w);
        mb_free_aligned(bytes);
    }
    mb_weights_free(from);
    CHECK(memcmp(out[APART], out[JOINED], sizeof out[APART]) == 0);
    CHECK(isfinite(out[APART][0]) && memcmp(out[APART], out[WITHOUT], sizeof out[APART]) != 0);
}
