/* A plan from outside: what it will take, its inputs, outputs and taps by name, its run, one row per node. plan.h has
 * the inside. Plans come from a runner (runner.h). */
#ifndef MB_GRAPH_PLAN_VIEW_H
#define MB_GRAPH_PLAN_VIEW_H

#include "core/tensor.h"

typedef struct mb_plan mb_plan;

/* What a plan will take, before any work (recorded, optimised and placed; nothing is packed). */
typedef struct mb_plan_stats {
    int n_nodes;
    double macs;
    size_t weight_bytes; /* constants that runs read, packed or not (f32) */
    size_t arena_bytes;  /* activations and workspaces */
    size_t lower_bound;  /* largest sum of activations alive at once */
} mb_plan_stats;

/* ---- values (plan_view.c) ---- */
/* A view into the arena, channels last, or on a device of the host's copy: write inputs before a run; outputs and taps
 * are valid until the next run. dims[0] == 0: no such name. */
mb_view mb_plan_view(const mb_plan *p, const char *name);
int mb_plan_n_taps(const mb_plan *p);
const char *mb_plan_tap_name(const mb_plan *p, int i); /* every kept value has one */

/* Do all outputs and taps of the last run hold nothing but finite numbers? Of results in host memory. */
bool mb_plan_is_finite(const mb_plan *p);

/* One row per node, in order; times are those of the last run. */
typedef struct mb_node_profile {
    const char *name, *op, *kernel;
    double ms, macs, bytes; /* bytes: inputs read, outputs written, weights, once each */
    int64_t out_dims[4];
} mb_node_profile;
int mb_plan_n_nodes(const mb_plan *p);
mb_node_profile mb_plan_profile(const mb_plan *p, int node);

/* ---- the run (run.c) ---- */
/* done in [0,1], weighted by the work of the nodes; non-zero cancels (MB_E_CANCELLED). */
typedef int (*mb_progress_fn)(void *user, double done, const char *node_name);
MB_MUST_CHECK mb_status mb_plan_run(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err);

/* What takes the place of the host's copies on a back end with memory of its own: called with the device entered, for a
 * view in its memory. */
typedef struct mb_plan_io {
    const char *input, *output; /* names of the values */
    /* NULL: the host's copy goes over */
    mb_status (*write_input)(void *user, const mb_view *input, mb_error *err);
    /* NULL: kept values come back to the host. Else the run returns when all its work is queued, and a fault may show
     * later. */
    mb_status (*read_output)(void *user, const mb_view *output, mb_error *err);
    void *user;
} mb_plan_io;
/* mb_plan_run with something in place of the host's copies (io: NULL: nothing). */
MB_MUST_CHECK mb_status mb_plan_run_io(mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user,
                                       mb_error *err);

/* What to say of a run whose result is not finite: runs once more, its input written anew by the caller (runs overwrite
 * it), and checks every node. Always an error, MB_E_FORMAT: "the model gave NaN at NODE". */
MB_MUST_CHECK mb_status mb_plan_explain(mb_plan *p, const mb_plan_io *io, mb_error *err);

#endif
