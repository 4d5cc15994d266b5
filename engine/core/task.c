/* A task travels with a piece of work: threads, the question whether to stop, progress, warnings. All fields may be
 * missing, and a NULL task means none of it, so inner functions need no other signature for tests. */
#include "core/task.h"

#include <stdarg.h>
#include <stdio.h>

mb_status mb_task_check(const mb_task *task, mb_error *err)
{
    return mb_should_stop(task) ? mb_fail(err, MB_E_CANCELLED, "cancelled") : MB_OK;
}

/* A cancelled task is reported as cancelled, even if the work failed on the way for lack of what the stop took
 * away. */
mb_status mb_task_result(const mb_task *task, mb_status status, mb_error *err)
{
    if (status == MB_E_CANCELLED || !mb_should_stop(task)) {
        return status;
    }
    if (err != NULL && status != MB_OK) {
        *err = (mb_error){0};
    }
    return mb_task_check(task, err);
}

/* Where the work of `task` lies in the whole. */
static double share_of(const mb_task *task)
{
    return task->share > 0.0 ? task->share : 1.0;
}

/* `done` is the share of this task's own work, 0 to 1; the caller sees it as a share of the whole. */
void mb_report_progress(const mb_task *task, double done)
{
    if (task != NULL && task->report_progress != NULL) {
        task->report_progress(task->user, task->first + share_of(task) * done);
    }
}

/* A part that begins at `first` of the task's work and takes `share` of it. Parts of parts multiply. */
mb_task mb_task_part(const mb_task *task, double first, double share)
{
    mb_task part = {0};
    if (task != NULL) {
        part = *task;
        part.first = task->first + share_of(task) * first;
        part.share = share_of(task) * (share > 1e-9 ? share : 1e-9); /* 0 would stand for everything */
    }
    return part;
}

/* For work inside a loop that already uses all threads: the pool takes one job at a time. */
mb_task mb_task_serial(const mb_task *task)
{
    mb_task serial = {0};
    if (task != NULL) {
        serial = *task;
        serial.pool = NULL;
    }
    return serial;
}

typedef struct task_loop {
    const mb_task *task;
    mb_range_fn fn;
    void *arg;
} task_loop;

/* Chunks that begin after a stop do nothing; the loop still runs to its end, and mb_task_for reports the stop. */
static void run_chunk(void *arg, size_t begin, size_t end, int worker)
{
    const task_loop *loop = arg;
    if (!mb_should_stop(loop->task)) {
        loop->fn(loop->arg, begin, end, worker);
    }
}

/* The thread that started the work may be the only one that can learn of a stop (pipeline/progress.h): it keeps asking
 * while the others compute. */
static void poll(void *task)
{
    (void)mb_should_stop(task);
}

mb_status mb_task_for(const mb_task *task, size_t n, size_t grain, mb_range_fn fn, void *arg, mb_error *err)
{
    task_loop loop = {task, fn, arg};
    mb_task waiting = task != NULL ? *task : (mb_task){0};
    mb_parallel_for_long(mb_task_pool(task), n, grain, run_chunk, &loop, (mb_waiting){poll, &waiting});
    return mb_task_check(task, err);
}

/* Beyond MB_MAX_WARNINGS further ones are dropped. Not for several threads at once. */
void mb_task_warn(const mb_task *task, int code, const char *format, ...)
{
    mb_warnings *w = task != NULL ? task->warnings : NULL;
    if (w == NULL || w->n >= MB_MAX_WARNINGS) {
        return;
    }
    va_list args;
    va_start(args, format);
    w->item[w->n].code = code;
    (void)vsnprintf(w->item[w->n].text, sizeof w->item[w->n].text, format, args);
    va_end(args);
    w->n++;
}
