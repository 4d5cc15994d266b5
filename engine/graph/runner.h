/* A model ready to run at any size: finds or builds the plan for a size and runs it. One thread at a time. */
#ifndef MB_GRAPH_RUNNER_H
#define MB_GRAPH_RUNNER_H

#include "core/threads.h"
#include "graph/graph.h"

/* Records a model for a batch of n pictures of h x w (the network's input size). From models/registry.h. */
typedef mb_status (*mb_record_fn)(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err);

typedef struct mb_runner mb_runner;
typedef struct mb_plan mb_plan;

typedef struct mb_runner_options {
    mb_pool *pool;             /* borrowed; NULL: one thread */
    const mb_backend *backend; /* borrowed */
    size_t max_bytes;          /* arena + prepared weights; 0: no limit */
    const char *passes;        /* NULL or "": all; "none"; or "-name,-name" (see mb_pass_name) */
} mb_runner_options;

/* weights are borrowed and must outlive the runner. */
MB_MUST_CHECK mb_status mb_runner_create(mb_runner **out, const mb_weights *weights, mb_record_fn record,
                                         const mb_runner_options *options, mb_error *err);
void mb_runner_free(mb_runner *r);

/* The plan for a size, with these taps kept besides the outputs (names of scopes or of the specification; "all": every
 * node). Borrowed: valid until the runner is freed or `mb_runner_plan` has been called for other sizes MB_PLANS_KEPT
 * times. */
#define MB_PLANS_KEPT 2
MB_MUST_CHECK mb_status mb_runner_plan(mb_plan **out, mb_runner *r, int64_t n, int64_t h, int64_t w,
                                       const char *const *taps, int n_taps, mb_error *err);

/* What a plan will take, before any work (without = only recorded, optimised and placed; nothing is packed). */
typedef struct mb_plan_stats {
    int n_nodes;
    double macs;
    size_t weight_bytes; /* constants that runs read, packed or not (f32) */
    size_t arena_bytes;  /* activations and workspaces */
    size_t lower_bound;  /* largest sum of activations alive at once */
} mb_plan_stats;
MB_MUST_CHECK mb_status mb_runner_stats(mb_plan_stats *out, mb_runner *r, int64_t n, int64_t h, int64_t w,
                                        mb_error *err);

/* Views into the arena, channels last: fill inputs before a run; outputs and taps are valid until the next run.
 * dims[0] == 0: no such name. */
mb_view mb_plan_view(const mb_plan *p, const char *name);
int mb_plan_n_taps(const mb_plan *p);
const char *mb_plan_tap_name(const mb_plan *p, int i); /* every kept value has one */

/* done in [0,1], weighted by the work of the nodes; non-zero cancels (MB_E_CANCELLED). */
typedef int (*mb_progress_fn)(void *user, double done, const char *node_name);
MB_MUST_CHECK mb_status mb_plan_run(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err);

/* mb_plan_run for a plan of this runner that computes in 16 bits (else the same): if anything of the result is not
 * finite, the same inputs run again in the back end's wider type, the plan's views show what that gave, and the warning
 * names the node where it began. */
MB_MUST_CHECK mb_status mb_runner_run(mb_runner *r, mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err);
/* Of the last run: "" or one line. */
const char *mb_runner_warning(const mb_runner *r);

/* What takes the place of the host's copies on a back end with memory of its own: called with the device entered, for a
 * view in its memory. fill: NULL: the host's copy goes over. take: NULL: kept values come back to the host; else the
 * run returns when all its work is queued, and a fault may show later. */
typedef struct mb_plan_io {
    const char *input, *output; /* names of the values */
    mb_status (*fill)(void *user, const mb_view *input, mb_error *err);
    mb_status (*take)(void *user, const mb_view *output, mb_error *err);
    void *user;
} mb_plan_io;
/* mb_runner_run so; io: NULL is mb_runner_run. With io->take nothing is looked at: whoever sees that the result is not
 * finite calls mb_runner_again (the plan in 16 bits: mb_runner_is_16bit), which runs the same in the wider type. */
MB_MUST_CHECK mb_status mb_runner_run_io(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress,
                                         void *user, mb_error *err);
MB_MUST_CHECK mb_status mb_runner_again(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_error *err);
bool mb_runner_is_16bit(const mb_runner *r);

/* Does the last run of a plan have nothing but numbers in its kept values? Of results in host memory. */
bool mb_plan_is_finite(const mb_plan *p);
/* What to say of a run that has not: runs once more, its input filled anew by the caller (runs overwrite it), and looks
 * at every node. Always an error, MB_E_FORMAT: "the model gave NaN at NODE". */
MB_MUST_CHECK mb_status mb_plan_explain(mb_plan *p, const mb_plan_io *io, mb_error *err);

/* One row per node, in order; times are those of the last run. */
typedef struct mb_node_profile {
    const char *name, *op, *kernel;
    double ms, macs, bytes; /* bytes: inputs read, outputs written, weights, once each */
    int64_t out_dims[4];
} mb_node_profile;
int mb_plan_n_nodes(const mb_plan *p);
mb_node_profile mb_plan_profile(const mb_plan *p, int node);

#endif
