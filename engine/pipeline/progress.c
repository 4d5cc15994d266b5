#include "pipeline/progress.h"

#include "pipeline/context.h"

#define DUE_MS 15.0

void mb_watch_begin(mb_watch *w, mb_progress_callback call, void *user)
{
    *w = (mb_watch){.call = call, .user = user, .owner = pthread_self(), .share = 1.0, .stage = "", .item = ""};
}

/* Calls the callback: only ever in the thread that called the library. */
static void tell(mb_watch *w, double now)
{
    mb_progress p = {w->first + w->share * w->done, w->stage, w->item};
    w->last_ms = now;
    if (w->call(w->user, &p) != 0) {
        atomic_store_explicit(&w->stopped, true, memory_order_relaxed);
    }
}

/* From any thread: has it been stopped? In the caller's own thread it calls the callback when that is due. */
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

/* Workers know their own part of the work only, so only the caller's thread says how far it is. */
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

/* `done` starts again at 0: first and share say which part of the whole the stage fills. */
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

/* Between two nodes of a network the callback is called at once: nodes take long enough. */
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

/* Work that was stopped half-way may have failed in some other way; that is no news to who stopped it. */
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
