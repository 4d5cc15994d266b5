/* Threads on Windows (os_thread.h): slim locks and condition variables, which need neither memory nor an end. */
#include "core/os_thread.h"

#include "core/alloc.h"
#include "core/os_windows.h"

#include <errno.h>
#include <process.h>

#define STACK_BYTES (8u << 20) /* what threads have on Linux; reserved, not taken */

_Static_assert(sizeof(mb_mutex) == sizeof(SRWLOCK), "a lock is a pointer");
_Static_assert(sizeof(mb_condition) == sizeof(CONDITION_VARIABLE), "a condition is a pointer");
_Static_assert(sizeof(mb_once_flag) == sizeof(INIT_ONCE), "a flag is a pointer");
_Static_assert(sizeof(mb_recursive_mutex) >= sizeof(CRITICAL_SECTION), "room for a critical section");

typedef struct start {
    void *(*run)(void *);
    void *arg;
} start;

static unsigned __stdcall thread_main(void *p)
{
    start s = *(start *)p;
    mb_free(p);
    (void)s.run(s.arg);
    return 0;
}

/* By the C library's call, which prepares its own data for the thread. */
int mb_thread_start(mb_thread *out, void *(*run)(void *), void *arg)
{
    start *s = mb_alloc(sizeof *s);
    if (s == NULL) {
        return ENOMEM;
    }
    *s = (start){run, arg};
    out->handle = (void *)_beginthreadex(NULL, STACK_BYTES, thread_main, s, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (out->handle == NULL) {
        mb_free(s);
        return EAGAIN;
    }
    return 0;
}

void mb_thread_join(mb_thread t)
{
    (void)WaitForSingleObject(t.handle, INFINITE);
    (void)CloseHandle(t.handle);
}

uintptr_t mb_thread_id(void)
{
    return GetCurrentThreadId();
}

void mb_mutex_init(mb_mutex *m)
{
    InitializeSRWLock((SRWLOCK *)m);
}

void mb_mutex_dispose(mb_mutex *m)
{
    (void)m;
}

void mb_mutex_lock(mb_mutex *m)
{
    AcquireSRWLockExclusive((SRWLOCK *)m);
}

void mb_mutex_unlock(mb_mutex *m)
{
    ReleaseSRWLockExclusive((SRWLOCK *)m);
}

void mb_recursive_mutex_init(mb_recursive_mutex *m)
{
    InitializeCriticalSection((CRITICAL_SECTION *)m);
}

void mb_recursive_mutex_dispose(mb_recursive_mutex *m)
{
    DeleteCriticalSection((CRITICAL_SECTION *)m);
}

void mb_recursive_mutex_lock(mb_recursive_mutex *m)
{
    EnterCriticalSection((CRITICAL_SECTION *)m);
}

void mb_recursive_mutex_unlock(mb_recursive_mutex *m)
{
    LeaveCriticalSection((CRITICAL_SECTION *)m);
}

void mb_condition_init(mb_condition *c)
{
    InitializeConditionVariable((CONDITION_VARIABLE *)c);
}

void mb_condition_dispose(mb_condition *c)
{
    (void)c;
}

void mb_condition_wait(mb_condition *c, mb_mutex *m)
{
    (void)SleepConditionVariableSRW((CONDITION_VARIABLE *)c, (SRWLOCK *)m, INFINITE, 0);
}

void mb_condition_wait_ms(mb_condition *c, mb_mutex *m, int ms)
{
    (void)SleepConditionVariableSRW((CONDITION_VARIABLE *)c, (SRWLOCK *)m, (DWORD)ms, 0);
}

void mb_condition_signal(mb_condition *c)
{
    WakeConditionVariable((CONDITION_VARIABLE *)c);
}

void mb_condition_broadcast(mb_condition *c)
{
    WakeAllConditionVariable((CONDITION_VARIABLE *)c);
}

static BOOL CALLBACK run_once(PINIT_ONCE once, void *parameter, void **context)
{
    void (*run)(void);
    (void)once;
    (void)context;
    memcpy(&run, parameter, sizeof run);
    run();
    return TRUE;
}

void mb_once(mb_once_flag *flag, void (*run)(void))
{
    (void)InitOnceExecuteOnce((INIT_ONCE *)flag, run_once, &run, NULL);
}

void mb_sleep_ms(int ms)
{
    Sleep((DWORD)ms);
}
