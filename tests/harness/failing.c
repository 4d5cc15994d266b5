#define _GNU_SOURCE
#include "harness/failing.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#ifdef __APPLE__
#include <malloc/malloc.h>
#define malloc_usable_size malloc_size
#else
#include <malloc.h>
#endif

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

static atomic_long calls, failing = -1, blocks, live, most;
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

/* Behind a large aligned block the heap leaves what alignment did not need, which nobody touches: of those the bytes that
 * were asked for count. */
enum { LARGE = 1 << 20, N_LARGE = 1024 };
static struct large_block {
    const void *at;
    size_t bytes;
} large[N_LARGE];
static pthread_mutex_t large_lock = PTHREAD_MUTEX_INITIALIZER;

/* Puts a block in the place of another (NULL: a free one). Returns the bytes of what was there; 0: it was not. */
static size_t swap_large(const void *was, const void *at, size_t bytes)
{
    size_t before = 0;
    (void)pthread_mutex_lock(&large_lock);
    for (int i = 0; i < N_LARGE; i++) {
        if (large[i].at == was) {
            before = large[i].bytes;
            large[i] = (struct large_block){at, bytes};
            break;
        }
    }
    (void)pthread_mutex_unlock(&large_lock);
    return before;
}

static long bytes_of(void *p)
{
    const size_t whole = p != NULL ? malloc_usable_size(p) : 0;
    const size_t asked = whole >= LARGE ? swap_large(p, NULL, 0) : 0;
    return (long)(asked > 0 ? asked : whole);
}

/* Bytes that came, or went. */
static void count_bytes(long bytes)
{
    const long now = atomic_fetch_add(&live, bytes) + bytes;
    long seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
    }
}

static void *counted(void *p)
{
    atomic_fetch_add(&blocks, p != NULL);
    count_bytes(p != NULL ? (long)malloc_usable_size(p) : 0);
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
    if (p == NULL) {
        return counted(__real_realloc(p, n));
    }
    const long before = (long)malloc_usable_size(p); /* never an aligned one */
    void *q = __real_realloc(p, n);
    if (q != NULL) {
        count_bytes((long)malloc_usable_size(q)); /* both exist while one is copied */
        count_bytes(-before);
    }
    return q;
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t n)
{
    if (fails_now()) {
        return ENOMEM;
    }
    const int code = __real_posix_memalign(p, alignment, n);
    if (code == 0) {
        const size_t whole = malloc_usable_size(*p);
        atomic_fetch_add(&blocks, 1);
        count_bytes((long)(whole >= LARGE ? n : whole));
        (void)(whole >= LARGE ? swap_large(NULL, *p, n) : 0);
    }
    return code;
}

void __wrap_free(void *p)
{
    atomic_fetch_sub(&blocks, p != NULL);
    count_bytes(-bytes_of(p));
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

long failing_bytes(void)
{
    return atomic_load(&live);
}

long failing_most_bytes(bool anew)
{
    const long seen = atomic_load(&most);
    if (anew) {
        atomic_store(&most, atomic_load(&live));
    }
    return seen;
}
