#include "pipeline/progress.h"

#include "pipeline/objects.h"

#define DUE_MS 15.0

void mb_watch_begin(mb_watch *w, mb_progress_callback call, void *user)
{
    *w = (mb_watch){.call = call, .user = user, .owner = pthread_self(), .share = 1.0, .stage = "", .item = ""};
}

static void tell(mb_watch *w, double now)
{
    mb_progress p = {w->first + w->share * w->done, w->stage, w->item};
    w->last_ms = now;
    if (w->call(w->user, &p) != 0) {
        atomic_store_explicit(&w->stopped, true, memory_order_relaxed);
    }
}

static bool asked(void *user)
{
    mb_watch *w = user;
    bool stopped = atomic_load_explicit(&w->stopped, memory_order_relaxed);
    if (!stopped && pthread_equal(pthread_self(), w->owner)) {
        double now = mb_now_ms();
        if (now - w->last_ms >= DUE_MS) {
            tell(w, now);
        }
    }
    return stopped;
}

static void at(void *user, double done)
{
    mb_watch *w = user;
    if (pthread_equal(pthread_self(), w->owner) && done > w->done && done <= 1.0) {
        w->done = done; /* told with the next question */
    }
}

mb_cancel mb_watch_cancel(mb_watch *w)
{
    return w->call != NULL ? (mb_cancel){asked, w, at} : (mb_cancel){0};
}

void mb_watch_stage(mb_watch *w, const char *stage, double first, double share)
{
    w->stage = stage;
    w->first = first;
    w->share = share;
    w->done = 0.0;
    w->item = "";
    if (w->call != NULL && !atomic_load(&w->stopped)) {
        tell(w, mb_now_ms());
    }
}

int mb_watch_node(void *watch, double done, const char *item)
{
    mb_watch *w = watch;
    w->done = done;
    w->item = item != NULL ? item : "";
    if (w->call != NULL && !atomic_load(&w->stopped)) {
        tell(w, mb_now_ms());
    }
    return atomic_load(&w->stopped);
}

mb_status mb_watch_status(mb_watch *w, mb_status status, mb_error *err)
{
    if (!atomic_load(&w->stopped) || status == MB_E_CANCELLED) {
        return status;
    }
    if (err != NULL && status != MB_OK) {
        *err = (mb_error){0}; /* what work says that was stopped half-way is no news */
    }
    return mb_fail(err, MB_E_CANCELLED, "cancelled");
}
