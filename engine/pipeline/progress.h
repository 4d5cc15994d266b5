/* The caller's progress callback behind an mb_task: called often enough to cancel within some hundredths of a second,
 * and always in the thread that called the library, although the work is done by many. What it is told never falls. */
#ifndef MB_PIPELINE_PROGRESS_H
#define MB_PIPELINE_PROGRESS_H

#include "core/task.h"

#include <stdatomic.h>
#include <stdint.h>

/* Lives as long as the tasks that lead to it. */
typedef struct mb_progress_relay {
    mb_progress_callback call;
    void *user;
    uintptr_t owner;     /* mb_thread_id */
    atomic_bool stopped; /* stays true */
    double last_ms;      /* when the callback was called */
    double done;         /* 0 .. 1 of the whole */
    const char *stage, *item;
} mb_progress_relay;

/* The task of everything that one call of the library does, on `pool`. call: may be NULL, then it never stops. */
mb_task mb_progress_begin(mb_progress_relay *r, mb_progress_callback call, void *user, mb_pool *pool);

/* The task of a stage that covers [first, first + share] of `whole`, which comes from mb_progress_begin. `stage` (lives
 * as long as the program) is reported at once. The thread that began. */
mb_task mb_progress_stage(const mb_task *whole, const char *stage, double first, double share);

/* An mb_progress_fn for the runner; `task`: a const mb_task of a stage. Calls the callback with the node's name, and
 * returns non-zero if the work has to stop. */
int mb_progress_node(void *task, double done, const char *item);

#endif
