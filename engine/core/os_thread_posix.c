/* Threads by POSIX (os_thread.h). */
#ifdef __linux__
#define _POSIX_C_SOURCE 200809L
#endif
#include "core/os_thread.h"

#include <errno.h>
#include <time.h>

int mb_thread_start(mb_thread *out, void *(*run)(void *), void *arg)
{
    return pthread_create(out, NULL, run, arg);
}

void mb_thread_join(mb_thread t)
{
    (void)pthread_join(t, NULL);
}

uintptr_t mb_thread_id(void)
{
    return (uintptr_t)pthread_self();
}

void mb_mutex_init(mb_mutex *m)
{
    (void)pthread_mutex_init(m, NULL);
}

void mb_mutex_dispose(mb_mutex *m)
{
    (void)pthread_mutex_destroy(m);
}

void mb_mutex_lock(mb_mutex *m)
{
    (void)pthread_mutex_lock(m);
}

void mb_mutex_unlock(mb_mutex *m)
{
    (void)pthread_mutex_unlock(m);
}

void mb_recursive_mutex_init(mb_recursive_mutex *m)
{
    pthread_mutexattr_t recursive;
    (void)pthread_mutexattr_init(&recursive);
    (void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(m, &recursive);
    (void)pthread_mutexattr_destroy(&recursive);
}

void mb_recursive_mutex_dispose(mb_recursive_mutex *m)
{
    (void)pthread_mutex_destroy(m);
}

void mb_recursive_mutex_lock(mb_recursive_mutex *m)
{
    (void)pthread_mutex_lock(m);
}

void mb_recursive_mutex_unlock(mb_recursive_mutex *m)
{
    (void)pthread_mutex_unlock(m);
}

/* On the monotonic clock: the time of day may jump. macOS waits for a span of time instead. */
void mb_condition_init(mb_condition *c)
{
#ifdef __APPLE__
    (void)pthread_cond_init(c, NULL);
#else
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
#endif
}

void mb_condition_dispose(mb_condition *c)
{
    (void)pthread_cond_destroy(c);
}

void mb_condition_wait(mb_condition *c, mb_mutex *m)
{
    (void)pthread_cond_wait(c, m);
}

void mb_condition_wait_ms(mb_condition *c, mb_mutex *m, int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
#ifdef __APPLE__
    (void)pthread_cond_timedwait_relative_np(c, m, &t);
#else
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    t.tv_sec += now.tv_sec;
    t.tv_nsec += now.tv_nsec;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(c, m, &t);
#endif
}

void mb_condition_signal(mb_condition *c)
{
    (void)pthread_cond_signal(c);
}

void mb_condition_broadcast(mb_condition *c)
{
    (void)pthread_cond_broadcast(c);
}

void mb_once(mb_once_flag *flag, void (*run)(void))
{
    (void)pthread_once(flag, run);
}

/* A signal may cut it short. */
void mb_sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}
