/* Plans of one model, kept for the last few sizes. */
#include "graph/runner.h"

#include "core/alloc.h"
#include "graph/plan.h"

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
                           "there is no tensor called '%.100s' in this model\n--tap all writes all of them", taps[i]);
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
    double need = (double)p->figures.arena_bytes + (double)p->figures.weight_bytes;
    if (r->options.max_bytes > 0 && need > (double)r->options.max_bytes) {
        return mb_fail(err, MB_E_MEMORY,
                       "the plan needs %.0f MB (activations %.0f, weights %.0f), the limit is %.0f MB\nuse a smaller "
                       "input size, or raise --max-memory",
                       need * 1e-6, (double)p->figures.arena_bytes * 1e-6, (double)p->figures.weight_bytes * 1e-6,
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

mb_status mb_runner_figures(mb_plan_figures *out, mb_runner *r, int64_t n, int64_t h, int64_t w, mb_error *err)
{
    mb_plan *p = NULL;
    mb_status status = build(&p, r, (const int64_t[]){n, h, w}, NULL, 0, err);
    *out = status == MB_OK ? p->figures : (mb_plan_figures){0};
    mb_plan_free(p);
    return status;
}
