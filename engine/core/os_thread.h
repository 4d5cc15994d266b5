/* The platform seam, part 2: threads. POSIX threads, or what Windows has for them. Locking never fails. */
#ifndef MB_CORE_OS_THREAD_H
#define MB_CORE_OS_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
/* SRWLOCK, CONDITION_VARIABLE, INIT_ONCE and a handle: one pointer each, without windows.h for everybody. */
typedef struct mb_mutex {
    void *srw;
} mb_mutex;
typedef struct mb_condition {
    void *variable;
} mb_condition;
typedef struct mb_recursive_mutex {
    void *critical_section[5];
} mb_recursive_mutex;
typedef struct mb_once_flag {
    void *once;
} mb_once_flag;
typedef struct mb_thread {
    void *handle;
} mb_thread;
#define MB_SYSTEM_INIT                                                                                                 \
    {                                                                                                                  \
        NULL                                                                                                           \
    } /* as SRWLOCK_INIT and the like */
#define MB_MUTEX_INIT     MB_SYSTEM_INIT
#define MB_CONDITION_INIT MB_SYSTEM_INIT
#define MB_ONCE_FLAG_INIT MB_SYSTEM_INIT
#else
#include <pthread.h>
typedef pthread_mutex_t mb_mutex;
typedef pthread_mutex_t mb_recursive_mutex;
typedef pthread_cond_t mb_condition;
typedef pthread_once_t mb_once_flag;
typedef pthread_t mb_thread;
#define MB_MUTEX_INIT     PTHREAD_MUTEX_INITIALIZER
#define MB_CONDITION_INIT PTHREAD_COND_INITIALIZER
#define MB_ONCE_FLAG_INIT PTHREAD_ONCE_INIT
#endif

/* 0, or an errno code. The thread ends when `run` returns. */
int mb_thread_start(mb_thread *out, void *(*run)(void *), void *arg);
void mb_thread_join(mb_thread t);
/* Differs between all threads that run. */
uintptr_t mb_thread_id(void);

void mb_mutex_init(mb_mutex *m);
void mb_mutex_dispose(mb_mutex *m);
void mb_mutex_lock(mb_mutex *m);
void mb_mutex_unlock(mb_mutex *m);

/* One that its holder may lock again. */
void mb_recursive_mutex_init(mb_recursive_mutex *m);
void mb_recursive_mutex_dispose(mb_recursive_mutex *m);
void mb_recursive_mutex_lock(mb_recursive_mutex *m);
void mb_recursive_mutex_unlock(mb_recursive_mutex *m);

void mb_condition_init(mb_condition *c);
void mb_condition_dispose(mb_condition *c);
void mb_condition_wait(mb_condition *c, mb_mutex *m);
void mb_condition_wait_ms(mb_condition *c, mb_mutex *m, int ms); /* returns at the latest after `ms` */
void mb_condition_signal(mb_condition *c);
void mb_condition_broadcast(mb_condition *c);

void mb_once(mb_once_flag *flag, void (*run)(void));
void mb_sleep_ms(int ms);

#endif
