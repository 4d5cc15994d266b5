/* Plans on a back end with memory of its own: the arena lies there, the caller sees dense f32 copies of inputs and kept
 * values in host memory (device_run.c copies them). Maps between nodes may be 16 bit. */
#include "core/alloc.h"
#include "graph/plan.h"

/* Inputs and kept values that exist in the arena: what the caller writes or reads. */
static bool has_host_copy(const mb_plan *p, int v)
{
    const mb_value_info *info = &p->graph->values[v];
    bool lives = info->kind == MB_VALUE_INPUT || info->producer >= 0;
    return lives && p->locations[v].block >= 0 && (info->kept || info->kind == MB_VALUE_INPUT);
}

/* The value whose memory a slice lies in: a whole map. */
static int whole_map(const mb_graph *g, int v)
{
    while (g->values[v].alias_of >= 0) {
        v = g->values[v].alias_of;
    }
    return v;
}

/* f32 stay: maps of one channel (gates, logits, alphas: their last bits are seen, and they cost nothing), and the
 * inputs that ops.def marks (offsets and modulators of deformable convolutions). A slice has the type of the map it lies
 * in. Constants are f32 in host memory always; kernels round them when they prepare. */
void mb_plan_choose_types(mb_plan *p)
{
    const mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        bool is_16bit = !mb_graph_is_constant(g, v) && g->values[v].dims[1] > 1;
        p->locations[v].dtype = is_16bit ? p->backend->activations : MB_F32;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const mb_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in && !n->removed; k++) {
            if (n->in[k] >= 0 && (mb_op_get_rule(n->op)->f32_inputs >> k & 1u) != 0) {
                p->locations[whole_map(g, n->in[k])].dtype = MB_F32;
            }
        }
    }
    for (int v = 0; v < g->n_values; v++) {
        p->locations[v].dtype = p->locations[whole_map(g, v)].dtype;
    }
}

size_t mb_plan_span_bytes(const mb_plan *p, int v)
{
    const mb_graph *g = p->graph;
    const int64_t *d = g->values[v].dims;
    size_t tokens = (size_t)(d[0] * d[2] * d[3]), pitch = (size_t)g->values[whole_map(g, v)].dims[1];
    return ((tokens - 1) * pitch + (size_t)d[1]) * mb_dtype_size(p->locations[v].dtype);
}

/* Host copies, and a place in the staging memory for each. */
static mb_status make_host_copies(mb_plan *p, size_t *staging, mb_error *err)
{
    *staging = 0;
    for (int v = 0; v < p->graph->n_values; v++) {
        const int64_t *d = p->graph->values[v].dims;
        if (has_host_copy(p, v)) {
            size_t floats = (size_t)(d[0] * d[1] * d[2] * d[3]);
            p->locations[v].staging = *staging;
            p->locations[v].host_copy = mb_alloc_array(floats, sizeof(float));
            if (p->locations[v].host_copy == NULL ||
                !mb_add_size(staging, *staging, (mb_plan_span_bytes(p, v) + 63) / 64 * 64)) {
                return mb_fail_memory(err, floats * sizeof(float), p->graph->values[v].name);
            }
        }
    }
    return MB_OK;
}

/* Arena on the device, host copies, and staging memory for the copies between them: pinned where the driver gives
 * pinned memory (copies then overlap with work), else ordinary. */
mb_status mb_plan_device_memory(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    size_t staging = 0;
    void *arena = NULL;
    mb_status status = b->memory->alloc(b->device, &arena, p->stats.arena_bytes, "the plan's activations", err);
    p->arena = arena;
    if (status == MB_OK) {
        status = make_host_copies(p, &staging, err);
    }
    if (status == MB_OK) {
        p->staging = b->memory->pin(b->device, staging);
        p->staging_pinned = p->staging != NULL;
        p->staging = p->staging_pinned ? p->staging : mb_alloc(staging > 0 ? staging : 1);
        status = p->staging != NULL ? MB_OK : mb_fail_memory(err, staging, "copies to and from the device");
    }
    return status;
}

/* Also a half-made plan. Without the device (it broke) only the host's memory is freed. */
void mb_plan_device_free(mb_plan *p)
{
    const mb_backend *b = p->backend;
    mb_error broken = {0}; /* a dead device's memory is gone anyway */
    bool inside = b->memory->enter(b->device, &broken) == MB_OK;
    b->memory->captured_free(b->device, p->captured);
    if (p->arena != NULL) {
        b->memory->free(b->device, p->arena);
    }
    if (p->staging_pinned) {
        b->memory->unpin(b->device, p->staging);
    } else {
        mb_free(p->staging);
    }
    if (inside) {
        b->memory->leave(b->device);
    }
    for (int v = 0; p->locations != NULL && v < p->graph->n_values; v++) {
        mb_free(p->locations[v].host_copy);
    }
}
