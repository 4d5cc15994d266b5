/* A pool of threads. Chunks are handed out by an atomic counter; workers spin briefly before they sleep, since the
 * executor calls mb_parallel_for hundreds of times a picture with microseconds between.
 *
 * One job at a time, in three steps:
 *   1. the caller writes the job's fields, sets `busy` to the number of workers, and raises `generation` (release)
 *   2. every worker sees the new number (acquire, so it sees the fields too), takes chunks, and lowers `busy`
 *   3. the caller returns when `busy` is 0 (acquire: it sees all results). Only then may the fields change again
 * A worker that wakes late finds no chunk left, but it still counts: that is what keeps step 1 of the next job safe. */
#include "core/threads.h"

#include "core/alloc.h"
#include "core/task.h"
#include "core/machine.h"
#include "core/os_thread.h"

#include <stdatomic.h>
#include <stdbool.h>

#define MB_MAX_THREADS 1024
#define MB_SPINS       4000

struct mb_pool {
    int n_threads;
    int n_started; /* threads that exist, the caller not counted */
    mb_thread thread[MB_MAX_THREADS];
    mb_mutex mutex;
    mb_condition wake, finished;
    /* the job; written by the caller under the mutex before `generation` moves on */
    mb_range_fn fn;
    void *arg;
    size_t n, grain;
    const mb_task *task; /* mb_pool_set_task; NULL: none */
    atomic_size_t next;
    atomic_uint generation;
    atomic_int busy; /* workers that have not finished the current job */
    atomic_bool stop;
};

typedef struct worker_start {
    mb_pool *pool;
    int index;
} worker_start;

/* Takes chunks of the job until there are none, or it is cancelled. Chunks are the same for any number of threads:
 * results do not depend on how many there are. */
static void take_chunks(mb_pool *p, int worker)
{
    for (;;) {
        size_t begin = atomic_fetch_add_explicit(&p->next, p->grain, memory_order_relaxed);
        if (begin >= p->n || mb_should_stop(p->task)) {
            return;
        }
        size_t end = p->n - begin < p->grain ? p->n : begin + p->grain;
        p->fn(p->arg, begin, end, worker);
    }
}

/* The number of the job after `seen`: spins first, since the next job is usually microseconds away, then sleeps. */
static unsigned wait_for_job(mb_pool *p, unsigned seen)
{
    for (int i = 0; i < MB_SPINS; i++) {
        unsigned g = atomic_load_explicit(&p->generation, memory_order_acquire);
        if (g != seen || atomic_load_explicit(&p->stop, memory_order_relaxed)) {
            return g;
        }
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
    mb_mutex_lock(&p->mutex);
    while (atomic_load(&p->generation) == seen && !atomic_load(&p->stop)) {
        mb_condition_wait(&p->wake, &p->mutex);
    }
    unsigned g = atomic_load(&p->generation);
    mb_mutex_unlock(&p->mutex);
    return g;
}

/* Takes part in every job, also where no chunk is left for it: the caller waits until `busy` is 0, so that nobody
 * reads a job's fields while the next one is written. */
static void *worker_main(void *start)
{
    worker_start s = *(worker_start *)start;
    mb_free(start);
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_job(s.pool, seen);
        if (atomic_load(&s.pool->stop)) {
            return NULL;
        }
        take_chunks(s.pool, s.index);
        if (atomic_fetch_sub_explicit(&s.pool->busy, 1, memory_order_acq_rel) == 1) {
            mb_mutex_lock(&s.pool->mutex);
            mb_condition_signal(&s.pool->finished);
            mb_mutex_unlock(&s.pool->mutex);
        }
    }
}

/* The index travels in an allocation of its own, which the new thread frees. */
static mb_status start_worker(mb_pool *p, int index, mb_error *err)
{
    worker_start *s = mb_alloc(sizeof *s);
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "a thread");
    }
    *s = (worker_start){p, index};
    if (mb_thread_start(&p->thread[p->n_started], worker_main, s) != 0) {
        mb_free(s);
        return mb_fail(err, MB_E_MEMORY, "thread %d of %d could not be started\nuse fewer threads", index + 1,
                       p->n_threads);
    }
    p->n_started++;
    return MB_OK;
}

