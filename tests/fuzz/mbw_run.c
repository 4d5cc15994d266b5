/* F2: a tiny network with changed numbers: weights (any bits, NaN among them) and the metadata that say what it is. It is
 * refused with a message, or planned within the limit and run; a result that is not finite is seen and explained. */
#include "core/hash.h"
#include "fuzz.h"
#include "graph/runner.h"
#include "harness/narrow.h"
#include "models/registry.h"
#include "weights/format.h"

#include <math.h>
#include <string.h>

#define MOST_MIB  512
#define MOST_EDIT 24

typedef struct edit {
    size_t at;
    uint8_t was[4];
} edit;

/* One to change: its bytes, and where its weights begin. */
typedef struct network {
    uint8_t *file;
    size_t n, head;
} network;

static network networks[NARROW_NETWORKS];
static edit edits[MOST_EDIT];
static int n_edits;
static mb_backend backend;

/* ---- changes */

static void digest(network *t)
{
    mb_file_header h;
    memcpy(&h, t->file, sizeof h);
    h.digest = 0;
    memcpy(t->file, &h, sizeof h);
    h.digest = mb_hash64(t->file, t->head);
    memcpy(t->file, &h, sizeof h);
}

static void change(network *t, size_t at, const uint8_t v[4], size_t n)
{
    if (n_edits < MOST_EDIT && at + 4 <= t->n) {
        edits[n_edits].at = at;
        memcpy(edits[n_edits++].was, t->file + at, 4);
        memcpy(t->file + at, v, n);
    }
}

static void fill(mb_view *in)
{
    for (int64_t i = 0; i < mb_view_count(in); i++) {
        ((float *)in->data)[i] = (float)((uint64_t)i * 2654435761u % 1000u) * 0.002F - 1.0F;
    }
}

/* Of a BiRefNet 64 pixels a side, the least that all backbones take; a VITMatte takes less. *finite: of all results. */
static bool run(const mb_architecture *arch, mb_runner *runner, bool *finite)
{
    mb_plan *plan = NULL;
    mb_error err = {0};
    const int size = arch->family == MB_FAMILY_BIREFNET ? 64 : 32;
    if (mb_runner_plan(&plan, runner, 1, size, size, NULL, 0, &err) != MB_OK) {
        FUZZ_MUST(err.message[0] != '\0');
        return false;
    }
    mb_view in = mb_plan_view(plan, arch->input);
    fill(&in);
    FUZZ_MUST(mb_plan_run(plan, NULL, NULL, &err) == MB_OK);
    *finite = mb_plan_is_finite(plan);
    if (!*finite) {
        fill(&in); /* explaining takes the inputs again */
        FUZZ_MUST(mb_plan_explain(plan, NULL, &err) == MB_E_FORMAT && err.message[0] != '\0');
        return true;
    }
    const mb_view out = mb_plan_view(plan, arch->output);
    for (int64_t i = 0; i < mb_view_count(&out); i++) {
        FUZZ_MUST(isfinite(((const float *)out.data)[i]));
    }
    return true;
}

/* Opens, plans and runs; false: refused at some point. */
static bool try_network(const network *t, bool *finite)
{
    mb_weights *w = NULL;
    mb_runner *runner = NULL;
    const mb_architecture *arch = NULL;
    mb_error err = {0};
    const mb_runner_options options = {NULL, &backend, (size_t)MOST_MIB << 20, NULL};
    mb_status status = mb_weights_open_memory(&w, t->file, t->n, &err);
    status = status == MB_OK ? mb_registry_find(&arch, w, &err) : status;
    status = status == MB_OK ? mb_runner_create(&runner, w, arch->record, &options, &err) : status;
    const bool ran = status == MB_OK && run(arch, runner, finite);
    FUZZ_MUST(status == MB_OK || (err.message[0] != '\0' && err.code == status));
    mb_runner_free(runner);
    mb_weights_free(w);
    return ran;
}

/* All of them run as they are: else the changed ones would be refused for nothing. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FUZZ_MUST(mb_backend_cpu(&backend, NULL) == MB_OK);
    for (int i = 0; i < NARROW_NETWORKS; i++) {
        bool finite = false;
        mb_file_header h;
        networks[i].file = narrow_network(&networks[i].n, i);
        FUZZ_MUST(networks[i].file != NULL);
        memcpy(&h, networks[i].file, sizeof h);
        networks[i].head = (size_t)h.data_offset;
        FUZZ_MUST(try_network(&networks[i], &finite) && finite);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input in = {bytes, bytes + n};
    network *t = &networks[fuzz_take(&in, 1) % NARROW_NETWORKS];
    bool finite;
    n_edits = 0;
    while (in.at < in.end) { /* each: a place in the data or in the head, and what stands there then */
        const bool in_head = fuzz_take(&in, 1) % 4 == 0;
        const size_t place = (size_t)fuzz_take(&in, 4),
                     room = in_head ? t->head - sizeof(mb_file_header) : t->n - t->head;
        const uint64_t v = fuzz_take(&in, 4);
        const uint8_t four[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
        change(t, in_head ? sizeof(mb_file_header) + place % room : t->head + place % room / 4 * 4, four,
               in_head ? 1 : 4);
    }
    digest(t);
    (void)try_network(t, &finite);
    while (n_edits > 0) {
        n_edits--;
        memcpy(t->file + edits[n_edits].at, edits[n_edits].was, 4);
    }
    return 0;
}
