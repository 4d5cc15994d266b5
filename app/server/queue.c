/* Three lists under one lock, and the threads that serve them. */
#include "queue.h"
#include "lanes.h"
#include "metrics.h"
#include "stages.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_THREADS   80
#define LARGE_PICTURE 8e6 /* pixels: what a run of one frees goes back to the system */

typedef struct list {
    work *first, **last;
    int n;
} list;

struct queue {
    server *s;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    list decode, run, encode, done;
    work *all[4096 + MAX_THREADS]; /* everything that is not done */
    int n_all, n_counted;
    int running;
    int stop;
    double mean_ms; /* of a run, smoothed */
    pthread_t threads[MAX_THREADS];
    int n_threads;
};

static void put(list *l, work *w)
{
    w->next = NULL;
    if (l->first == NULL) {
        l->last = &l->first;
    }
    *l->last = w;
    l->last = &w->next;
    l->n++;
}

static work *take(list *l)
{
    work *w = l->first;
    if (w != NULL) {
        l->first = w->next;
        w->next = NULL;
        l->n--;
    }
    return w;
}

static void wake_main(const queue *q)
{
    uint64_t one = 1;
    ssize_t unused = write(q->s->wake, &one, sizeof one);
    (void)unused;
}

/* With the lock held: to the next list, or to the end. */
static void pass_on(queue *q, work *w, int state)
{
    w->done_ms = clock_ms();
    atomic_store(&w->state, state);
    if (state == WORK_WAITING) {
        put(&q->run, w);
    } else if (state == WORK_ENCODING) {
        put(&q->encode, w);
    } else {
        for (int i = 0; i < q->n_all; i++) {
            if (q->all[i] == w) {
                q->all[i] = q->all[--q->n_all];
                break;
            }
        }
        q->n_counted -= w->counted;
        (void)atomic_fetch_sub(&q->s->at_work, 1);
        put(&q->done, w);
        wake_main(q);
    }
    (void)pthread_cond_broadcast(&q->changed);
}

/* Encoding first: it ends what is nearly done. */
static void *helper_main(void *user)
{
    queue *q = user;
    helper *h = helper_create(q->s);
    (void)pthread_mutex_lock(&q->lock);
    while (!q->stop) {
        int room = q->run.n < q->s->a->serve.jobs + 1;
        work *w = take(&q->encode);
        int encode = w != NULL;
        if (w == NULL && room) {
            w = take(&q->decode);
        }
        if (w == NULL) {
            (void)pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&q->lock);
        int next = WORK_DONE;
        if (encode) {
            w->ms_wait += clock_ms() - w->done_ms;
            stage_encode(w);
        } else {
            atomic_store(&w->state, WORK_DECODING);
            next = stage_decode(h, w);
        }
        (void)pthread_mutex_lock(&q->lock);
        pass_on(q, w, next);
    }
    (void)pthread_mutex_unlock(&q->lock);
    helper_free(h);
    return NULL;
}

