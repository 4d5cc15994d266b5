/* Plans of one model, kept for the last few sizes, and the second run of what overflows in 16 bits.
 *
 * Two levels of sharing: plans of one runner share packed weights (mb_prepared_cache: the same kernel and constants
 * give the same packing, whatever the size of the picture), and runs of one size share a plan. A plan with taps serves
 * once.
 *
 * Overflow: f16 ends at 65504, and activations of a large picture may not. A result that is not finite is the sign.
 * mb_runner_again then takes the same inputs through a runner of the fallback type (bf16, which has the range of f32,
 * or f32 where the device has no bf16), and its outputs and taps replace those of the first run. */
#include "graph/runner.h"

#include "core/alloc.h"
#include "core/os_process.h"
#include "graph/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct kept_plan {
    mb_plan *plan;
    int64_t n, h, w;
    bool plain; /* no taps: may serve again */
    unsigned used;
} kept_plan;

struct mb_runner {
    const mb_task *task; /* of the caller that plans now; or NULL */
    const mb_weights *weights;
    mb_record_fn record;
    mb_runner_options options;
    mb_prepared_cache cache;
    kept_plan plans[MB_PLANS_KEPT];
    unsigned clock;
    mb_backend fallback_backend; /* the same device in a type of larger range, for what overflows */
    mb_runner *fallback;
    char warning[256];
};

/* No plan yet: sizes come with the first call for one. */
mb_status mb_runner_create(mb_runner **out, const mb_weights *weights, mb_record_fn record,
                           const mb_runner_options *options, mb_error *err)
{
    *out = mb_calloc(1, sizeof **out);
    if (*out == NULL) {
        return mb_fail_memory(err, sizeof **out, "the runner");
    }
    (*out)->weights = weights;
    (*out)->record = record;
    (*out)->options = *options;
    if (options->passes == NULL) {
        (*out)->options.passes = mb_os_env("MATTEBOX_PASSES"); /* to bisect: documented in docs/build.md */
    }
    return MB_OK;
}

/* Plans before the cache whose packed weights they point to. */
void mb_runner_free(mb_runner *r)
{
    if (r == NULL) {
        return;
    }
    for (int i = 0; i < MB_PLANS_KEPT; i++) {
        mb_plan_free(r->plans[i].plan);
    }
    mb_prepared_cache_dispose(&r->cache);
    mb_runner_free(r->fallback);
    mb_free(r);
}

/* Marks what the caller wants to see; passes leave it alone. */
static mb_status keep_taps(mb_graph *g, const char *const *taps, int n_taps, mb_error *err)
{
    for (int i = 0; i < n_taps; i++) {
        if (strcmp(taps[i], "all") == 0) {
            for (int k = 0; k < g->n_nodes; k++) {
                mb_graph_keep(g, g->nodes[k].out);
            }
            continue;
        }
        int value = mb_graph_find(g, taps[i]);
        if (value < 0 || mb_graph_is_constant(g, value)) {
            return mb_fail(err, MB_E_ARGUMENT,
                           "there is no tensor called '%.100s' in this model\nthe tap \"all\" keeps all of them",
                           taps[i]);
        }
        mb_graph_keep(g, value);
    }
    return MB_OK;
}

/* Record, mark the taps, plan: for one size {n, h, w}. Nothing is packed yet. */
static mb_status build(mb_plan **out, mb_runner *r, const int64_t size[3], const char *const *taps, int n_taps,
                       mb_error *err)
{
    mb_graph *g = NULL;
    *out = NULL;
    mb_status status = mb_graph_create(&g, r->weights, err);
    if (status == MB_OK) {
        status = r->record(g, size[0], size[1], size[2], err);
    }
    if (status == MB_OK) {
        status = keep_taps(g, taps, n_taps, err);
    }
    if (status != MB_OK) {
        mb_graph_free(g);
        return status;
    }
    return mb_plan_create(out, g, &r->options, err); /* owns g from here, also on failure */
}

/* Refuses a plan over the limit before its weights are packed. */
static mb_status check_budget(const mb_runner *r, const mb_plan *p, mb_error *err)
{
    double need = (double)p->stats.arena_bytes + (double)p->stats.weight_bytes;
    if (r->options.max_bytes > 0 && need > (double)r->options.max_bytes) {
        return mb_fail(err, MB_E_MEMORY,
                       "the plan needs %.0f MB (activations %.0f, weights %.0f), the limit is %.0f MB\nuse a smaller "
                       "input size, or raise max_memory",
                       need * 1e-6, (double)p->stats.arena_bytes * 1e-6, (double)p->stats.weight_bytes * 1e-6,
                       (double)r->options.max_bytes * 1e-6);
    }
    return MB_OK;
}

void mb_runner_set_task(mb_runner *r, const mb_task *task)
{
    r->task = task;
}

/* A plan of the last few sizes if there is one without taps, else a new one in the place of the one unused for longest.
 * Its arena goes before the new one is allocated, so that two never exist at a time. */
mb_status mb_runner_plan(mb_plan **out, mb_runner *r, int64_t n, int64_t h, int64_t w, const char *const *taps,
                         int n_taps, mb_error *err)
{
    kept_plan *slot = &r->plans[0];
    *out = NULL;
    for (int i = 0; i < MB_PLANS_KEPT; i++) {
        kept_plan *k = &r->plans[i];
        if (k->plan != NULL && k->plain && n_taps == 0 && k->n == n && k->h == h && k->w == w) {
            k->used = ++r->clock;
            *out = k->plan;
            return MB_OK;
        }
        if (k->plan == NULL || (slot->plan != NULL && k->used < slot->used)) {
            slot = k;
        }
    }
    mb_plan *p = NULL;
    mb_status status = build(&p, r, (const int64_t[]){n, h, w}, taps, n_taps, err);
    if (status == MB_OK) {
        status = check_budget(r, p, err);
    }
    if (status == MB_OK) { /* the old plan's arena goes before the new one's comes */
        mb_plan_free(slot->plan);
        *slot = (kept_plan){0};
        status = mb_plan_prepare(r->task, p, &r->cache, err);
    }
    if (status != MB_OK) {
        mb_plan_free(p);
        return status;
    }
    *slot = (kept_plan){p, n, h, w, n_taps == 0, ++r->clock};
    *out = p;
    return MB_OK;
}

