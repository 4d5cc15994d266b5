/* The loop over the steps of a plan. Allocates nothing, decides nothing: every decision is in the plan. Who calls it:
 * run.c on the CPU, device_run.c on a device. */
#include "graph/plan.h"

#include "core/clock.h"
#include "core/os_process.h"

#include <stdlib.h>
#include <string.h>

/* One step, its time, and the check of its result where that is asked for. wait: for the device, so that the time is
 * that of the work and not of its launch. */
static mb_status run_step(mb_plan *p, mb_step *s, bool wait, mb_error *err)
{
    double begin = mb_clock_ms();
    mb_status status = s->kernel->run(&s->call, err);
    if (status == MB_OK && wait) {
        status = p->backend->memory->wait(p->backend->device, err);
    }
    s->ms = mb_clock_ms() - begin;
    if (status == MB_OK && p->check) {
        status = mb_plan_check_step(p, s, err);
    }
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", p->graph->nodes[s->node].name);
    }
    return status;
}

/* on_progress is called before each step with the share of the work that is done and the node's name. With
 * MATTEBOX_CUDA_SYNC=1 each step is waited for, which makes the times of a profile those of the kernels. */
mb_status mb_plan_run_steps(mb_plan *p, mb_progress_fn on_progress, void *user, mb_error *err)
{
    const char *sync = mb_os_env("MATTEBOX_CUDA_SYNC");
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
