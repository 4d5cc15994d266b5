/* Three stages over a small ring of jobs: a loader thread, computing in the caller, a saver thread that also reports.
 * Each stage handles the jobs in order; counters say how far each is. */
#include "batch.h"
#include "commands.h"
#include "message.h"

#include <pthread.h>
#include <string.h>

#define SLOTS 4 /* pictures in memory at once: one loading or loaded, one computing, one saving, one spare */

typedef struct ring {
    batch *b;
    job slots[SLOTS];
    int loaded, computed, saved; /* jobs that have passed each stage */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int current; /* the job that is being computed, for the progress line */
} ring;

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
        b->code_other |= j->code != CODE_OUTPUT && j->code != CODE_MACHINE;
        break;
    }
}

static void finish_job(ring *r, int i)
{
    job *j = &r->slots[i % SLOTS];
    job_save(j, r->b);
    report_job(j, r->b);
    count_outcome(r->b, j);
    job_dispose(j);
}

static void wait_until(ring *r, const int *counter, int beyond)
{
    (void)pthread_mutex_lock(&r->lock);
    while (*counter <= beyond) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

static void advance(ring *r, int *counter)
{
    (void)pthread_mutex_lock(&r->lock);
    ++*counter;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
}

static void *load_all(void *arg)
{
    ring *r = arg;
    for (int i = 0; i < r->b->list->n; i++) {
        if (i >= SLOTS) {
            wait_until(r, &r->saved, i - SLOTS); /* the slot's former job is through */
        }
        job *j = &r->slots[i % SLOTS];
        *j = (job){.it = &r->b->list->v[i]};
        job_load(j, r->b);
        advance(r, &r->loaded);
    }
    return NULL;
}

static void *save_all(void *arg)
{
    ring *r = arg;
    for (int i = 0; i < r->b->list->n; i++) {
        wait_until(r, &r->computed, i);
        finish_job(r, i);
        advance(r, &r->saved);
    }
    return NULL;
}

/* "[3/40] cat.jpg  network 43 %  0:12 left" */
static int on_progress(void *user, const mb_progress *p)
{
    const ring *r = user;
    const batch *b = r->b;
    if (message_has_terminal()) {
        double total = b->list->n, done = r->current + p->done;
        double elapsed = clock_ms() - b->started_ms;
        double left = done > 0.02 ? elapsed * (total - done) / done / 1e3 : 0.0;
        const char *path = b->list->v[r->current].path, *slash = strrchr(path, '/');
        char text[256];
        int n = snprintf(text, sizeof text, "[%d/%d] %.60s  %s %.0f %%", r->current + 1, b->list->n,
                         slash != NULL ? slash + 1 : path, p->stage, 100.0 * p->done);
        if (done > 0.02 && n > 0 && (size_t)n < sizeof text) {
            (void)snprintf(text + n, sizeof text - (size_t)n, "  %d:%02d left", (int)left / 60, (int)left % 60);
        }
        message_progress(text);
    }
    return interrupted();
}

static void run_threaded(ring *r)
{
    pthread_t loader, saver;
    int has_loader = pthread_create(&loader, NULL, load_all, r) == 0;
    int has_saver = has_loader && pthread_create(&saver, NULL, save_all, r) == 0;
    for (int i = 0; i < r->b->list->n; i++) {
        job *j = &r->slots[i % SLOTS];
        if (has_loader) {
            wait_until(r, &r->loaded, i);
        } else {
            *j = (job){.it = &r->b->list->v[i]};
            job_load(j, r->b);
        }
        r->current = i;
        job_compute(j, r->b);
        advance(r, &r->computed);
        if (!has_saver) {
            finish_job(r, i);
            advance(r, &r->saved);
        }
    }
    if (has_saver) {
        (void)pthread_join(saver, NULL);
    }
    if (has_loader) {
        (void)pthread_join(loader, NULL);
    }
}

static int exit_code(const batch *b)
{
    if (interrupted()) {
        return CODE_INTERRUPTED;
    }
    if (b->code_output) {
        return CODE_OUTPUT;
    }
    if (b->n_failed == 0) {
        return CODE_OK;
    }
    if (b->list->missing == b->n_failed && b->n_done + b->n_skipped == 0) {
        return CODE_USAGE; /* nothing that was named exists */
    }
    return b->code_machine && !b->code_other && b->n_done == 0 ? CODE_MACHINE : CODE_SOME;
}

int batch_run(batch *b)
{
    ring r = {.b = b, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    b->started_ms = clock_ms();
    if (b->pipeline != NULL) {
        mb_pipeline_set_progress(b->pipeline, on_progress, &r);
    }
    if (b->list->n == 1) { /* nothing to overlap with */
        r.slots[0] = (job){.it = &b->list->v[0]};
        job_load(&r.slots[0], b);
        job_compute(&r.slots[0], b);
        finish_job(&r, 0);
    } else {
        run_threaded(&r);
    }
    if (b->pipeline != NULL) {
        mb_pipeline_set_progress(b->pipeline, NULL, NULL);
    }
    message_progress("");
    int code = exit_code(b);
    report_summary(b, code);
    return code;
}
