/* The library at work for as long as it is told to, in many threads that share a context and a model:
 *
 *     endurance_library SECONDS THREADS REPORT FILE...
 *
 * Every job is run once before the threads start; from then on each thread draws jobs and must get the same bytes.
 * FILE: pictures, whole and damaged ones. Once every ten seconds (at the least, five times in all) a line with memory,
 * descriptors and threads goes to REPORT (tab-separated, "-": none). The exit status is 0 if no result differed.
 * tests/endurance.sh runs it for hours and judges the lines. */
#define _GNU_SOURCE
#include "jobs.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 64

static atomic_bool over;
static atomic_long n_done, n_wrong;
static uint64_t *expected;

typedef struct worker {
    pthread_t thread;
    uint64_t seed;
    const shared *common;
} worker;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *work(void *arg)
{
    worker *w = arg;
    const int n = jobs_count(w->common);
    while (!atomic_load(&over)) {
        const int i = (int)(next_random(&w->seed) % (uint64_t)n);
        const uint64_t got = job_run(w->common, i);
        if (got != expected[i]) {
            fprintf(stderr, "job %d (%s): %016llx instead of %016llx\n", i, job_name(w->common, i),
                    (unsigned long long)got, (unsigned long long)expected[i]);
            atomic_fetch_add(&n_wrong, 1);
        }
        atomic_fetch_add(&n_done, 1);
    }
    return NULL;
}

static long entries(const char *folder)
{
    long n = -2; /* . and .. */
    DIR *d = opendir(folder);
    for (const struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        n++;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return n;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL) {
        if (fscanf(f, "%*s %ld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sample(FILE *report, double seconds)
{
    const struct mallinfo2 heap = mallinfo2();
    if (report != NULL) {
        fprintf(report, "%.0f\t%ld\t%ld\t%zu\t%ld\t%ld\t%ld\n", seconds, atomic_load(&n_done), resident_kib(),
                (heap.uordblks + heap.hblkhd) / 1024, entries("/proc/self/fd"), entries("/proc/self/task"),
                atomic_load(&n_wrong));
        (void)fflush(report);
    }
}

static void wait_and_sample(FILE *report, double seconds)
{
    const double start = now(), step = seconds / 5 < 10 ? seconds / 5 : 10;
    double next = step;
    while (now() - start < seconds) {
        const struct timespec nap = {.tv_nsec = 50 * 1000 * 1000};
        (void)nanosleep(&nap, NULL);
        if (now() - start >= next) {
            sample(report, now() - start);
            next += step;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: %s SECONDS THREADS REPORT FILE...\n", argv[0]);
        return 2;
    }
    const double seconds = atof(argv[1]);
    const int threads = atoi(argv[2]) < MOST_THREADS ? atoi(argv[2]) : MOST_THREADS;
    FILE *report = strcmp(argv[3], "-") == 0 ? NULL : fopen(argv[3], "w");
    worker workers[MOST_THREADS];
    mb_error err = {0};
    shared *common = shared_create(argv + 4, argc - 4, &err);
    expected = common != NULL ? calloc((size_t)jobs_count(common), sizeof *expected) : NULL;
    if (expected == NULL || threads < 1) {
        fprintf(stderr, "cannot start: %s\n", err.message);
        shared_free(common);
        return 1;
    }
    for (int i = 0; i < jobs_count(common); i++) {
        expected[i] = job_run(common, i);
    }
    if (report != NULL) {
        fprintf(report, "second\tjobs\tresident_kib\theap_kib\tdescriptors\tthreads\twrong\n");
    }
    int started = 0;
    while (started < threads) {
        workers[started] = (worker){.seed = 88172645463325252u + (uint64_t)started * 7919, .common = common};
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
            break;
        }
        started++;
    }
    wait_and_sample(report, seconds);
    atomic_store(&over, true);
    for (int i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    sample(report, seconds);
    printf("%d jobs in %d threads: %ld runs, %ld of other bytes\n", jobs_count(common), started, atomic_load(&n_done),
           atomic_load(&n_wrong));
    if (report != NULL) {
        (void)fclose(report);
    }
    free(expected);
    shared_free(common);
    return atomic_load(&n_wrong) == 0 && started == threads && atomic_load(&n_done) > 0 ? 0 : 1;
}
