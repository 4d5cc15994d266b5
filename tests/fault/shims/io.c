/* Preloaded into a program: its n-th system call on files fails, is cut short, or is the last thing that it does.
 *
 *     MB_FAULT_COUNT=FILE    the calls are counted, and the number is written to FILE at each (8 bytes, binary)
 *     MB_FAULT_AT=N          number N (from 0) is struck
 *     MB_FAULT_KIND=WORD     EINTR, EIO, ENOSPC, EDQUOT, EPERM, ENOMEM: it fails with that; kill: SIGKILL before it;
 *                            short: from number N on, reads and writes move one byte less than half
 *     MB_FAULT_ONLY=PATH     only calls on names that contain PATH, and on descriptors of such files
 *
 * Calls: open, openat, fopen, opendir, readdir, read, pread, write, pwrite, mmap, fallocate, ftruncate, fsync, close,
 * rename, renameat, renameat2, linkat, unlink, unlinkat, mkdir, stat, fstat, lstat, fstatat. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic long *calls; /* in a mapped file, so that a killed program leaves the number */
static _Atomic long own_calls;
static long at = -1;
static int code;
static bool kills, shortens;
static const char *only;
static atomic_bool ours[1024]; /* descriptors of files that count */
static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void)
{
    static const struct {
        const char *name;
        int code;
    } errors[] = {{"EINTR", EINTR},   {"EIO", EIO},     {"ENOSPC", ENOSPC},
                  {"EDQUOT", EDQUOT}, {"EPERM", EPERM}, {"ENOMEM", ENOMEM}};
    const char *count = getenv("MB_FAULT_COUNT"), *number = getenv("MB_FAULT_AT"), *kind = getenv("MB_FAULT_KIND");
    real_open = NEXT(open);
    real_close = NEXT(close);
    only = getenv("MB_FAULT_ONLY");
    at = number != NULL ? strtol(number, NULL, 10) : -1;
    kills = kind != NULL && strcmp(kind, "kill") == 0;
    shortens = kind != NULL && strcmp(kind, "short") == 0;
    for (size_t i = 0; kind != NULL && i < sizeof errors / sizeof errors[0]; i++) {
        code = strcmp(kind, errors[i].name) == 0 ? errors[i].code : code;
    }
    calls = &own_calls;
    const int fd = count != NULL ? real_open(count, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0 && ftruncate(fd, 8) == 0) {
        void *p = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        calls = p != MAP_FAILED ? p : calls;
        real_close(fd);
    }
}

/* Counts a call; true: it must fail, and errno is set. */
static bool strikes(void)
{
    if (calls == NULL || atomic_fetch_add(calls, 1) != at || shortens) {
        return false;
    }
    if (kills) {
        (void)raise(SIGKILL);
    }
    errno = code;
    return code != 0;
}

static bool counts_name(const char *path)
{
    return only != NULL && path != NULL && strstr(path, only) != NULL;
}

static bool counts_fd(int fd)
{
    return fd >= 0 && fd < 1024 && atomic_load(&ours[fd]);
}

static bool strikes_name(const char *path)
{
    return counts_name(path) && strikes();
}

static bool strikes_fd(int fd)
{
    return counts_fd(fd) && strikes();
}

static int opened(int fd, bool counts)
{
    if (fd >= 0 && fd < 1024) {
        atomic_store(&ours[fd], counts);
    }
    return fd;
}

/* Bytes that a call may move. */
static size_t some_of(size_t n)
{
    return shortens && at >= 0 && atomic_load(calls) > at && n > 1 ? (n + 1) / 2 - (n > 2) : n;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (strikes_name(path)) {
        return -1;
    }
    return opened((real_open != NULL ? real_open : NEXT(open))(path, flags, mode), counts_name(path));
}

/* What the compiler makes of calls without a mode. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    const bool counts = counts_fd(folder) || counts_name(path);
    if (counts && strikes()) {
        return -1;
    }
    return opened(NEXT(openat)(folder, path, flags, mode), counts);
}

FILE *fopen(const char *path, const char *mode)
{
    return strikes_name(path) ? NULL : NEXT(fopen)(path, mode);
}

DIR *opendir(const char *path)
{
    if (strikes_name(path)) {
        return NULL;
    }
    DIR *d = NEXT(opendir)(path);
    if (d != NULL) {
        (void)opened(dirfd(d), counts_name(path));
    }
    return d;
}

struct dirent *readdir(DIR *d)
{
    return strikes_fd(dirfd(d)) ? NULL : NEXT(readdir)(d);
}

int closedir(DIR *d)
{
    (void)opened(dirfd(d), false);
    return NEXT(closedir)(d);
}

ssize_t read(int fd, void *p, size_t n)
{
    return strikes_fd(fd) ? -1 : NEXT(read)(fd, p, counts_fd(fd) ? some_of(n) : n);
}

ssize_t pread(int fd, void *p, size_t n, off_t from)
{
    return strikes_fd(fd) ? -1 : NEXT(pread)(fd, p, counts_fd(fd) ? some_of(n) : n, from);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return strikes_fd(fd) ? -1 : NEXT(write)(fd, p, counts_fd(fd) ? some_of(n) : n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t to)
{
    return strikes_fd(fd) ? -1 : NEXT(pwrite)(fd, p, counts_fd(fd) ? some_of(n) : n, to);
}

void *mmap(void *p, size_t n, int protection, int flags, int fd, off_t from)
{
    return strikes_fd(fd) ? MAP_FAILED : NEXT(mmap)(p, n, protection, flags, fd, from);
}

int fallocate(int fd, int mode, off_t from, off_t n)
{
    return strikes_fd(fd) ? -1 : NEXT(fallocate)(fd, mode, from, n);
}

int ftruncate(int fd, off_t n)
{
    return strikes_fd(fd) ? -1 : NEXT(ftruncate)(fd, n);
}

int fsync(int fd)
{
    return strikes_fd(fd) ? -1 : NEXT(fsync)(fd);
}

/* The descriptor is gone whatever is said. */
int close(int fd)
{
    const bool fails = strikes_fd(fd);
    const int why = errno;
    (void)opened(fd, false);
    const int result = (real_close != NULL ? real_close : NEXT(close))(fd);
    if (fails) {
        errno = why;
        return -1;
    }
    return result;
}

int rename(const char *from, const char *to)
{
    return strikes_name(from) ? -1 : NEXT(rename)(from, to);
}

int renameat(int a, const char *from, int b, const char *to)
{
    return strikes_fd(a) ? -1 : NEXT(renameat)(a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return strikes_fd(a) ? -1 : NEXT(renameat2)(a, from, b, to, flags);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
    return strikes_fd(a) ? -1 : NEXT(linkat)(a, from, b, to, flags);
}

int unlink(const char *path)
{
    return strikes_name(path) ? -1 : NEXT(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    return strikes_fd(folder) ? -1 : NEXT(unlinkat)(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return strikes_name(path) ? -1 : NEXT(mkdir)(path, mode);
}

int stat(const char *path, struct stat *s)
{
    return strikes_name(path) ? -1 : NEXT(stat)(path, s);
}

int lstat(const char *path, struct stat *s)
{
    return strikes_name(path) ? -1 : NEXT(lstat)(path, s);
}

int fstat(int fd, struct stat *s)
{
    return strikes_fd(fd) ? -1 : NEXT(fstat)(fd, s);
}

int fstatat(int folder, const char *path, struct stat *s, int flags)
{
    return strikes_fd(folder) ? -1 : NEXT(fstatat)(folder, path, s, flags);
}
