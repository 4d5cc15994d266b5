/* Making a plan ready: weights are packed (once per model) and their originals released, the arena is allocated, and
 * every call gets its pointers. */
#include "core/alloc.h"
#include "core/hash.h"
#include "core/os_process.h"
#include "graph/constants.h"
#include "graph/plan.h"

#include <stdlib.h>
#include <string.h>

struct mb_prepared_entry {
    mb_prepared_entry *next;
    uint64_t key;
    mb_prepared prepared;
};

/* Packed weights on a device need it entered to be freed; a dead one has lost them anyway. */
void mb_prepared_cache_dispose(mb_prepared_cache *c)
{
    const mb_backend *b = c->backend;
    mb_error broken = {0};
    bool inside = b != NULL && b->memory != NULL && b->memory->enter(b->device, &broken) == MB_OK;
    while (c->first != NULL) {
        mb_prepared_entry *next = c->first->next;
        if (c->first->prepared.free != NULL) {
            c->first->prepared.free(c->first->prepared.data);
        }
        mb_free(c->first);
        c->first = next;
    }
    c->bytes = 0;
    if (inside) {
        b->memory->leave(b->device);
    }
}

/* What packed weights depend on: kernel, attributes, types, the width of the first input, and the provenance of the
 * constants (their keys, not their contents). An input that is no constant counts as 1. */
static uint64_t prepared_key(const mb_graph *g, const mb_step *s)
{
    const mb_node *n = &g->nodes[s->node];
    uint64_t h = mb_fnv1a64(MB_FNV1A64_BASIS, &s->kernel, sizeof s->kernel);
    h = mb_fnv1a64(h, n->attrs.bytes, sizeof n->attrs.bytes);
    h = mb_fnv1a64(h, &s->call.in[0].dims[1], sizeof s->call.in[0].dims[1]);
    h = mb_fnv1a64(h, &s->call.in[0].dtype, sizeof s->call.in[0].dtype);
    h = mb_fnv1a64(h, &s->call.out.dtype, sizeof s->call.out.dtype);
    for (int i = 0; i < n->n_in; i++) {
        uint64_t key = mb_graph_is_constant(g, n->in[i]) ? g->values[n->in[i]].key : 1;
        h = mb_fnv1a64(h, &key, sizeof key);
    }
    return h;
}

/* The packed weights of a step: those of the cache, from an earlier plan of this model or another node with the same
 * key, or packed now. Derived constants are released after each step, so that loading needs little more memory than
 * the result. */
static mb_status prepare_step(mb_plan *p, mb_step *s, mb_prepared_cache *cache, mb_error *err)
{
    mb_graph *g = p->graph;
    const mb_node *n = &g->nodes[s->node];
    if (s->kernel->prepare == NULL) {
        return MB_OK;
    }
    uint64_t key = prepared_key(g, s);
    mb_prepared_entry *e = cache->first;
    while (e != NULL && e->key != key) {
        e = e->next;
    }
    if (e == NULL) {
        mb_call call;
        mb_graph_call(g, n, &call);
        mb_graph_call_constants(g, n, &call, p->pool);
        call.attrs = s->call.attrs;
        call.pool = p->pool;
        call.device = s->call.device;
        call.out.dtype = s->call.out.dtype;
        for (int i = 0; i < n->n_in; i++) {
            call.in[i].dtype = s->call.in[i].dtype;
        }
        mb_status status = mb_graph_status(g, err);
        e = status == MB_OK ? mb_calloc(1, sizeof *e) : NULL;
        if (e == NULL) {
            return status != MB_OK ? status : mb_fail_memory(err, sizeof *e, "packed weights");
        }
        status = s->kernel->prepare(&e->prepared, &call, err);
        if (status != MB_OK) {
            mb_free(e);
            mb_error_prefix(err, "%s", n->name);
            return status;
        }
        e->key = key;
        e->next = cache->first;
        cache->first = e;
        cache->bytes += e->prepared.bytes;
        mb_graph_release_derived(g); /* what was packed is not needed again; the rest is made again by set_pointers */
    }
    s->call.prepared = &e->prepared;
    return MB_OK;
}

/* Every call gets the addresses of its values: places in the arena, or contents of constants, unless the kernel has
 * them packed (`replaces`, one bit per input). */
