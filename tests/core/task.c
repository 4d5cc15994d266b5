/* The task of long work: nothing where there is none, parts of progress, loops that stop, polling while others work,
 * warnings. */
#define _POSIX_C_SOURCE 200809L
#include "core/clock.h"
#include "core/task.h"
#include "harness/check.h"

#include <pthread.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

typedef struct host {
    atomic_int polls;
    int stop_at; /* 0: never */
    double done;
    int reports;
} host;

static bool should_stop(void *user)
{
    host *h = user;
    int polls = atomic_fetch_add(&h->polls, 1) + 1;
    return h->stop_at > 0 && polls >= h->stop_at;
}

static void report_progress(void *user, double done)
{
    host *h = user;
    h->done = done;
    h->reports++;
}

static void count_items(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    atomic_fetch_add((atomic_int *)arg, (int)(end - begin));
}

TEST(nothing)
{
    const mb_task zero = {0};
    const mb_task *none[2] = {NULL, &zero};
    for (int i = 0; i < 2; i++) {
        mb_error err = {0};
        atomic_int items = 0;
        CHECK(mb_task_pool(none[i]) == NULL && mb_task_workers(none[i]) == 1 && !mb_should_stop(none[i]));
        CHECK(mb_task_check(none[i], &err) == MB_OK && mb_task_result(none[i], MB_E_IO, &err) == MB_E_IO);
        mb_report_progress(none[i], 0.5);
        mb_task_warn(none[i], 1, "nobody hears %d", 1);
        CHECK_OK(mb_task_for(none[i], 100, 7, count_items, &items, &err), err);
        CHECK(items == 100);
        mb_task part = mb_task_part(none[i], 0.5, 0.5), serial = mb_task_serial(none[i]);
        CHECK(part.pool == NULL && serial.should_stop == NULL);
    }
}

static void expect(const host *h, double want)
{
    CHECK_MSG(fabs(h->done - want) < 1e-9, "reported %.12f, not %.12f", h->done, want);
}

TEST(progress)
{
    host h = {0};
    const mb_task whole = {.report_progress = report_progress, .user = &h};
    const mb_task half = mb_task_part(&whole, 0.5, 0.5), last = mb_task_part(&half, 0.8, 0.2);
    const mb_task empty = mb_task_part(&whole, 0.3, 0.0);
    mb_report_progress(&whole, 0.25);
    expect(&h, 0.25);
    mb_report_progress(&half, 0.5);
    expect(&h, 0.75);
    mb_report_progress(&last, 0.0);
    expect(&h, 0.9);
    mb_report_progress(&last, 1.0);
    expect(&h, 1.0);
    mb_report_progress(&empty, 1.0); /* a share of nothing stays where it is */
    CHECK(fabs(h.done - 0.3) < 1e-6 && h.reports == 5);
}

TEST(stop)
{
    for (int threads = 1; threads <= 3; threads++) {
        host h = {.stop_at = 5};
        atomic_int items = 0;
        mb_error err = {0};
        mb_task task = {.should_stop = should_stop, .user = &h};
        CHECK_OK(mb_pool_create(&task.pool, threads, &err), err);
        CHECK(mb_task_for(&task, 1000, 1, count_items, &items, &err) == MB_E_CANCELLED);
        CHECK_MSG(items == 4, "%d items after a stop at the fifth poll", (int)items);
        CHECK(strcmp(err.message, "cancelled") == 0);
        err = (mb_error){.code = MB_E_MEMORY, .message = "half-way"};
        CHECK(mb_task_result(&task, MB_E_MEMORY, &err) == MB_E_CANCELLED && err.code == MB_E_CANCELLED);
        CHECK(strcmp(err.message, "cancelled") == 0);
        mb_pool_free(task.pool);
    }
}

typedef struct long_chunk {
    host *host;
    pthread_t starter;
    int polls; /* up to the starter's last chunk */
} long_chunk;

/* A chunk of the other thread takes long; those of the thread that started the loop are short, and many enough for the
 * other one to come in. */
static void sleep_long_elsewhere(void *arg, size_t begin, size_t end, int worker)
{
    long_chunk *c = arg;
    (void)begin;
    (void)end;
    (void)worker;
    const bool mine = pthread_equal(pthread_self(), c->starter) != 0;
    const struct timespec nap = {0, mine ? 1000000 : 250000000};
    (void)nanosleep(&nap, NULL);
    if (mine) {
        c->polls = c->host->polls;
    }
}

TEST(waiting)
{
    host h = {0};
    long_chunk c = {.host = &h, .starter = pthread_self()};
    mb_error err = {0};
    mb_task task = {.should_stop = should_stop, .user = &h};
    CHECK_OK(mb_pool_create(&task.pool, 2, &err), err);
    CHECK_OK(mb_task_for(&task, 40, 1, sleep_long_elsewhere, &c, &err), err);
    CHECK_MSG(h.polls - c.polls >= 5, "polled %d times while another thread slept", (int)(h.polls - c.polls));
    mb_pool_free(task.pool);
}

TEST(warnings)
{
    mb_warnings w = {0};
    const mb_task task = {.warnings = &w};
    for (int i = 0; i < MB_MAX_WARNINGS + 3; i++) {
        mb_task_warn(&task, i, "number %d", i);
    }
    CHECK(w.n == MB_MAX_WARNINGS && w.item[3].code == 3 && strcmp(w.item[3].text, "number 3") == 0);
}

TEST(clock)
{
    double before = mb_clock_ms();
    CHECK_GE(mb_clock_ms(), before);
}
