/* A fixed pool of workers and one way to use it. */
#ifndef MB_CORE_THREADS_H
#define MB_CORE_THREADS_H

#include "core/status.h"

typedef struct mb_pool mb_pool;

/* n_threads >= 1 counts the caller; 0 takes the processors this process may run on. */
MB_MUST_CHECK mb_status mb_pool_create(mb_pool **out, int n_threads, mb_error *err);
void mb_pool_free(mb_pool *pool);
int mb_pool_size(const mb_pool *pool); /* workers, the caller included; 1 for a NULL pool */

/* Work on items [begin, end); `worker` in [0, mb_pool_size) is unique among the calls that run at one time, so it may
 * index scratch memory. */
typedef void (*mb_range_fn)(void *arg, size_t begin, size_t end, int worker);

/* For work that knows its pool but no task: the kernels of a network. While a task is set (borrowed; NULL takes it
 * away), mb_parallel_for leaves out the chunks that have not begun when that task has to stop. What was computed is then
 * incomplete: only for results that are thrown away after a stop and never used as indices meanwhile. */
struct mb_task;
void mb_pool_set_task(mb_pool *pool, const struct mb_task *task);

/* Cuts [0, n) into chunks of `grain` items (the last may be shorter) and runs them on all workers; returns when all are
 * done. The cut depends on n and grain only, so results that depend on chunks do not depend on the number of threads.
 * No nesting. One caller at a time. A NULL pool runs in the caller. */
void mb_parallel_for(mb_pool *pool, size_t n, size_t grain, mb_range_fn fn, void *arg);

/* The same for chunks that may take long: when the caller has no chunk left to run, it calls `while_waiting` every
 * MB_WAIT_MS until the other workers are done. */
#define MB_WAIT_MS 10
typedef struct mb_waiting {
    void (*call)(void *user);
    void *user;
} mb_waiting;
void mb_parallel_for_long(mb_pool *pool, size_t n, size_t grain, mb_range_fn fn, void *arg, mb_waiting while_waiting);

#endif
