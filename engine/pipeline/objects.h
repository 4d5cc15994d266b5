/* The objects behind the public header's opaque types. Internal to engine/pipeline. */
#ifndef MB_PIPELINE_OBJECTS_H
#define MB_PIPELINE_OBJECTS_H

#include "core/status.h"
#include "core/threads.h"
#include "graph/runner.h"
#include "kernel.h"
#include "models/registry.h"
#include "options/options.h"
#include "weights/reader.h"

struct mb_context {
    mb_context_options options;
    mb_backend backend;
    char device[160], note[768];
    int threads;
};

struct mb_model {
    mb_context *context;
    mb_weights *weights;
    const mb_architecture *architecture;
    mb_model_info info;
    char summary[160];
};

#define MB_UPLOAD_SLOTS 2 /* pictures under way on a device: one is computed, another goes over or comes back */

/* One model with its plans, run on tensors. Two networks of one context never share a
 * pool, so they run side by side.
 */
struct mb_network {
    const mb_model *model;
    mb_pool *pool, *own_pool; /* own_pool: the same one if it is to be freed here, else NULL */
    mb_runner *runner;
    const mb_backend *backend;           /* borrowed */
    mb_plan *plan;                       /* of the last run; borrowed from the runner */
    void *upload_slots[MB_UPLOAD_SLOTS]; /* slots of the back end's pictures, made when needed */
    bool slot_in_flight[MB_UPLOAD_SLOTS];
    mb_progress_callback on_progress;
    void *user;
};

/* A network on a pool and a back end (the context's, or a copy of it in another precision) that outlive it. */
MB_MUST_CHECK mb_status mb_network_create_on(mb_network **out, mb_context *context, const mb_backend *backend,
                                             const mb_model *model, mb_pool *pool, mb_error *err);
/* Checks a size of the network's input. */
MB_MUST_CHECK mb_status mb_network_check_size(const mb_model *model, int64_t height, int64_t width, mb_error *err);

/* The plan for n inputs of height x width, its arena allocated. Refuses what does not fit into the limit. */
MB_MUST_CHECK mb_status mb_network_prepare(mb_network *network, int64_t n, int64_t height, int64_t width,
                                           const char *const *taps, int n_taps, mb_error *err);
/* Where to write the input of the prepared plan (channels last), and where its output is after a run. */
mb_view mb_network_input_view(const mb_network *network);
mb_view mb_network_output_view(const mb_network *network);
/* Runs the prepared plan, with something in place of the host's copies (NULL: nothing). Progress is reported as first +
 * share * done. */
MB_MUST_CHECK mb_status mb_network_run_plan(mb_network *network, const mb_plan_io *io, double first, double share,
                                            mb_error *err);

/* Bytes that a new plan may take: the context's limit, else what the machine has free; 0 when that is not known. */
size_t mb_memory_limit(const mb_context *context);
/* The same for the plans of networks: 0 on a device whose limit nobody has set. */
size_t mb_network_limit(const mb_context *context);

/* Milliseconds of a clock that never goes back. */
double mb_now_ms(void);

#endif
