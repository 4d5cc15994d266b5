#include "core/task.h"

#include <stdarg.h>
#include <stdio.h>

mb_status mb_task_check(const mb_task *task, mb_error *err)
{
    return mb_should_stop(task) ? mb_fail(err, MB_E_CANCELLED, "cancelled") : MB_OK;
}

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

void mb_report_progress(const mb_task *task, double done)
{
    if (task != NULL && task->report_progress != NULL) {
        task->report_progress(task->user, task->first + share_of(task) * done);
    }
}

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
