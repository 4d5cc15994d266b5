/* Plans on a back end with memory of its own: the arena lies there, the caller sees dense f32 copies ("mirrors") of
 * inputs and kept values in host memory. Inputs go over before a run, kept values come back after it; nothing is
 * allocated then. Maps between nodes may be 16 bit. */
#include "core/alloc.h"
#include "graph/plan.h"

#include <string.h>

static bool is_mirrored(const mb_plan *p, int v)
{
    const mb_value_info *info = &p->graph->values[v];
    bool lives = info->kind == MB_VALUE_INPUT || info->producer >= 0;
    return lives && p->locations[v].block >= 0 && (info->kept || info->kind == MB_VALUE_INPUT);
}

static int widest(const mb_graph *g, int v)
{
    while (g->values[v].alias_of >= 0) {
        v = g->values[v].alias_of;
    }
    return v;
}

/* f32 stay: maps of one channel (gates, logits, alphas: their last bits are seen, and they cost nothing), and the
 * offsets and modulators of deformable convolutions (positions of 1/64 pixel). A slice has the type of the map it lies
 * in. Constants are f32 in host memory always; kernels round them when they prepare. */
void mb_plan_choose_types(mb_plan *p)
{
    const mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        bool narrow = !mb_graph_is_constant(g, v) && g->values[v].dims[1] > 1;
        p->locations[v].dtype = narrow ? p->backend->activations : MB_F32;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const mb_node *n = &g->nodes[i];
        if (!n->removed && n->op == MB_OP_deform_conv2d) {
            p->locations[widest(g, n->in[1])].dtype = MB_F32;
            p->locations[widest(g, n->in[2])].dtype = MB_F32;
        }
    }
    for (int v = 0; v < g->n_values; v++) {
        p->locations[v].dtype = p->locations[widest(g, v)].dtype;
    }
}

/* From the first element of a value to behind its last, gaps of the wider map included. */
static size_t span_bytes(const mb_plan *p, int v)
{
    const mb_graph *g = p->graph;
    const int64_t *d = g->values[v].dims;
    size_t tokens = (size_t)(d[0] * d[2] * d[3]), pitch = (size_t)g->values[widest(g, v)].dims[1];
    return ((tokens - 1) * pitch + (size_t)d[1]) * mb_dtype_size(p->locations[v].dtype);
}

mb_status mb_plan_device_memory(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    size_t most = 1;
    void *arena = NULL;
    mb_status status = b->memory->use(b->device, err);
    if (status == MB_OK) {
        status = b->memory->alloc(b->device, &arena, p->figures.arena_bytes, "the plan's activations", err);
        p->arena = arena;
    }
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const int64_t *d = p->graph->values[v].dims;
        if (is_mirrored(p, v)) {
            size_t floats = (size_t)(d[0] * d[1] * d[2] * d[3]);
            most = span_bytes(p, v) > most ? span_bytes(p, v) : most;
            p->locations[v].mirror = mb_alloc_array(floats, sizeof(float));
            if (p->locations[v].mirror == NULL) {
                status = mb_fail_memory(err, floats * sizeof(float), p->graph->values[v].name);
            }
        }
    }
    p->staging = status == MB_OK ? mb_alloc(most) : NULL;
    return status == MB_OK && p->staging == NULL ? mb_fail_memory(err, most, "copies to and from the device") : status;
}

void mb_plan_device_free(mb_plan *p)
{
    if (p->arena != NULL) {
        p->backend->memory->free(p->backend->device, p->arena);
    }
    for (int v = 0; p->locations != NULL && v < p->graph->n_values; v++) {
        mb_free(p->locations[v].mirror);
    }
    mb_free(p->staging);
}

mb_status mb_plan_upload(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = b->memory->use(b->device, err);
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const mb_location *l = &p->locations[v];
        if (p->graph->values[v].kind != MB_VALUE_INPUT || l->mirror == NULL) {
            continue;
        }
        const int64_t *d = p->graph->values[v].dims; /* an input is never a slice: dense */
        mb_narrow(p->staging, l->mirror, l->dtype, (size_t)(d[0] * d[1] * d[2] * d[3]));
        status = b->memory->copy_in(b->device, p->arena + l->byte_offset, p->staging, span_bytes(p, v), err);
        if (status == MB_OK) {
            status = b->memory->wait(b->device, err); /* the staging memory is used again */
        }
    }
    return status;
}

mb_status mb_plan_download(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = b->memory->wait(b->device, err); /* faults of the kernels show here */
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const mb_location *l = &p->locations[v];
        if (p->graph->values[v].kind == MB_VALUE_INPUT || l->mirror == NULL) {
            continue;
        }
        const int64_t *d = p->graph->values[v].dims;
        size_t channels = (size_t)d[1], pitch = (size_t)p->graph->values[widest(p->graph, v)].dims[1];
        status = b->memory->copy_out(b->device, p->staging, p->arena + l->byte_offset, span_bytes(p, v), err);
        if (status == MB_OK) {
            status = b->memory->wait(b->device, err);
        }
        for (size_t t = 0; t < (size_t)(d[0] * d[2] * d[3]) && status == MB_OK; t++) {
            const char *from = (const char *)p->staging + t * pitch * mb_dtype_size(l->dtype);
            mb_widen(l->mirror + t * channels, from, l->dtype, channels);
        }
    }
    return status;
}