/* Plans to the end, then frees the plan: nothing is packed or allocated for it, so it takes milliseconds. */
mb_status mb_runner_stats(mb_plan_stats *out, mb_runner *r, int64_t n, int64_t h, int64_t w, mb_error *err)
{
    mb_plan *p = NULL;
    mb_status status = build(&p, r, (const int64_t[]){n, h, w}, NULL, 0, err);
    *out = status == MB_OK ? p->stats : (mb_plan_stats){0};
    mb_plan_free(p);
    return status;
}

/* ---- overflow */

const char *mb_runner_warning(const mb_runner *r)
{
    return r->warning;
}

static void copy_view(const mb_plan *to, const mb_plan *from, const char *name)
{
    mb_view dst = mb_plan_view(to, name), src = mb_plan_view(from, name);
    memcpy(dst.data, src.data, (size_t)mb_view_count(&src) * sizeof(float)); /* the host's copies are dense */
}

/* The size and kind of a plan of ours; NULL: it is none of the last MB_PLANS_KEPT. */
static const kept_plan *find_kept(const mb_runner *r, const mb_plan *p)
{
    for (int i = 0; i < MB_PLANS_KEPT; i++) {
        if (r->plans[i].plan == p) {
            return &r->plans[i];
        }
    }
    return NULL;
}

/* The runner of the fallback type, made at the first overflow: most models never need one. It has plans and packed
 * weights of its own on the same device. */
static mb_status make_fallback(mb_runner *r, mb_error *err)
{
    if (r->fallback != NULL) {
        return MB_OK;
    }
    r->fallback_backend = *r->options.backend;
    r->fallback_backend.activations = r->options.backend->fallback_dtype;
    r->fallback_backend.fallback_dtype = MB_F32;
    mb_runner_options o = r->options;
    o.backend = &r->fallback_backend;
    return mb_runner_create(&r->fallback, r->weights, r->record, &o, err);
}

/* The plan of the fallback runner for the size, and with all the taps, of a plan of ours. */
static mb_status fallback_plan(mb_plan **out, mb_runner *r, const mb_plan *p, mb_error *err)
{
    mb_status status = MB_OK;
    const kept_plan *kept = find_kept(r, p);
    int n_taps = kept != NULL && !kept->plain ? mb_plan_n_taps(p) : 0;
    const char **taps = NULL;
    if (kept == NULL) {
        return mb_fail(err, MB_E_INTERNAL, "the plan to run again no longer exists");
    }
    MB_TRY(make_fallback(r, err));
    taps = mb_alloc_array((size_t)n_taps + 1, sizeof *taps);
    if (taps == NULL) {
        status = mb_fail_memory(err, (size_t)n_taps * sizeof *taps, "the list of taps");
        goto done;
    }
    for (int i = 0; i < n_taps; i++) {
        taps[i] = mb_plan_tap_name(p, i);
    }
    MB_TRY(mb_runner_plan(out, r->fallback, kept->n, kept->h, kept->w, taps, n_taps, err));
done:
    mb_free(taps);
    return status;
}

/* The warning names the node where it began: one more run that checks every node. */
static void warn_overflow(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_dtype fallback)
{
    mb_error seen = {0};
    const char *type = mb_dtype_name(p->backend->activations);
    bool found = mb_plan_run_checked(p, io, &seen) == MB_E_INTERNAL;
    (void)snprintf(r->warning, sizeof r->warning, "%s overflowed%s%.160s; computed again in %s", type,
                   found ? ": " : "", found ? seen.message : "", mb_dtype_name(fallback));
}

/* Inputs over, the run in the fallback type, outputs and taps back into the views of the plan that overflowed. */
mb_status mb_runner_again(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    mb_plan *fallback = NULL;
    mb_status status = fallback_plan(&fallback, r, p, err);
    if (status != MB_OK) {
        return status;
    }
    warn_overflow(r, p, io, fallback->backend->activations);
    for (int v = 0; (io == NULL || io->write_input == NULL) && v < p->graph->n_values; v++) {
        if (p->graph->values[v].kind == MB_VALUE_INPUT) {
            copy_view(fallback, p, p->graph->values[v].name);
        }
    }
    status = mb_plan_run_io(fallback, io, NULL, NULL, err);
    for (int i = 0; status == MB_OK && (io == NULL || io->read_output == NULL) && i < mb_plan_n_taps(p); i++) {
        copy_view(p, fallback, mb_plan_tap_name(p, i));
    }
    return status;
}

bool mb_runner_is_16bit(const mb_runner *r)
{
    return r->options.backend->activations != MB_F32;
}

/* With read_output nothing is known of the result yet: the check is the caller's. */
mb_status mb_runner_run_io(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user,
                           mb_error *err)
{
    r->warning[0] = '\0';
    mb_status status = mb_plan_run_io(p, io, on_progress, user, err);
    if (status != MB_OK || !mb_runner_is_16bit(r) || (io != NULL && io->read_output != NULL) || mb_plan_is_finite(p)) {
        return status;
    }
    return mb_runner_again(r, p, io, err);
}

mb_status mb_runner_run(mb_runner *r, mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err)
{
    return mb_runner_run_io(r, p, NULL, on_progress, user, err);
}
