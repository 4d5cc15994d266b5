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

/* One memory stream at a time: a file whose contents are handed over when it is closed. */
static struct {
    FILE *f;
    char **data;
    size_t *bytes;
} memory_stream;

static inline FILE *open_memstream(char **data, size_t *bytes)
{
    memory_stream.f = tmpfile();
    memory_stream.data = data;
    memory_stream.bytes = bytes;
    return memory_stream.f;
}

static inline int close_for_test(FILE *f)
{
    if (f != NULL && f == memory_stream.f) {
        const long n = ftell(f);
        *memory_stream.data = calloc((size_t)n + 1, 1);
        rewind(f);
        *memory_stream.bytes = *memory_stream.data != NULL ? fread(*memory_stream.data, 1, (size_t)n, f) : 0;
        memory_stream.f = NULL;
    }
    return fclose(f);
}
#define fclose close_for_test

/* A folder and all in it. 0: it is gone. */
static inline int remove_folder_for_test(const char *path)
{
    char name[PATH_MAX];
    struct _finddata_t found;
    (void)snprintf(name, sizeof name, "%s/*", path);
    intptr_t list = _findfirst(name, &found);
    for (int more = list != -1; more; more = _findnext(list, &found) == 0) {
        (void)snprintf(name, sizeof name, "%s/%s", path, found.name);
        if (strcmp(found.name, ".") == 0 || strcmp(found.name, "..") == 0) {
            continue;
        }
        if ((found.attrib & _A_SUBDIR) != 0) {
            (void)remove_folder_for_test(name);
        } else {
            (void)remove(name);
        }
    }
    if (list != -1) {
        (void)_findclose(list);
    }
    return _rmdir(path);
}

/* There is no shell: tests remove their folders by it. */
static inline int system_for_test(const char *command)
{
    char path[PATH_MAX];
    return sscanf(command, "rm -r '%4095[^']'", path) == 1 ? remove_folder_for_test(path) : -1;
}
#define system system_for_test