static mb_status set_pointers(mb_plan *p, mb_error *err)
{
    mb_graph *g = p->graph;
    for (int t = 0; t < p->n_steps; t++) {
        mb_step *s = &p->steps[t];
        const mb_node *n = &g->nodes[s->node];
        for (int i = -1; i < n->n_in; i++) {
            int value = i < 0 ? n->out : n->in[i];
            mb_view *view = i < 0 ? &s->call.out : &s->call.in[i];
            bool packed = i >= 0 && s->call.prepared != NULL && (s->call.prepared->replaces >> i & 1u) != 0;
            if (value < 0 || packed) {
                continue;
            }
            if (mb_graph_is_constant(g, value)) {
                const float *data = mb_graph_floats(g, value, p->pool);
                memcpy(&view->data, &data, sizeof view->data); /* kernels only read it */
            } else {
                view->data = p->arena + p->locations[value].byte_offset;
            }
        }
        s->call.workspace = p->arena + s->workspace_offset;
    }
    return mb_graph_status(g, err);
}

/* On a device: refuses before work what will not fit. Weights of other plans of this model are there already. */
static mb_status check_capacity(const mb_plan *p, const mb_prepared_cache *cache, mb_error *err)
{
    const mb_backend *b = p->backend;
    size_t weights = p->stats.weight_bytes / sizeof(float) * mb_dtype_size(b->activations);
    return b->memory->reserve(b->device, p->stats.arena_bytes, weights > cache->bytes ? weights - cache->bytes : 0,
                              err);
}

/* On a device: which library, plan or kernel is the fastest for each call. The arena holds nothing yet that could be
 * lost. */
static mb_status tune(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = MB_OK;
    if (b->memory == NULL || !b->memory->tune_begin(b->device)) {
        return MB_OK;
    }
    for (int t = 0; t < p->n_steps && status == MB_OK; t++) {
        const mb_step *s = &p->steps[t];
        status = s->kernel->tune != NULL ? s->kernel->tune(&s->call, err) : MB_OK;
    }
    b->memory->tune_end(b->device);
    return status;
}

/* In this order, because each needs what is above it: the capacity is checked before anything is packed, packing before
 * the arena exists (both are large: their peaks must not add up), pointers when there is an arena, and tuning at last,
 * when every call can run. */
static mb_status prepare(const mb_task *task, mb_plan *p, mb_prepared_cache *cache, mb_error *err)
{
    mb_status status = MB_OK;
    if (p->backend->memory != NULL) {
        MB_TRY(check_capacity(p, cache, err));
    }
    for (int t = 0; t < p->n_steps; t++) {
        MB_TRY(mb_task_check(task, err));
        MB_TRY(prepare_step(p, &p->steps[t], cache, err));
    }
    mb_graph_clear_free_list(p->graph);
    if (p->backend->memory != NULL) {
        MB_TRY(mb_plan_device_memory(p, err));
    } else {
        p->arena = mb_alloc_aligned(p->stats.arena_bytes);
    }
    if (p->arena == NULL) {
        status =
            mb_fail(err, MB_E_MEMORY, "could not allocate %.0f MB for the plan's activations\nuse a smaller input size",
                    (double)p->stats.arena_bytes * 1e-6);
        goto done;
    }
    /* To find where an overflow begins: docs/cuda.md. */
    const char *check = mb_os_env("MATTEBOX_CHECK");
    p->check = check != NULL && strcmp(check, "finite") == 0;
    MB_TRY(mb_plan_prepare_check(p, err));
    MB_TRY(set_pointers(p, err));
    MB_TRY(tune(p, err));
done:
    return status;
}

/* On a device all of it happens with the device entered. The cache belongs to one back end. */
mb_status mb_plan_prepare(const mb_task *task, mb_plan *p, mb_prepared_cache *cache, mb_error *err)
{
    const mb_backend *b = p->backend;
    cache->backend = b;
    if (b->memory == NULL) {
        return prepare(task, p, cache, err);
    }
    mb_status status = b->memory->enter(b->device, err);
    if (status == MB_OK) {
        status = prepare(task, p, cache, err);
        b->memory->leave(b->device);
    }
    return status;
}
