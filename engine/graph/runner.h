/* A model ready to run at any size: finds or builds the plan for a size and runs it. One thread at a time. */
#ifndef MB_GRAPH_RUNNER_H
#define MB_GRAPH_RUNNER_H

#include "core/task.h"
#include "core/threads.h"
#include "graph/graph.h"
#include "graph/plan_view.h"

/* Records a model for a batch of n pictures of h x w (the network's input size). From models/registry.h. */
typedef mb_status (*mb_record_fn)(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err);

typedef struct mb_runner mb_runner;

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
/* Who may stop the preparation of plans from now on, between two steps; NULL: nobody. Borrowed until it is set again.
 * What was packed before a stop stays for the next plan. */
void mb_runner_set_task(mb_runner *r, const mb_task *task);
MB_MUST_CHECK mb_status mb_runner_stats(mb_plan_stats *out, mb_runner *r, int64_t n, int64_t h, int64_t w,
                                        mb_error *err);

/* mb_plan_run_io for a plan of this runner. A plan that computes in 16 bits may overflow: if any output or tap is not
 * finite, the same inputs run again in the back end's fallback type, the plan's views show what that gave, and the
 * warning names the node where it began. With io->read_output the output is not checked here: whoever finds it not
 * finite calls mb_runner_again. */
MB_MUST_CHECK mb_status mb_runner_run_io(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress,
                                         void *user, mb_error *err);
MB_MUST_CHECK mb_status mb_runner_run(mb_runner *r, mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err);
/* The last run of a plan of this runner once more in the fallback type, with its inputs as they are. */
MB_MUST_CHECK mb_status mb_runner_again(mb_runner *r, mb_plan *p, const mb_plan_io *io, mb_error *err);
bool mb_runner_is_16bit(const mb_runner *r);
/* Of the last run: "" or one line. */
const char *mb_runner_warning(const mb_runner *r);

#endif
