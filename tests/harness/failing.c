#define _GNU_SOURCE
#include "harness/failing.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* The linker sends the calls here. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **p, size_t alignment, size_t n);
void __real_free(void *p);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **p, size_t alignment, size_t n);
void __wrap_free(void *p);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg);

static atomic_long calls, failing = -1, blocks;
static atomic_bool struck;

static bool fails_now(void)
{
    const long n = atomic_load(&failing);
    if (atomic_fetch_add(&calls, 1) != n || n < 0) {
        return false;
    }
    atomic_store(&struck, true);
    errno = ENOMEM;
    return true;
}

static void *counted(void *p)
{
    atomic_fetch_add(&blocks, p != NULL);
    return p;
}

void *__wrap_malloc(size_t n)
{
    return fails_now() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (fails_now()) {
        return NULL;
    }
    void *q = __real_realloc(p, n);
    return p == NULL ? counted(q) : q;
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t n)
{
    if (fails_now()) {
        return ENOMEM;
    }
    const int code = __real_posix_memalign(p, alignment, n);
    atomic_fetch_add(&blocks, code == 0);
    return code;
}

void __wrap_free(void *p)
{
    atomic_fetch_sub(&blocks, p != NULL);
    __real_free(p);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
    return fails_now() ? EAGAIN : __real_pthread_create(thread, how, run, arg);
}

void failing_arm(long n)
{
    atomic_store(&struck, false);
    atomic_store(&calls, 0);
    atomic_store(&failing, n);
}

long failing_disarm(void)
{
    atomic_store(&failing, -1);
    return atomic_load(&calls);
}

bool failing_struck(void)
{
    return atomic_load(&struck);
}

long failing_blocks(void)
{
    return atomic_load(&blocks);
}
