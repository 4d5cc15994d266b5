/* A planned graph: for one model, size and back end. Internal to engine/graph. */
#ifndef MB_GRAPH_PLAN_H
#define MB_GRAPH_PLAN_H

#include "core/task.h"
#include "graph/runner.h"

/* Packed weights, shared by the plans of one model: same op, kernel, attributes and constants, same contents. */
typedef struct mb_prepared_entry mb_prepared_entry;
typedef struct mb_prepared_cache {
    mb_prepared_entry *first;
    const mb_backend *backend; /* whose memory they lie in */
    size_t bytes;
} mb_prepared_cache;
void mb_prepared_cache_dispose(mb_prepared_cache *c);

typedef struct mb_step { /* a node, ready to run */
    const mb_kernel *kernel;
    mb_call call;
    size_t workspace_bytes;
    size_t workspace_offset;
    double macs, bytes, weight; /* weight: share of the progress bar */
    double ms;                  /* of the last run; on a device only with MATTEBOX_CUDA_SYNC=1, else of the launch */
    double largest;             /* checked runs: largest magnitude of the result */
    int node;
} mb_step;

typedef struct mb_location { /* of a value: block < 0 for constants */
    int block;
    size_t byte_offset; /* in the arena */
    mb_dtype dtype;     /* what its memory holds: f32 except on a device that computes in 16 bit */
    float *host_copy;   /* on a device: inputs and kept values, dense f32 in host memory; else NULL */
    size_t staging;     /* then: where its copy lies in the plan's staging memory */
} mb_location;

struct mb_plan {
    mb_graph *graph; /* owned */
    const mb_backend *backend;
    mb_pool *pool;
    mb_step *steps;
    int n_steps;
    mb_location *locations; /* per value */
    mb_attrs *attrs;        /* per step: a copy that calls point to */
    char *arena;            /* device memory if the back end has its own */
    char *staging;          /* host memory to copy all values with a host copy from and to, pinned if it can be */
    bool staging_pinned;
    void *captured;  /* on a device: all steps as one launch, from the second run on */
    bool run_before; /* the first run is never captured: libraries set themselves up */
    bool no_capture; /* it failed once, or was not wanted */
    bool check;      /* check every result (MATTEBOX_CHECK=finite) */
    void *checked;   /* then: host memory for the largest value */
    int bad_node;    /* of the last checked run: the first node whose result was not finite; -1: none */
    bool bad_is_nan; /* then: NaN was in it, not only infinities */
    mb_plan_stats stats;
};

/* Optimises (which passes: see mb_passes_run), schedules and places; takes the graph over, also on failure. Nothing is
 * packed and the arena is not allocated yet. */
MB_MUST_CHECK mb_status mb_plan_create(mb_plan **out, mb_graph *graph, const mb_runner_options *options, mb_error *err);
/* Packs weights and allocates the arena: after this the plan can run. */
MB_MUST_CHECK mb_status mb_plan_prepare(const mb_task *task, mb_plan *p, mb_prepared_cache *cache, mb_error *err);
void mb_plan_free(mb_plan *p);
/* Every step, in order (executor.c). */
MB_MUST_CHECK mb_status mb_plan_run_steps(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err);

/* ---- checked runs (check.c; run.c) ---- */
/* A run that checks every result, whatever MATTEBOX_CHECK says: MB_E_INTERNAL names the first that is not finite. */
MB_MUST_CHECK mb_status mb_plan_run_checked(mb_plan *p, const mb_plan_io *io, mb_error *err);
/* Host memory for the results of a device, if p->check. */
MB_MUST_CHECK mb_status mb_plan_prepare_check(mb_plan *p, mb_error *err);
/* MB_E_INTERNAL, naming the node, if its result holds anything that is not finite. */
MB_MUST_CHECK mb_status mb_plan_check_step(mb_plan *p, mb_step *s, mb_error *err);

/* ---- back ends with memory of their own (device_plan.c) ---- */
/* The type of every value: 16-bit maps, but f32 where positions or the result need it. */
void mb_plan_choose_types(mb_plan *p);
MB_MUST_CHECK mb_status mb_plan_device_memory(mb_plan *p, mb_error *err); /* arena, host copies, staging */
void mb_plan_device_free(mb_plan *p);
/* Inputs over, all steps (recorded and replayed where the device can), kept values back (device_run.c). */
MB_MUST_CHECK mb_status mb_plan_run_device(mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user,
                                           mb_error *err);
/* The bytes from the first element of a value to behind its last, gaps of the map that it is a slice of included. */
size_t mb_plan_span_bytes(const mb_plan *p, int value);
/* mb_plan_view, but where the value lies (plan_view.c). */
mb_view mb_plan_own_view(const mb_plan *p, const char *name);

#endif
