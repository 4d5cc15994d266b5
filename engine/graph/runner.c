/* Plans of one model, kept for the last few sizes. */
#include "graph/runner.h"

#include "core/alloc.h"
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
    const mb_weights *weights;
    mb_record_fn record;
    mb_runner_options options;
    mb_prepared_cache cache;
    kept_plan plans[MB_PLANS_KEPT];
    unsigned clock;
    mb_backend fallback_backend; /* the same device in a wider type, for what overflows */
    mb_runner *fallback;
    char warning[256];
};

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
        (*out)->options.passes = getenv("MATTEBOX_PASSES"); /* to bisect: documented in docs/build.md */
    }
    return MB_OK;
}

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
        status = mb_plan_prepare(p, &r->cache, err);
    }
    if (status != MB_OK) {
        mb_plan_free(p);
        return status;
    }
    *slot = (kept_plan){p, n, h, w, n_taps == 0, ++r->clock};
    *out = p;
    return MB_OK;
}

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

/* All bits of the exponent set: infinite or NaN. Without a branch inside, so that it costs no more than reading. */
static bool all_finite(const float *v, int64_t n)
{
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return bad == 0;
}

bool mb_plan_is_finite(const mb_plan *p)
{
    bool finite = true;
    for (int i = 0; i < mb_plan_n_taps(p) && finite; i++) {
        mb_view v = mb_plan_view(p, mb_plan_tap_name(p, i));
        const bool packed = v.pitch == v.dims[1];
        const int64_t rows = packed ? 1 : mb_view_tokens(&v), n = packed ? mb_view_count(&v) : v.dims[1];
        for (int64_t t = 0; t < rows && finite; t++) {
            finite = all_finite((const float *)v.data + t * v.pitch, n);
        }
    }
    return finite;
}

mb_status mb_plan_explain(mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    mb_error seen = {0};
    mb_status status = mb_plan_run_checked(p, io, &seen);
    if (p->bad_node >= 0) {
        return mb_fail(err, MB_E_FORMAT,
                       "the model gave %s at %s\nits weights are damaged, or too large for %s: convert the checkpoint "
                       "again, or train on",
                       p->bad_is_nan ? "NaN" : "infinite values", p->graph->nodes[p->bad_node].name,
                       mb_dtype_name(p->backend->activations));
    }
    return status != MB_OK ? mb_fail(err, status, "%s", seen.message)
                           : mb_fail(err, MB_E_FORMAT, "the model gave NaN in its result");
}

static void copy_view(const mb_plan *to, const mb_plan *from, const char *name)
{
    mb_view dst = mb_plan_view(to, name), src = mb_plan_view(from, name);
    memcpy(dst.data, src.data, (size_t)mb_view_count(&src) * sizeof(float)); /* the host's copies are dense */
}

/* The plan of the wider runner for the size, and with the taps, of a plan of ours. */
static mb_status fallback_plan(mb_plan **out, mb_runner *r, const mb_plan *p, mb_error *err)
{
    const kept_plan *mine = &r->plans[0];
    const char *taps[64];
    int n_taps = 0;
    for (int i = 0; i < MB_PLANS_KEPT; i++) {
        mine = r->plans[i].plan == p ? &r->plans[i] : mine;
    }
    if (r->fallback == NULL) {
        r->fallback_backend = *r->options.backend;
        r->fallback_backend.activations = r->options.backend->fallback_dtype;
        r->fallback_backend.fallback_dtype = MB_F32;
        mb_runner_options o = r->options;
        o.backend = &r->fallback_backend;
        mb_status status = mb_runner_create(&r->fallback, r->weights, r->record, &o, err);
        if (status != MB_OK) {
            return status;
        }
    }
    for (int i = 0; !mine->plain && i < mb_plan_n_taps(p) && n_taps < 64; i++) {
        taps[n_taps++] = mb_plan_tap_name(p, i);
    }
    return mb_runner_plan(out, r->fallback, mine->n, mine->h, mine->w, taps, n_taps, err);
}

/* Where it began: one more run that looks at every node. */
static void name_culprit(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_dtype wider)
{
    mb_error seen = {0};
    const char *type = mb_dtype_name(p->backend->activations);
    bool found = mb_plan_run_checked(p, io, &seen) == MB_E_INTERNAL;
    (void)snprintf(r->warning, sizeof r->warning, "%s overflowed%s%.160s; computed again in %s", type,
                   found ? ": " : "", found ? seen.message : "", mb_dtype_name(wider));
}

mb_status mb_runner_again(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    mb_plan *wide = NULL;
    mb_status status = fallback_plan(&wide, r, p, err);
    if (status != MB_OK) {
        return status;
    }
    name_culprit(r, p, io, wide->backend->activations);
    for (int v = 0; (io == NULL || io->fill == NULL) && v < p->graph->n_values; v++) {
        if (p->graph->values[v].kind == MB_VALUE_INPUT) {
            copy_view(wide, p, p->graph->values[v].name);
        }
    }
    status = mb_plan_run_io(wide, io, NULL, NULL, err);
    for (int i = 0; status == MB_OK && (io == NULL || io->take == NULL) && i < mb_plan_n_taps(p); i++) {
        copy_view(p, wide, mb_plan_tap_name(p, i));
    }
    return status;
}

bool mb_runner_is_16bit(const mb_runner *r)
{
    return r->options.backend->activations != MB_F32;
}

mb_status mb_runner_run_io(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user,
                           mb_error *err)
{
    r->warning[0] = '\0';
    mb_status status = mb_plan_run_io(p, io, on_progress, user, err);
    if (status != MB_OK || !mb_runner_is_16bit(r) || (io != NULL && io->take != NULL) || mb_plan_is_finite(p)) {
        return status;
    }
    return mb_runner_again(r, p, io, err);
}

mb_status mb_runner_run(mb_runner *r, mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err)
{
    return mb_runner_run_io(r, p, NULL, on_progress, user, err);
}
