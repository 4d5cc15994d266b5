/* Files by POSIX (os_file.h). Calls that a signal interrupts are repeated. */
#define _GNU_SOURCE
#include "core/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

const char mb_os_list_separator = ':';

/* ---- names */

char *mb_os_tidy_path(char *path)
{
    return path;
}

bool mb_os_is_absolute(const char *path)
{
    return path[0] == '/';
}

const char *mb_os_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int mb_os_real_path(char out[MB_OS_PATH_BYTES], const char *path)
{
    _Static_assert(MB_OS_PATH_BYTES >= PATH_MAX, "what realpath may write");
    return realpath(path, out) != NULL ? 0 : errno;
}

/* Volumes of macOS take a.png and A.png for one file, unless they were made otherwise. */
int mb_os_compare_names(const char *a, const char *b)
{
#ifdef __APPLE__
    return strcasecmp(a, b);
#else
    return strcmp(a, b);
#endif
}

/* Whatever has no zero and no '/' is a name. */
bool mb_os_name_trouble(char *text, size_t bytes, const char *path)
{
    (void)text;
    (void)bytes;
    (void)path;
    return false;
}

size_t mb_os_name_length(const char *name)
{
    return strlen(name);
}

/* ---- what is there */

static void fill_info(mb_os_info *out, const struct stat *s)
{
    *out = (mb_os_info){.kind = S_ISREG(s->st_mode)    ? MB_OS_FILE
                                : S_ISDIR(s->st_mode)  ? MB_OS_FOLDER
                                : S_ISLNK(s->st_mode)  ? MB_OS_LINK
                                : S_ISCHR(s->st_mode)  ? MB_OS_CHARACTER_DEVICE
                                : S_ISFIFO(s->st_mode) ? MB_OS_PIPE
                                                       : MB_OS_OTHER,
                        .device = (uint64_t)s->st_dev,
                        .file = s->st_ino,
                        .bytes = s->st_size > 0 ? (uint64_t)s->st_size : 0,
                        .modified_s = s->st_mtime};
}

int mb_os_look(mb_os_info *out, const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0) {
        return errno;
    }
    fill_info(out, &s);
    return 0;
}

int mb_os_look_here(mb_os_info *out, const char *path)
{
    struct stat s;
    if (lstat(path, &s) != 0) {
        return errno;
    }
    fill_info(out, &s);
    return 0;
}

int mb_os_look_open(mb_os_info *out, int fd)
{
    struct stat s;
    if (fstat(fd, &s) != 0) {
        return errno;
    }
    fill_info(out, &s);
    return 0;
}

bool mb_os_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool mb_os_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool mb_os_is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

int mb_os_may_read(const char *path)
{
    return access(path, R_OK) == 0 ? 0 : errno;
}

