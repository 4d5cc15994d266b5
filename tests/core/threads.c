/* The pool: every item once, chunks independent of the number of threads, workers' indices in range. */
#include "core/alloc.h"
#include "core/threads.h"
#include "harness/check.h"

#include <stdatomic.h>
#include <string.h>

#define N 10007

typedef struct job {
    atomic_int hits[N];
    atomic_int bad_worker, bad_chunk;
    int n_threads;
    size_t grain;
} job;

static void visit(void *arg, size_t begin, size_t end, int worker)
{
    job *j = arg;
    if (worker < 0 || worker >= j->n_threads) {
        atomic_fetch_add(&j->bad_worker, 1);
    }
    if (begin % j->grain != 0 || (end != N && end - begin != j->grain)) {
        atomic_fetch_add(&j->bad_chunk, 1);
    }
    for (size_t i = begin; i < end; i++) {
        atomic_fetch_add(&j->hits[i], 1);
    }
}

static void run(int n_threads, size_t grain, int rounds)
{
    mb_error err;
    mb_pool *pool = NULL;
    CHECK_OK(mb_pool_create(&pool, n_threads, &err), err);
    job *j = mb_calloc(1, sizeof *j);
    j->n_threads = mb_pool_size(pool);
    j->grain = grain;
    for (int r = 0; r < rounds; r++) {
        mb_parallel_for(pool, N, grain, visit, j);
    }
    int wrong = 0;
    for (int i = 0; i < N; i++) {
        wrong += atomic_load(&j->hits[i]) != rounds;
    }
    CHECK_MSG(wrong == 0, "%d threads, grain %zu", n_threads, grain);
    CHECK_EQ(atomic_load(&j->bad_worker), 0);
    CHECK_EQ(atomic_load(&j->bad_chunk), 0);
    mb_free(j);
    mb_pool_free(pool);
}

TEST(single_items)
{
    for (int t = 1; t <= 5; t++) {
        run(t, 1, 3);
    }
}

TEST(many_rounds)
{
    for (int t = 1; t <= 5; t++) {
        run(t, 64, 200);
    }
}

TEST(one_chunk)
{
    for (int t = 1; t <= 5; t++) {
        run(t, 20000, 2);
    }
}

TEST(refusals)
{
    mb_error err = {0};
    mb_pool *pool = NULL;
    CHECK(mb_pool_create(&pool, -1, &err) == MB_E_ARGUMENT && pool == NULL);
}
