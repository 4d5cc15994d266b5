/* The caller's progress callback, called often enough to cancel within some hundredths of a second, and always in the
 * thread that called the library, although the work is done by many. */
#ifndef MB_PIPELINE_PROGRESS_H
#define MB_PIPELINE_PROGRESS_H

#include "core/cancel.h"
#include "core/status.h"

#include <pthread.h>
#include <stdatomic.h>

/* Lives in one run. Set up by mb_watch_begin; stages may change in between. */
typedef struct mb_watch {
    mb_progress_callback call; /* NULL: never stops */
    void *user;
    pthread_t owner;
    atomic_bool stopped; /* stays true */
    double last_ms;      /* when the callback was called */
    double first, share; /* of the whole task: what this stage covers */
    double done;         /* 0 .. 1 of the stage */
    const char *stage, *item;
} mb_watch;

void mb_watch_begin(mb_watch *w, mb_progress_callback call, void *user);
/* A new stage, reported at once. */
void mb_watch_stage(mb_watch *w, const char *stage, double first, double share);
/* Tells the callback and returns non-zero if the work is to stop: an mb_progress_fn. */
int mb_watch_node(void *watch, double done, const char *item);
/* The same question from inside: the callback is called when it is due. */
mb_cancel mb_watch_cancel(mb_watch *w);

/* MB_E_CANCELLED after a stop, whatever `status` the work returned meanwhile. */
MB_MUST_CHECK mb_status mb_watch_status(mb_watch *w, mb_status status, mb_error *err);

#endif
