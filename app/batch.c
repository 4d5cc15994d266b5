/* Three stages over a small ring of jobs: a loader thread, computing in the caller (and one more thread
 * for each further device), a saver thread that also reports. Loading and saving handle the jobs in order;
 * who computes takes the next one, and starts it before the one in hand is finished, so that a GPU goes on
 * while the host refines.
 *
 * Memory is bounded by the number of slots, whatever the length of the list: the loader waits for the
 * saver. Time is that of the slowest stage. Stopping needs no message between threads: each stage asks
 * interrupted() and passes its jobs on as cancelled, so every job is counted and every thread ends. */
#include "batch.h"
#include "commands.h"
#include "message.h"

#include "core/os_thread.h"

#include <string.h>

/* Pictures in memory at once: one loading or loaded, one saving, one started, and one computing on each device. */
#define SLOTS(n_devices) (3 + (n_devices))

typedef struct ring {
    batch *b;
    job slots[SLOTS(MAX_DEVICES)];
    int n_slots;
    int finished[SLOTS(MAX_DEVICES)]; /* 1 + the last job of this slot that has been computed */
    int loaded, taken, saved;         /* jobs that have passed each stage; taken: begun to be computed */
    mb_mutex lock;
    mb_condition changed;
} ring;

/* One device's share of the computing. */
typedef struct lane {
    ring *r;
    mb_pipeline *pipeline;
    int current; /* the job that is being computed, for the progress line */
} lane;

/* Failures are counted by kind, because the exit code of the whole batch depends on which kinds there
 * were. */
static void count_outcome(batch *b, const job *j)
{
    switch (j->state) {
    case JOB_DONE:
        b->n_done++;
        break;
    case JOB_SKIPPED:
        b->n_skipped++;
        break;
    case JOB_CANCELLED:
    case JOB_WAITING:
    case JOB_LOADED:
        b->n_cancelled++;
        break;
    case JOB_FAILED:
        b->n_failed++;
        b->code_output |= j->code == CODE_OUTPUT;
        b->code_machine |= j->code == CODE_MACHINE;
        b->code_model |= j->code == CODE_MODEL;
        b->code_other |= j->code != CODE_OUTPUT && j->code != CODE_MACHINE && j->code != CODE_MODEL;
        break;
    }
}

/* The last stage of a job, after which its slot is free. Reports come from here alone, so that they keep
 * the order of the inputs. */
static void finish_job(ring *r, int i)
{
    job *j = &r->slots[i % r->n_slots];
    job_save(j, r->b);
    report_job(j, r->b);
    count_outcome(r->b, j);
    job_dispose(j);
}

/* Waits until *counter > beyond. All counters share one condition: there are few threads, and each wakes
 * rarely. */
static void wait_until(ring *r, const int *counter, int beyond)
{
    mb_mutex_lock(&r->lock);
    while (*counter <= beyond) {
        mb_condition_wait(&r->changed, &r->lock);
    }
    mb_mutex_unlock(&r->lock);
}

/* Counts a job as through a stage, and wakes whoever waits for that. */
static void advance(ring *r, int *counter)
{
    mb_mutex_lock(&r->lock);
    ++*counter;
    mb_condition_broadcast(&r->changed);
    mb_mutex_unlock(&r->lock);
}

/* The loader: decodes one picture after the other into the slot that the saver has given back. */
static void *load_all(void *arg)
{
    ring *r = arg;
    for (int i = 0; i < r->b->list->n; i++) {
        if (i >= r->n_slots) {
            wait_until(r, &r->saved, i - r->n_slots); /* the slot's former job is through */
        }
        job *j = &r->slots[i % r->n_slots];
        *j = (job){.it = &r->b->list->v[i]};
        job_load(j, r->b);
        advance(r, &r->loaded);
    }
    return NULL;
}

/* The saver: waits for the jobs in their order, whichever device has computed them, and encodes and
 * reports each. */
static void *save_all(void *arg)
{
    ring *r = arg;
    for (int i = 0; i < r->b->list->n; i++) {
        wait_until(r, &r->finished[i % r->n_slots], i);
        finish_job(r, i);
        advance(r, &r->saved);
    }
    return NULL;
}

/* "[3/40] cat.jpg  network 43 %  0:12 left" */
static int on_progress(void *user, const mb_progress *p)
{
    const lane *l = user;
    const batch *b = l->r->b;
    if (message_has_terminal()) {
        double total = b->list->n, done = l->current + p->done;
        double elapsed = clock_ms() - b->started_ms;
        double left = done > 0.02 ? elapsed * (total - done) / done / 1e3 : 0.0;
        const char *path = b->list->v[l->current].path, *slash = strrchr(path, '/');
        char text[256];
        int n = snprintf(text, sizeof text, "[%d/%d] %.60s  %s %.0f %%", l->current + 1, b->list->n,
                         slash != NULL ? slash + 1 : path, p->stage, 100.0 * p->done);
        if (done > 0.02 && n > 0 && (size_t)n < sizeof text) {
            (void)snprintf(text + n, sizeof text - (size_t)n, "  %d:%02d left", (int)left / 60, (int)left % 60);
        }
        message_progress(text);
    }
    return interrupted();
}

