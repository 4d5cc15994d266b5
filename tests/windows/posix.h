/* Put in front of the tests when they are compiled for Windows: the few calls of POSIX that they need and MinGW lacks. The
 * product has no such thing; it goes through engine/core/os_*. */
#pragma once
#pragma GCC diagnostic ignored "-Wconversion" /* sizes of read and write, pid_t */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <direct.h>
#include <io.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#undef PATH_MAX
#define PATH_MAX 4096

#define SIGBUS       10
#define SIGTRAP      5
#define SIG_DEFAULTS 0
#define SA_RESETHAND 0
#define SA_NODEFER   0
struct sigaction {
    void (*sa_handler)(int);
    int sa_flags;
};

/* Wine and Windows say themselves where a program crashed. */
static inline int sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    (void)number;
    (void)new;
    (void)old;
    return -1;
}

static inline pid_t fork(void)
{
    return -1;
}

static inline int setenv(const char *name, const char *value, int replace)
{
    return replace || getenv(name) == NULL ? _putenv_s(name, value) : 0;
}

static inline int unsetenv(const char *name)
{
    return _putenv_s(name, "");
}

static inline char *mkdtemp(char *template)
{
    return _mktemp(template) != NULL && _mkdir(template) == 0 ? template : NULL;
}

static inline int make_folder_for_test(const char *path, int mode)
{
    (void)mode;
    return _mkdir(path);
}
#define mkdir make_folder_for_test
