/* What a plan shows: views of its values by name, the list of kept values, one row per node. */
#include "graph/plan.h"

#include <string.h>

/* Built like the call of a node that reads the value, so that slices get their pitch. */
mb_view mb_plan_own_view(const mb_plan *p, const char *name)
{
    mb_view none = {0};
    int value = mb_graph_find(p->graph, name);
    if (value < 0 || p->arena == NULL || p->locations[value].block < 0) {
        return none;
    }
    mb_node reader = {.op = MB_OP_COUNT, .in = {value}, .n_in = 1, .out = value};
    mb_call call;
    mb_graph_call(p->graph, &reader, &call);
    call.out.data = p->arena + p->locations[value].byte_offset;
    call.out.dtype = p->locations[value].dtype;
    return call.out;
}

/* What the caller reads and writes: on a device the host copy of the value, dense and f32, else the arena itself. */
mb_view mb_plan_view(const mb_plan *p, const char *name)
{
    mb_view v = mb_plan_own_view(p, name), none = {0};
    if (p->backend->memory != NULL && mb_view_present(&v)) { /* the caller sees the host's copy: dense, f32 */
        v.data = p->locations[mb_graph_find(p->graph, name)].host_copy;
        v.pitch = v.dims[1];
        v.dtype = MB_F32;
        return v.data != NULL ? v : none;
    }
    return v;
}

/* Kept values by their taps' names; those without one by their own. */
const char *mb_plan_tap_name(const mb_plan *p, int i)
{
    const mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        if (g->values[v].kept && i-- == 0) {
            for (int k = 0; k < g->n_taps; k++) {
                if (g->taps[k].value == v) {
                    return g->taps[k].name;
                }
            }
            return g->values[v].name;
        }
    }
    return NULL;
}

/* Outputs are kept values too, so they count. */
int mb_plan_n_taps(const mb_plan *p)
{
    int n = 0;
    for (int v = 0; v < p->graph->n_values; v++) {
        n += p->graph->values[v].kept;
    }
    return n;
}

/* All bits of the exponent set: infinite or NaN. Without a branch inside, so that it costs no more than reading. */
static bool all_finite(const float *v, int64_t n)
{
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return bad == 0;
}

/* All outputs and taps. Those that are slices have gaps between their pixels, which belong to others. */
bool mb_plan_is_finite(const mb_plan *p)
{
    bool finite = true;
    for (int i = 0; i < mb_plan_n_taps(p) && finite; i++) {
        mb_view v = mb_plan_view(p, mb_plan_tap_name(p, i));
        const bool packed = v.pitch == v.dims[1];
        const int64_t rows = packed ? 1 : mb_view_tokens(&v), n = packed ? mb_view_count(&v) : v.dims[1];
        for (int64_t t = 0; t < rows && finite; t++) {
            finite = all_finite((const float *)v.data + t * v.pitch, n);
        }
    }
    return finite;
}

int mb_plan_n_nodes(const mb_plan *p)
{
    return p->n_steps;
}

/* Names are those of the graph, valid as long as the plan. */
mb_node_profile mb_plan_profile(const mb_plan *p, int i)
{
    const mb_step *s = &p->steps[i];
    const mb_node *n = &p->graph->nodes[s->node];
    mb_node_profile row = {.name = n->name,
                           .op = mb_op_get_rule(n->op)->name,
                           .kernel = s->kernel->name,
                           .ms = s->ms,
                           .macs = s->macs,
                           .bytes = s->bytes};
    memcpy(row.out_dims, s->call.out.dims, sizeof row.out_dims);
    return row;
}