/* The next job to compute, or -1: after the last, and if not to wait, when it is not loaded yet. */
static int take_job(ring *r, int wait)
{
    mb_mutex_lock(&r->lock);
    int i = r->taken < r->b->list->n && (wait || r->taken < r->loaded) ? r->taken++ : -1;
    mb_mutex_unlock(&r->lock);
    if (i >= 0) {
        wait_until(r, &r->loaded, i);
    }
    return i;
}

/* Finishes a job that was started, in the thread of its device. */
static void compute(lane *l, int i)
{
    ring *r = l->r;
    l->current = i;
    job_compute(&r->slots[i % r->n_slots], r->b, l->pipeline);
}

/* One device's loop, with two pictures in hand: the next is started (its upload and network are queued)
 * before the one in hand is finished, so that the GPU works while the host refines and composes. Without a
 * picture in hand it waits for the next; with one it takes the next only if it is loaded, and finishes
 * what it has otherwise. */
static void *compute_all(void *arg)
{
    lane *l = arg;
    ring *r = l->r;
    int started = -1;
    for (;;) {
        int i = take_job(r, started < 0);
        if (i >= 0) {
            l->current = i;
            job_start(&r->slots[i % r->n_slots], r->b, l->pipeline);
        }
        if (started >= 0) {
            compute(l, started);
            mb_mutex_lock(&r->lock);
            r->finished[started % r->n_slots] = started + 1;
            mb_condition_broadcast(&r->changed);
            mb_mutex_unlock(&r->lock);
        } else if (i < 0) {
            return NULL;
        }
        started = i;
    }
}

/* Without threads: every job through all stages. */
static void run_alone(ring *r, lane *l)
{
    for (int i = 0; i < r->b->list->n; i++) {
        job *j = &r->slots[0];
        *j = (job){.it = &r->b->list->v[i]};
        l->current = i;
        job_load(j, r->b);
        job_start(j, r->b, l->pipeline);
        compute(l, i);
        finish_job(r, 0);
    }
}

/* Starts loader, saver and a thread for each further device; the caller computes for the first. Threads
 * that cannot be had are done without: no saver, and the caller saves; no loader, and nothing overlaps.
 * The results are the same. */
static void run_threaded(ring *r, lane *lanes, int n_lanes)
{
    mb_thread loader, saver, computers[MAX_DEVICES];
    int has[MAX_DEVICES] = {0};
    if (mb_thread_start(&loader, load_all, r) != 0) {
        run_alone(r, &lanes[0]);
        return;
    }
    int has_saver = mb_thread_start(&saver, save_all, r) == 0;
    for (int i = 1; i < n_lanes; i++) {
        has[i] = has_saver && mb_thread_start(&computers[i], compute_all, &lanes[i]) == 0;
    }
    if (has_saver) {
        (void)compute_all(&lanes[0]);
    }
    for (int i = 0; i < r->b->list->n && !has_saver; i++) {
        wait_until(r, &r->loaded, i);
        lanes[0].current = i;
        job_start(&r->slots[i % r->n_slots], r->b, lanes[0].pipeline);
        compute(&lanes[0], i);
        finish_job(r, i);
        advance(r, &r->saved);
    }
    for (int i = 1; i < n_lanes; i++) {
        if (has[i]) {
            mb_thread_join(computers[i]);
        }
    }
    if (has_saver) {
        mb_thread_join(saver);
    }
    mb_thread_join(loader);
}

/* One code for the whole batch: what the user has to do something about first comes first. */
static int exit_code(const batch *b)
{
    if (interrupted()) {
        return CODE_INTERRUPTED;
    }
    if (b->code_output) {
        return CODE_OUTPUT;
    }
    if (b->n_failed == 0 && b->list->unread > 0) {
        return CODE_SOME;
    }
    if (b->n_failed == 0) {
        return CODE_OK;
    }
    if (b->list->missing == b->n_failed && b->n_done + b->n_skipped == 0) {
        return CODE_USAGE; /* nothing that was named exists */
    }
    if (b->code_model && !b->code_machine && !b->code_other && b->n_done == 0) {
        return CODE_MODEL;
    }
    return b->code_machine && !b->code_model && !b->code_other && b->n_done == 0 ? CODE_MACHINE : CODE_SOME;
}

/* The ring lies on this stack frame: all threads have been joined when it ends. */
void batch_pass(batch *b)
{
    ring r = {.b = b,
              .n_slots = SLOTS(b->n_pipelines > 0 ? b->n_pipelines : 1),
              .lock = MB_MUTEX_INIT,
              .changed = MB_CONDITION_INIT};
    lane lanes[MAX_DEVICES] = {{.r = &r}};
    for (int i = 0; i < b->n_pipelines; i++) {
        lanes[i] = (lane){&r, b->pipelines[i], 0};
        mb_pipeline_set_progress(b->pipelines[i], on_progress, &lanes[i]);
    }
    if (b->list->n == 1) { /* nothing to overlap with */
        run_alone(&r, &lanes[0]);
    } else {
        run_threaded(&r, lanes, b->n_pipelines);
    }
    for (int i = 0; i < b->n_pipelines; i++) {
        mb_pipeline_set_progress(b->pipelines[i], NULL, NULL);
    }
    message_progress("");
}

int batch_run(batch *b)
{
    b->started_ms = clock_ms();
    batch_pass(b);
    int code = exit_code(b);
    report_summary(b, code);
    return code;
}
