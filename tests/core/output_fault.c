/* Every system call of the writing path fails once (and is interrupted, and cut short), and the process dies before
 * each of them: afterwards the name holds the old contents or the new ones, whole, and only a killed process leaves a
 * temporary file. */
#define _GNU_SOURCE
#include "core/file.h"
#include "harness/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum fault { FAULT_NONE, FAULT_ERROR, FAULT_INTERRUPT, FAULT_KILL } fault;

static fault kind;
static long countdown = -1;
static int code_given; /* errno of FAULT_ERROR */
static bool short_writes;

/* True: the call must fail, errno is set. */
static bool strikes(void)
{
    if (countdown < 0 || countdown-- > 0) {
        return false;
    }
    if (kind == FAULT_KILL) {
        (void)raise(SIGKILL);
    }
    errno = kind == FAULT_INTERRUPT ? EINTR : code_given;
    return kind != FAULT_NONE;
}

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fallocate(int fd, int mode, off_t at, off_t n);
int __wrap_fallocate(int fd, int mode, off_t at, off_t n);
int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __real_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __real_openat(int fd, const char *name, int flags, ...);
int __wrap_openat(int fd, const char *name, int flags, mode_t mode);

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
    return strikes() ? -1 : __real_pwrite(fd, p, short_writes && n > 1 ? n / 2 : n, at);
}

int __wrap_fsync(int fd)
{
    return strikes() ? -1 : __real_fsync(fd);
}

int __wrap_fallocate(int fd, int mode, off_t at, off_t n)
{
    return strikes() ? -1 : __real_fallocate(fd, mode, at, n);
}

int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return strikes() ? -1 : __real_renameat(a, from, b, to);
}

int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return strikes() ? -1 : __real_renameat2(a, from, b, to, flags);
}

int __wrap_openat(int fd, const char *name, int flags, mode_t mode)
{
    return strikes() ? -1 : __real_openat(fd, name, flags, mode);
}

static char folder[] = "/tmp/mattebox-output-XXXXXX";
static char path[300];
static char contents[10000];

/* 0: absent, 1: "old", 2: the new contents, -1: anything else */
static int state_of_file(void)
{
    char got[sizeof contents + 1];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, got, sizeof got);
    (void)close(fd);
    return n == 3 && memcmp(got, "old", 3) == 0                                     ? 1
           : n == (ssize_t)sizeof contents && memcmp(got, contents, (size_t)n) == 0 ? 2
                                                                                    : -1;
}

static int n_leftovers(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strstr(e->d_name, ".mattebox-") != NULL) {
            char name[600];
            (void)snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
            n += unlink(name) == 0;
        }
    }
    closedir(d);
    return n;
}

static void reset(bool exists)
{
    (void)unlink(path);
    if (exists) {
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        CHECK(fd >= 0 && write(fd, "old", 3) == 3 && close(fd) == 0);
    }
}

static mb_status write_it(bool replace, mb_error *err)
{
    mb_output *o;
    mb_status status = mb_output_open(&o, path, replace, sizeof contents, err);
    for (size_t at = 0; status == MB_OK && at < sizeof contents; at += 2500) {
        status = mb_output_write(o, contents + at, 2500, err);
        if (status != MB_OK) {
            mb_output_abort(o);
        }
    }
    return status == MB_OK ? mb_output_commit(o, err) : status;
}

static void errors(bool exists, int code, bool cut_short)
{
    int n_failed = 0;
    short_writes = cut_short;
    for (long n = 0;; n++) {
        mb_error err = {0};
        reset(exists);
        kind = FAULT_ERROR;
        code_given = code;
        countdown = n;
        mb_status status = write_it(exists, &err);
        bool done = countdown >= 0;
        countdown = -1;
        int state = state_of_file();
        CHECK_MSG(status == MB_OK ? state == 2 : state == (exists ? 1 : 0), "call %ld, errno %d: status %d, file %d", n,
                  code, status, state);
        CHECK_MSG(status == MB_OK || (status == MB_E_IO && strstr(err.message, path) != NULL), "%d %s", status,
                  err.message);
        CHECK_MSG(n_leftovers() == 0, "call %ld, errno %d leaves a file behind", n, code);
        n_failed += status != MB_OK;
        if (done) {
            break;
        }
    }
    CHECK_GE(n_failed, 6); /* create, four pieces, sync, rename; the reservation only where the disk is full */
    short_writes = false;
}

TEST(interrupts)
{
    for (long n = 0;; n++) {
        mb_error err = {0};
        reset(false);
        kind = FAULT_INTERRUPT;
        countdown = n;
        mb_status status = write_it(false, &err);
        bool done = countdown >= 0;
        countdown = -1;
        bool rename_itself =
            status != MB_OK && strstr(err.message, "Interrupted") != NULL; /* POSIX: rename has no EINTR */
        CHECK_MSG((status == MB_OK && state_of_file() == 2) || rename_itself, "call %ld: %s", n, err.message);
        CHECK_EQ(n_leftovers(), 0);
        if (done) {
            break;
        }
    }
}

static void kills(bool exists)
{
    int n_killed = 0;
    for (long n = 0;; n++) {
        reset(exists);
        pid_t child = fork();
        if (child == 0) {
            kind = FAULT_KILL;
            countdown = n;
            _exit(write_it(exists, NULL) == MB_OK ? 0 : 1);
        }
        int how = 0;
        CHECK(child > 0 && waitpid(child, &how, 0) == child);
        int state = state_of_file();
        CHECK_MSG(state == 2 || state == (exists ? 1 : 0), "killed at call %ld: file %d", n, state);
        (void)n_leftovers();
        if (!WIFSIGNALED(how)) {
            CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0 && state == 2);
            break;
        }
        n_killed++;
    }
    CHECK_GE(n_killed, 8);
}

static const struct {
    const char *name;
    bool exists;
} targets[] = {{"new file", false}, {"replaced file", true}};

TEST_ROWS(io_error, targets)
{
    errors(row->exists, EIO, false);
}

TEST_ROWS(disk_full, targets)
{
    errors(row->exists, ENOSPC, true);
}

TEST_ROWS(killed, targets)
{
    kills(row->exists);
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/a.png", folder);
    for (size_t i = 0; i < sizeof contents; i++) {
        contents[i] = (char)(i * 7);
    }
}

TEARDOWN
{
    reset(false);
    CHECK_EQ(rmdir(folder), 0);
}