int mb_os_may_write_in(const char *folder)
{
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

int mb_os_space(const char *folder, double *bytes_left, size_t *longest_name)
{
    struct statvfs s;
    if (statvfs(folder, &s) != 0) {
        return errno;
    }
    *bytes_left = (double)s.f_bavail * (double)s.f_frsize;
    *longest_name = s.f_namemax;
    return 0;
}

/* ---- open files */

int mb_os_open(int *fd, const char *path, mb_os_mode mode)
{
    static const int flags[] = {[MB_OS_READ] = O_RDONLY | O_NOCTTY,
                                [MB_OS_READ_NO_WAIT] = O_RDONLY | O_NOCTTY | O_NONBLOCK,
                                [MB_OS_WRITE] = O_WRONLY | O_NOCTTY,
                                [MB_OS_NEW] = O_WRONLY | O_CREAT | O_EXCL,
                                [MB_OS_CONTINUE] = O_RDWR | O_CREAT | O_NOFOLLOW};
    do {
        *fd = open(path, flags[mode] | O_CLOEXEC, 0666);
    } while (*fd < 0 && errno == EINTR);
    return *fd >= 0 ? 0 : errno;
}

int mb_os_open_output(int *fd)
{
    *fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return *fd >= 0 ? 0 : errno;
}

/* After EINTR the descriptor is gone, too. */
int mb_os_close(int fd)
{
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

/* The result of a call of the read and write family; true: once more. */
static bool is_interrupted(ssize_t n, size_t *count, int *code)
{
    if (n < 0 && errno == EINTR) {
        return true;
    }
    *code = n < 0 ? errno : 0;
    *count = n < 0 ? 0 : (size_t)n;
    return false;
}

/* Not repeated: whoever waits for a pipe may want to hear of Ctrl-C. */
int mb_os_read(int fd, void *data, size_t bytes, size_t *got)
{
    ssize_t n = read(fd, data, bytes);
    *got = n < 0 ? 0 : (size_t)n;
    return n < 0 ? errno : 0;
}

int mb_os_write(int fd, const void *data, size_t bytes, size_t *put)
{
    int code;
    while (is_interrupted(write(fd, data, bytes), put, &code)) {
    }
    return code;
}

int mb_os_read_at(int fd, uint64_t at, void *data, size_t bytes, size_t *got)
{
    int code;
    while (is_interrupted(pread(fd, data, bytes, (off_t)at), got, &code)) {
    }
    return code;
}

int mb_os_write_at(int fd, uint64_t at, const void *data, size_t bytes, size_t *put)
{
    int code;
    while (is_interrupted(pwrite(fd, data, bytes, (off_t)at), put, &code)) {
    }
    return code;
}

int mb_os_resize(int fd, uint64_t bytes)
{
    int code;
    do {
        code = ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
    } while (code == EINTR);
    return code;
}

#ifdef __APPLE__
/* Blocks beyond the end, in one piece or in several. The size of the file grows to what is written. */
static int reserve(int fd, uint64_t bytes)
{
    fstore_t room = {F_ALLOCATECONTIG, F_PEOFPOSMODE, 0, (off_t)bytes, 0};
    if (fcntl(fd, F_PREALLOCATE, &room) >= 0) {
        return 0;
    }
    room.fst_flags = F_ALLOCATEALL;
    return fcntl(fd, F_PREALLOCATE, &room) >= 0 ? 0 : errno;
}

/* fsync leaves data in the disk's own memory there; disks that know nothing better (network drives) get fsync. */
static int sync_file(int fd)
{
    return fcntl(fd, F_FULLFSYNC) >= 0 || fsync(fd) == 0 ? 0 : errno;
}
#else
static int reserve(int fd, uint64_t bytes)
{
    return fallocate(fd, 0, 0, (off_t)bytes) == 0 ? 0 : errno;
}

static int sync_file(int fd)
{
    return fsync(fd) == 0 ? 0 : errno;
}
#endif

/* File systems without that ability say EOPNOTSUPP or EINVAL: then a full disk shows later. */
int mb_os_reserve(int fd, uint64_t bytes)
{
    int code;
    do {
        code = reserve(fd, bytes);
    } while (code == EINTR);
    return mb_os_full(code) != NULL ? code : 0;
}

int mb_os_sync(int fd)
{
    int code;
    do {
        code = sync_file(fd);
    } while (code == EINTR);
    return code == EINVAL || code == EROFS || code == ENOSYS || code == EOPNOTSUPP ? 0 : code;
}

int mb_os_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

int mb_os_map(const void **data, int fd, size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    *data = p != MAP_FAILED ? p : NULL;
    return p != MAP_FAILED ? 0 : errno;
}

void mb_os_unmap(const void *data, size_t bytes)
{
    (void)munmap((void *)(uintptr_t)data, bytes);
}

/* "e": not for programs that we start. */
FILE *mb_os_fopen(const char *path, const char *mode)
{
    char with_cloexec[8];
    (void)snprintf(with_cloexec, sizeof with_cloexec, "%se", mode);
    return fopen(path, with_cloexec);
}

/* ---- names of files */

int mb_os_remove(const char *path)
{
    return unlink(path) == 0 ? 0 : errno;
}

int mb_os_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

int mb_os_make_folder(const char *path, bool for_the_user_alone)
{
    return mkdir(path, for_the_user_alone ? 0700 : 0777) == 0 ? 0 : errno;
}

/* ---- errors */

const char *mb_os_error_text(int code, char *buffer, size_t bytes)
{
#ifdef __GLIBC__
    return strerror_r(code, buffer, bytes);
#else
    return strerror_r(code, buffer, bytes) == 0 ? buffer : "unknown error";
#endif
}

const char *mb_os_full(int code)
{
    switch (code) {
    case ENOSPC:
        return "no space left on the disk";
    case EDQUOT:
        return "the disk quota is used up";
    case EFBIG:
        return "a file may not become that large here (ulimit -f)";
    default:
        return NULL;
    }
}
