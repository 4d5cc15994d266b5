/* The loop. Allocates nothing, decides nothing: every decision is in the plan. */
#define _GNU_SOURCE
#include "graph/plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* A step, its time, and what it made where that is asked for. */
static mb_status run_step(mb_plan *p, mb_step *s, bool wait, mb_error *err)
{
    double begin = now_ms();
    mb_status status = s->kernel->run(&s->call, err);
    if (status == MB_OK && wait) {
        status = p->backend->memory->wait(p->backend->device, err);
    }
    s->ms = now_ms() - begin;
    if (status == MB_OK && p->check) {
        status = mb_plan_check_step(p, s, err);
    }
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", p->graph->nodes[s->node].name);
    }
    return status;
}

mb_status mb_plan_run_steps(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err)
{
    const char *sync = getenv("MATTEBOX_CUDA_SYNC");
    bool wait = p->backend->memory != NULL && sync != NULL && strcmp(sync, "1") == 0;
    double total = 0, done = 0;
    for (int t = 0; t < p->n_steps; t++) {
        total += p->steps[t].weight;
    }
    for (int t = 0; t < p->n_steps; t++) {
        mb_step *s = &p->steps[t];
        const char *name = p->graph->nodes[s->node].name;
        if (on_progress != NULL && on_progress(user, total > 0 ? done / total : 0.0, name) != 0) {
            return mb_fail(err, MB_E_CANCELLED, "cancelled at %s", name);
        }
        mb_status status = run_step(p, s, wait, err);
        if (status != MB_OK) {
            return status;
        }
        done += s->weight;
    }
    return MB_OK;
}

mb_status mb_plan_run_io(mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user, mb_error *err)
{
    mb_status status = p->backend->memory != NULL ? mb_plan_run_device(p, io, on_progress, user, err)
                                                  : mb_plan_run_steps(p, on_progress, user, err);
    if (status == MB_OK && on_progress != NULL && on_progress(user, 1.0, "") != 0) {
        return mb_fail(err, MB_E_CANCELLED, "cancelled");
    }
    return status;
}

mb_status mb_plan_run(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err)
{
    return mb_plan_run_io(p, NULL, on_progress, user, err);
}

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

int mb_plan_n_taps(const mb_plan *p)
{
    int n = 0;
    for (int v = 0; v < p->graph->n_values; v++) {
        n += p->graph->values[v].kept;
    }
    return n;
}

int mb_plan_n_nodes(const mb_plan *p)
{
    return p->n_steps;
}

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