static void *runner_main(void *user)
{
    queue *q = user;
    lane *n = lane_create(q->s->lanes);
    if (n != NULL) {
        lane_warm(n);
    }
    atomic_store(&q->s->ready, 1);
    wake_main(q);
    (void)pthread_mutex_lock(&q->lock);
    while (!q->stop) {
        work *w = take(&q->run);
        if (w == NULL) {
            (void)pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        q->running++;
        w->ms_wait += clock_ms() - w->done_ms;
        (void)pthread_cond_broadcast(&q->changed); /* room for a decoded picture */
        (void)pthread_mutex_unlock(&q->lock);
        atomic_store(&w->state, WORK_RUNNING);
        double start = clock_ms();
        if (n == NULL) {
            work_fail(w, 503, "no_memory", "out of memory");
        } else {
            stage_run(n, w);
        }
        double ms = clock_ms() - start;
        int is_large = (double)w->j.photo.width * w->j.photo.height > LARGE_PICTURE;
        (void)pthread_mutex_lock(&q->lock);
        q->running--;
        if (!work_failed(w)) {
            q->mean_ms = q->mean_ms > 0.0 ? 0.8 * q->mean_ms + 0.2 * ms : ms;
        }
        pass_on(q, w, work_failed(w) ? WORK_DONE : WORK_ENCODING);
        if (is_large) { /* when its answer is on the way */
            (void)pthread_mutex_unlock(&q->lock);
            (void)malloc_trim(0);
            (void)pthread_mutex_lock(&q->lock);
        }
    }
    (void)pthread_mutex_unlock(&q->lock);
    lane_free(n);
    return NULL;
}

int queue_create(queue **out, server *s)
{
    queue *q = calloc(1, sizeof *q);
    *out = q;
    if (q == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    q->s = s;
    (void)pthread_mutex_init(&q->lock, NULL);
    (void)pthread_cond_init(&q->changed, NULL);
    int jobs = s->a->serve.jobs, helpers = jobs < 8 ? jobs + 1 : 8;
    for (int i = 0; i < jobs + helpers; i++) {
        if (pthread_create(&q->threads[i], NULL, i < jobs ? runner_main : helper_main, q) != 0) {
            return message_error(CODE_MACHINE, NULL, "no thread could be started");
        }
        q->n_threads++;
    }
    return CODE_OK;
}

void queue_free(queue *q)
{
    if (q == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&q->lock);
    q->stop = 1;
    (void)pthread_cond_broadcast(&q->changed);
    (void)pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->n_threads; i++) {
        (void)pthread_join(q->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

/* With the lock held. */
static double wait_seconds(const queue *q)
{
    double mean = q->mean_ms > 0.0 ? q->mean_ms : 1000.0;
    int before = q->n_counted;
    return 1e-3 * mean * before / q->s->a->serve.jobs;
}

int queue_add(queue *q, work *w, int always, int *seconds)
{
    (void)pthread_mutex_lock(&q->lock);
    int most = q->s->a->serve.jobs + q->s->a->serve.queue, ok = always || q->n_counted < most;
    ok = ok && q->n_all < (int)(sizeof q->all / sizeof q->all[0]);
    if (ok) {
        w->counted = !always;
        q->n_counted += w->counted;
        q->all[q->n_all++] = w;
        (void)atomic_fetch_add(&q->s->at_work, 1);
        w->done_ms = clock_ms();
        put(&q->decode, w);
        (void)pthread_cond_broadcast(&q->changed);
    } else {
        double s = wait_seconds(q) / (most > 0 ? most : 1); /* when the next place is free, about */
        *seconds = s < 1.0 ? 1 : s > 600.0 ? 600 : (int)s + 1;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return ok;
}

work *queue_finished(queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    work *w = take(&q->done);
    (void)pthread_mutex_unlock(&q->lock);
    return w;
}

int queue_position(queue *q, const work *w)
{
    int n = 0;
    (void)pthread_mutex_lock(&q->lock);
    for (int i = 0; i < q->n_all; i++) {
        n += q->all[i]->counted && q->all[i] != w && q->all[i]->queued_ms < w->queued_ms;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}

void queue_count(queue *q, int *waiting, int *running)
{
    (void)pthread_mutex_lock(&q->lock);
    *running = q->running;
    *waiting = q->n_all - q->running;
    (void)pthread_mutex_unlock(&q->lock);
}

double queue_seconds(queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    double s = wait_seconds(q);
    (void)pthread_mutex_unlock(&q->lock);
    return s;
}

void queue_give_up(queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    for (int i = 0; i < q->n_all; i++) {
        atomic_store(&q->all[i]->given_up, 1);
    }
    (void)pthread_mutex_unlock(&q->lock);
}

int queue_is_busy(queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    int busy = q->n_all > 0 || q->done.n > 0;
    (void)pthread_mutex_unlock(&q->lock);
    return busy;
}
