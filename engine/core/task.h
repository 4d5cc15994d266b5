/* The circumstances of long work: which threads compute it, when it has to stop, how far it is, how much memory it may
 * take and where its warnings go. `const mb_task *task` is the first parameter of everything that may take more than a
 * few milliseconds. NULL and a task of {0} mean: compute in the calling thread, never stop, report and warn nobody.
 *
 * How to write such work
 *   - Loops over pixels or rows go through mb_task_for.
 *   - Serial loops poll mb_should_stop every MB_POLL_STRIDE simple steps or every few rows: well under 10 ms.
 *   - A function with several stages gives each one a part of its own progress: mb_task_part.
 *   - Inside a worker of mb_task_for the pool is busy: pass mb_task_serial(task) on.
 *
 * Threads: the task belongs to the thread that started the work and must outlive it. Every function here that takes a
 * const mb_task may be called by any of its workers, except mb_task_for, which belongs to the thread that started the
 * work, and mb_task_warn, which only one thread at a time may call. */
#ifndef MB_CORE_TASK_H
#define MB_CORE_TASK_H

#include "core/status.h"
#include "core/threads.h"

#include <stdbool.h>
#include <stddef.h>

#define MB_MAX_WARNINGS 8

/* What the user should know about a result. The meaning of `code` is that of the folder that warns (matting/matte.h). */
typedef struct mb_warnings {
    int n;
    struct {
        int code;
        char text[160]; /* one line */
    } item[MB_MAX_WARNINGS];
} mb_warnings;

typedef struct mb_task {
    mb_pool *pool; /* borrowed; NULL: the calling thread alone */
    /* Cancellation: true asks the work to return MB_E_CANCELLED within 50 ms. Once true it stays true. Polled by all
     * workers at once, as often as every few microseconds. NULL: never stop. */
    bool (*should_stop)(void *user);
    /* Receives how far the whole is, 0 .. 1; several workers may call at once, and values may come out of order.
     * NULL: nobody wants to know. */
    void (*report_progress)(void *user, double done);
    void *user;          /* of both hooks */
    double first, share; /* where this work lies in the whole: [first, first + share]; share 0 counts as 1 */
    size_t memory_limit; /* bytes that the work may hold beside its inputs and results; 0: no limit known */
    mb_warnings *warnings;
} mb_task;

/* Poll interval of serial loops whose steps take nanoseconds (pixels, rows of a sparse matrix). */
#define MB_POLL_STRIDE 32768

static inline mb_pool *mb_task_pool(const mb_task *task)
{
    return task != NULL ? task->pool : NULL;
}

/* Workers that mb_task_for uses, the caller included: its `worker` is below this. */
static inline int mb_task_workers(const mb_task *task)
{
    return mb_pool_size(mb_task_pool(task));
}

static inline bool mb_should_stop(const mb_task *task)
{
    return task != NULL && task->should_stop != NULL && task->should_stop(task->user);
}

/* MB_E_CANCELLED (with its message) after a stop, else MB_OK. */
MB_MUST_CHECK mb_status mb_task_check(const mb_task *task, mb_error *err);
/* MB_E_CANCELLED after a stop, whatever error the interrupted work has recorded, else `status`. */
MB_MUST_CHECK mb_status mb_task_result(const mb_task *task, mb_status status, mb_error *err);

/* done: 0 .. 1 of this task's own work. */
void mb_report_progress(const mb_task *task, double done);

/* The same task for one stage of its work, which covers [first, first + share] of it. */
mb_task mb_task_part(const mb_task *task, double first, double share);
/* The same task without its pool: for work inside a worker. */
mb_task mb_task_serial(const mb_task *task);

/* mb_parallel_for on the task's pool. Chunks that have not begun when the task has to stop are left out, and the result
 * is MB_E_CANCELLED. The cut into chunks depends on n and grain alone. While the others finish, the calling thread goes
 * on polling, so that chunks may take longer than the 50 ms if they poll themselves. */
MB_MUST_CHECK mb_status mb_task_for(const mb_task *task, size_t n, size_t grain, mb_range_fn fn, void *arg,
                                    mb_error *err);

/* Adds a warning; beyond MB_MAX_WARNINGS it is dropped. */
void mb_task_warn(const mb_task *task, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
