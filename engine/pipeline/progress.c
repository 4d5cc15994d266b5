#include "pipeline/progress.h"

#include "core/clock.h"
#include "core/os_thread.h"

#define DUE_MS 15.0 /* between two calls of the callback */

/* Calls the callback. The owner alone. */
static void tell(mb_progress_relay *r)
{
    mb_progress p = {r->done, r->stage, r->item};
    r->last_ms = mb_clock_ms();
    if (r->call(r->user, &p) != 0) {
        atomic_store_explicit(&r->stopped, true, memory_order_relaxed);
    }
}

static bool should_stop(void *user)
{
    mb_progress_relay *r = user;
    if (atomic_load_explicit(&r->stopped, memory_order_relaxed)) {
        return true;
    }
    if (mb_thread_id() == r->owner && mb_clock_ms() - r->last_ms >= DUE_MS) {
        tell(r);
    }
    return atomic_load_explicit(&r->stopped, memory_order_relaxed);
}

/* What workers report is left to the owner, who is one of them. */
static void report_progress(void *user, double done)
{
    mb_progress_relay *r = user;
    if (mb_thread_id() == r->owner && done > r->done && done <= 1.0) {
        r->done = done;
        (void)should_stop(r);
    }
}

mb_task mb_progress_begin(mb_progress_relay *r, mb_progress_callback call, void *user, mb_pool *pool)
{
    *r = (mb_progress_relay){.call = call, .user = user, .owner = mb_thread_id(), .stage = "", .item = ""};
    mb_task task = {.pool = pool};
    if (call != NULL) {
        task.should_stop = should_stop;
        task.report_progress = report_progress;
        task.user = r;
    }
    return task;
}

mb_task mb_progress_stage(const mb_task *whole, const char *stage, double first, double share)
{
    mb_progress_relay *r = whole->user;
    mb_task part = mb_task_part(whole, first, share);
    if (r != NULL) {
        r->stage = stage;
        r->item = "";
        r->done = part.first > r->done ? part.first : r->done;
        if (!atomic_load(&r->stopped)) {
            tell(r);
        }
    }
    return part;
}

int mb_progress_node(void *task, double done, const char *item)
{
    const mb_task *t = task;
    mb_progress_relay *r = t->user;
    if (r == NULL) {
        return 0;
    }
    double now = t->first + t->share * done;
    r->item = item != NULL ? item : "";
    r->done = now > r->done && now <= 1.0 ? now : r->done;
    if (!atomic_load(&r->stopped)) {
        tell(r);
    }
    return atomic_load(&r->stopped);
}
