/* A planned graph: for one model, size and back end. Internal to engine/graph. */
#ifndef MB_GRAPH_PLAN_H
#define MB_GRAPH_PLAN_H

#include "graph/runner.h"

/* Packed weights, shared by the plans of one model: same op, kernel, attributes and constants, same contents. */
typedef struct mb_prepared_entry mb_prepared_entry;
typedef struct mb_prepared_cache {
    mb_prepared_entry *first;
    size_t bytes;
} mb_prepared_cache;
void mb_prepared_cache_dispose(mb_prepared_cache *c);

typedef struct mb_step { /* a node, ready to run */
    const mb_kernel *kernel;
    mb_call call;
    size_t workspace_bytes;
    size_t workspace_offset;
    double macs, bytes, weight; /* weight: share of the progress bar */
    double ms;                  /* of the last run */
    int node;
} mb_step;

typedef struct mb_location { /* of a value: block < 0 for constants */
    int block;
    size_t byte_offset; /* in the arena */
    mb_dtype dtype;     /* what its memory holds: f32 except on a device that computes in 16 bit */
    float *mirror;      /* on a device: inputs and kept values, dense f32 in host memory; else NULL */
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
    void *staging;          /* host memory for a copy of the largest mirrored value */
    mb_plan_figures figures;
};

/* Optimises (which passes: see mb_passes_run), schedules and places; takes the graph over, also on failure. Nothing is
 * packed and the arena is not allocated yet. */
MB_MUST_CHECK mb_status mb_plan_create(mb_plan **out, mb_graph *graph, const mb_runner_options *options, mb_error *err);
/* Packs weights and allocates the arena: after this the plan can run. */
MB_MUST_CHECK mb_status mb_plan_prepare(mb_plan *p, mb_prepared_cache *cache, mb_error *err);
void mb_plan_free(mb_plan *p);

/* ---- back ends with memory of their own (device_plan.c) ---- */
/* The type of every value: 16-bit maps, but f32 where positions or the result need it. */
void mb_plan_choose_types(mb_plan *p);
MB_MUST_CHECK mb_status mb_plan_device_memory(mb_plan *p, mb_error *err); /* arena, mirrors, staging */
void mb_plan_device_free(mb_plan *p);
MB_MUST_CHECK mb_status mb_plan_upload(mb_plan *p, mb_error *err);   /* inputs: mirror -> arena */
MB_MUST_CHECK mb_status mb_plan_download(mb_plan *p, mb_error *err); /* kept values: arena -> mirror */

#endif