/* The caller is worker 0: n threads are n - 1 started ones. */
mb_status mb_pool_create(mb_pool **out, int n_threads, mb_error *err)
{
    *out = NULL;
    if (n_threads < 0 || n_threads > MB_MAX_THREADS) {
        return mb_fail(err, MB_E_ARGUMENT, "threads %d: 0 (all processors) to %d", n_threads, MB_MAX_THREADS);
    }
    mb_pool *p = mb_calloc(1, sizeof *p);
    if (p == NULL) {
        return mb_fail_memory(err, sizeof *p, "the thread pool");
    }
    p->n_threads = n_threads > 0 ? n_threads : mb_machine_processors();
    if (p->n_threads > MB_MAX_THREADS) {
        p->n_threads = MB_MAX_THREADS;
    }
    mb_mutex_init(&p->mutex);
    mb_condition_init(&p->wake);
    mb_condition_init(&p->finished);
    for (int i = 1; i < p->n_threads; i++) {
        mb_status status = start_worker(p, i, err);
        if (status != MB_OK) {
            mb_pool_free(p);
            return status;
        }
    }
    *out = p;
    return MB_OK;
}

/* No job may be running. Workers wake, see `stop`, and end. */
void mb_pool_free(mb_pool *p)
{
    if (p == NULL) {
        return;
    }
    mb_mutex_lock(&p->mutex);
    atomic_store(&p->stop, true);
    mb_condition_broadcast(&p->wake);
    mb_mutex_unlock(&p->mutex);
    for (int i = 0; i < p->n_started; i++) {
        mb_thread_join(p->thread[i]);
    }
    mb_condition_dispose(&p->finished);
    mb_condition_dispose(&p->wake);
    mb_mutex_dispose(&p->mutex);
    mb_free(p);
}

/* Threads that work, the caller included; 1 without a pool. */
int mb_pool_size(const mb_pool *p)
{
    return p != NULL ? p->n_threads : 1;
}

/* Whose cancellation ends all jobs of the pool; NULL takes it away. Between jobs only. */
void mb_pool_set_task(mb_pool *p, const mb_task *task)
{
    if (p != NULL) {
        p->task = task;
    }
}

/* Until all workers are done; under the mutex. waiting.call NULL: sleeps. */
static void wait_for_workers(mb_pool *p, mb_waiting waiting)
{
    while (atomic_load_explicit(&p->busy, memory_order_acquire) > 0) {
        if (waiting.call == NULL) {
            mb_condition_wait(&p->finished, &p->mutex);
            continue;
        }
        mb_condition_wait_ms(&p->finished, &p->mutex, MB_WAIT_MS);
        mb_mutex_unlock(&p->mutex);
        waiting.call(waiting.user);
        mb_mutex_lock(&p->mutex);
    }
}

void mb_parallel_for(mb_pool *p, size_t n, size_t grain, mb_range_fn fn, void *arg)
{
    mb_parallel_for_long(p, n, grain, fn, arg, (mb_waiting){0});
}

/* Alone where there is one thread or one chunk. Else the job is written under the mutex and published by its number;
 * the caller works too, then waits for the workers: first spinning, then asleep. */
void mb_parallel_for_long(mb_pool *p, size_t n, size_t grain, mb_range_fn fn, void *arg, mb_waiting while_waiting)
{
    if (n == 0) {
        return;
    }
    grain = grain > 0 ? grain : 1;
    if (p == NULL || p->n_threads == 1 || n <= grain) {
        for (size_t begin = 0; begin < n && !(p != NULL && mb_should_stop(p->task)); begin += grain) {
            /* the same chunks as with many threads */
            fn(arg, begin, n - begin < grain ? n : begin + grain, 0);
        }
        return;
    }
    mb_mutex_lock(&p->mutex);
    p->fn = fn;
    p->arg = arg;
    p->n = n;
    p->grain = grain;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_store_explicit(&p->busy, p->n_started, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->generation, 1, memory_order_release);
    mb_condition_broadcast(&p->wake);
    mb_mutex_unlock(&p->mutex);
    take_chunks(p, 0);
    for (int i = 0; i < MB_SPINS && atomic_load_explicit(&p->busy, memory_order_acquire) > 0; i++) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
    mb_mutex_lock(&p->mutex);
    wait_for_workers(p, while_waiting);
    mb_mutex_unlock(&p->mutex);
}
