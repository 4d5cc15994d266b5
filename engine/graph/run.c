/* Runs of a plan: on the CPU the executor's loop, on a device the loop between copies (device_run.c). */
#include "graph/plan.h"

/* The end is reported too, with share 1: the last chance to cancel. */
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

/* Sets the plan's check for one run; slow, and never replayed from a recording. */
mb_status mb_plan_run_checked(mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    bool before = p->check;
    p->check = true;
    p->bad_node = -1;
    mb_status status = mb_plan_prepare_check(p, err);
    if (status == MB_OK) {
        status = mb_plan_run_io(p, io, NULL, NULL, err);
    }
    p->check = before;
    return status;
}

/* The checked run names the first bad node. */
mb_status mb_plan_explain(mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    mb_error found = {0};
    mb_status status = mb_plan_run_checked(p, io, &found);
    if (p->bad_node >= 0) {
        return mb_fail(err, MB_E_FORMAT,
                       "the model gave %s at %s\nits weights are damaged, or too large for %s: convert the checkpoint "
                       "again, or train on",
                       p->bad_is_nan ? "NaN" : "infinite values", p->graph->nodes[p->bad_node].name,
                       mb_dtype_name(p->backend->activations));
    }
    return status != MB_OK ? mb_fail(err, status, "%s", found.message)
                           : mb_fail(err, MB_E_FORMAT, "the model's result contains NaN");
}
