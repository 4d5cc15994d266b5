/* F2: a tiny network with changed numbers: weights (any bits, NaN among them) and the metadata that say what it is. It is
 * refused with a message, or planned within the limit and run; a result that is not finite is seen and explained. */
#include "core/alloc.h"
#include "core/hash.h"
#include "fuzz.h"
#include "graph/runner.h"
#include "harness/genweights.h"
#include "models/registry.h"
#include "weights/format.h"
#include "writer.h"

#include <math.h>
#include <string.h>

#define SIZE      32
#define MOST_MIB  512
#define MOST_EDIT 24

typedef struct edit {
    size_t at;
    uint8_t was[4];
} edit;

static uint8_t *file;
static size_t n_file, head;
static edit edits[MOST_EDIT];
static int n_edits;
static mb_backend backend;

/* The smallest network there is, as a file in memory. */
static void make(void)
{
    mb_weights *w = NULL;
    mbw_writer *out = NULL;
    void *bytes = NULL;
    mb_file_header h;
    FUZZ_MUST(mb_backend_cpu(&backend, NULL) == MB_OK);
    FUZZ_MUST(gen_weights(&w, "tiny_legacy", 3, NULL) == MB_OK && mbw_writer_create(&out, NULL) == MB_OK);
    for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
        const char *key, *value;
        mb_weights_meta_at(w, i, &key, &value);
        FUZZ_MUST(mbw_writer_meta(out, key, value, NULL) == MB_OK);
    }
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        FUZZ_MUST(mbw_writer_tensor(out, t->name, t->dtype, t->rank, t->dims, NULL) == MB_OK);
    }
    FUZZ_MUST(mbw_writer_start_memory(out, NULL) == MB_OK);
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        FUZZ_MUST(mbw_writer_data(out, mb_weights_at(w, i)->data, mb_weights_at(w, i)->bytes, NULL) == MB_OK);
    }
    FUZZ_MUST(mbw_writer_finish_memory(out, &bytes, &n_file, NULL) == MB_OK);
    mbw_writer_free(out);
    mb_weights_free(w);
    file = bytes;
    memcpy(&h, file, sizeof h);
    head = (size_t)h.data_offset;
}

static void digest(void)
{
    mb_file_header h;
    memcpy(&h, file, sizeof h);
    h.digest = 0;
    memcpy(file, &h, sizeof h);
    h.digest = mb_hash64(file, head);
    memcpy(file, &h, sizeof h);
}

static void change(size_t at, const uint8_t v[4], size_t n)
{
    if (n_edits < MOST_EDIT && at + 4 <= n_file) {
        edits[n_edits].at = at;
        memcpy(edits[n_edits++].was, file + at, 4);
        memcpy(file + at, v, n);
    }
}

static void fill(mb_view *in)
{
    for (int64_t i = 0; i < mb_view_count(in); i++) {
        ((float *)in->data)[i] = (float)((uint64_t)i * 2654435761u % 1000u) * 0.002F - 1.0F;
    }
}

static void run(const mb_architecture *arch, mb_runner *runner)
{
    mb_plan *plan = NULL;
    mb_error err = {0};
    if (mb_runner_plan(&plan, runner, 1, SIZE, SIZE, NULL, 0, &err) != MB_OK) {
        FUZZ_MUST(err.message[0] != '\0');
        return;
    }
    mb_view in = mb_plan_view(plan, arch->input);
    fill(&in);
    FUZZ_MUST(mb_plan_run(plan, NULL, NULL, &err) == MB_OK);
    if (!mb_plan_is_finite(plan)) {
        fill(&in); /* explaining takes the inputs again */
        FUZZ_MUST(mb_plan_explain(plan, NULL, &err) == MB_E_FORMAT && err.message[0] != '\0');
        return;
    }
    const mb_view out = mb_plan_view(plan, arch->output);
    for (int64_t i = 0; i < mb_view_count(&out); i++) {
        FUZZ_MUST(isfinite(((const float *)out.data)[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input in = {bytes, bytes + n};
    mb_weights *w = NULL;
    mb_runner *runner = NULL;
    const mb_architecture *arch = NULL;
    mb_error err = {0};
    if (file == NULL) {
        make();
    }
    n_edits = 0;
    while (in.at < in.end) { /* each: a place in the data or in the head, and what stands there then */
        const bool in_head = fuzz_take(&in, 1) % 4 == 0;
        const size_t place = (size_t)fuzz_take(&in, 4), room = in_head ? head - sizeof(mb_file_header) : n_file - head;
        const uint64_t v = fuzz_take(&in, 4);
        const uint8_t four[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
        change(in_head ? sizeof(mb_file_header) + place % room : head + place % room / 4 * 4, four, in_head ? 1 : 4);
    }
    digest();
    const mb_runner_options options = {NULL, &backend, (size_t)MOST_MIB << 20, NULL};
    mb_status status = mb_weights_open_memory(&w, file, n_file, &err);
    status = status == MB_OK ? mb_registry_find(&arch, w, &err) : status;
    status = status == MB_OK ? mb_runner_create(&runner, w, arch->record, &options, &err) : status;
    if (status == MB_OK) {
        run(arch, runner);
    } else {
        FUZZ_MUST(err.message[0] != '\0' && err.code == status);
    }
    mb_runner_free(runner);
    mb_weights_free(w);
    while (n_edits > 0) {
        n_edits--;
        memcpy(file + edits[n_edits].at, edits[n_edits].was, 4);
    }
    return 0;
}
