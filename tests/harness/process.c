#define _GNU_SOURCE
#include "harness/process.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX];

const char *process_folder(const char *test_name)
{
    char command[4 * PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/test-files/%s", MB_BUILD_DIR, test_name);
    (void)snprintf(command, sizeof command, "chmod -R u+w '%s' 2>/dev/null; rm -rf '%s' && mkdir -p '%s'", folder,
                   folder, folder);
    if (system(command) != 0) {
        fprintf(stderr, "cannot make %s\n", folder);
        exit(1);
    }
    return folder;
}

static const char *path_of(const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static int next;
    char *p = paths[next++ % 4];
    (void)snprintf(p, sizeof paths[0], "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/", name);
    return p;
}

static size_t slurp(char *dst, size_t capacity, const char *name)
{
    size_t bytes = 0;
    char *data = file_read(name, &bytes);
    size_t n = bytes < capacity - 1 ? bytes : capacity - 1;
    if (data != NULL) {
        memcpy(dst, data, n);
    }
    dst[data != NULL ? n : 0] = '\0';
    free(data);
    return bytes;
}

static double children_seconds(void)
{
    struct rusage u = {0};
    (void)getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

void process_run(process *p, const char *format, ...)
{
    char line[8192], command[32768];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    const char *programs =
        getenv("MATTEBOX_TEST_PROGRAMS"); /* tests/windows.sh: a folder with others than the build's */
    (void)snprintf(command, sizeof command,
                   "cd '%s' && export PATH='%s':\"$PATH\" HOME='%s' && unset MATTEBOX_MODELS MATTEBOX_THREADS "
                   "MATTEBOX_DEVICE MATTEBOX_MAX_MEMORY MATTEBOX_OFFLINE MATTEBOX_MIRROR MATTEBOX_TOKEN XDG_DATA_HOME "
                   "XDG_CACHE_HOME XDG_CONFIG_HOME http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy "
                   "NO_PROXY; { %s\n} >.stdout 2>.stderr",
                   folder, programs != NULL ? programs : MB_BUILD_DIR, folder, line);
    struct timespec a, b;
    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    const double cpu = children_seconds();
    int status = system(command);
    p->cpu_seconds = children_seconds() - cpu;
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    p->seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    p->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    p->out_bytes = slurp(p->out, sizeof p->out, ".stdout");
    (void)slurp(p->err, sizeof p->err, ".stderr");
}

bool process_is_windows(void)
{
    return getenv("MATTEBOX_TEST_PROGRAMS") != NULL;
}

bool file_exists(const char *name)
{
    struct stat s;
    return stat(path_of(name), &s) == 0;
}

long file_bytes(const char *name)
{
    struct stat s;
    return stat(path_of(name), &s) == 0 ? (long)s.st_size : -1;
}

void file_write(const char *name, const void *data, size_t bytes)
{
    FILE *f = fopen(path_of(name), "wb");
    if (f == NULL || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0) {
        fprintf(stderr, "cannot write %s\n", name);
        exit(1);
    }
}

void file_write_text(const char *name, const char *text)
{
    file_write(name, text, strlen(text));
}

char *file_read(const char *name, size_t *bytes)
{
    FILE *f = fopen(path_of(name), "rb");
    long n = file_bytes(name);
    char *data = f != NULL && n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (data != NULL) {
        *bytes = fread(data, 1, (size_t)n, f);
        data[*bytes] = '\0';
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return data;
}

bool file_equal(const char *a, const char *b)
{
    size_t n = 0, m = 0;
    char *x = file_read(a, &n), *y = file_read(b, &m);
    bool equal = x != NULL && y != NULL && n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return equal;
}

void file_cut(const char *to, const char *from, long bytes)
{
    size_t n = 0;
    char *data = file_read(from, &n);
    if (data == NULL) {
        fprintf(stderr, "cannot read %s\n", from);
        exit(1);
    }
    file_write(to, data, (size_t)bytes < n ? (size_t)bytes : n);
    free(data);
}
