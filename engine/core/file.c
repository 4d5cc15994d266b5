/* Reading files: mapped (model files) or whole (everything else). Every system call that may be interrupted is
 * repeated; sizes come from the open descriptor, so a path that changes in between cannot mislead. */
#define _GNU_SOURCE
#include "core/file.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MB_FIRST_READ ((size_t)64 << 10) /* first buffer for a pipe, whose size nobody knows */

/* The errors that users meet, in their words; the system's for all others. */
static mb_status fail_errno(mb_error *err, const char *path, int code)
{
    char buffer[128];
    switch (code) {
    case ENOENT:
        return mb_fail(err, MB_E_IO, "%s: no such file", path);
    case EISDIR:
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", path);
    case ENOMEM:
        return mb_fail(err, MB_E_MEMORY, "%s: the system has no memory to map it", path);
    default:
        return mb_fail(err, MB_E_IO, "%s: cannot be read: %s", path, strerror_r(code, buffer, sizeof buffer));
    }
}

/* Repeated when a signal interrupts it. */
static int open_for_reading(const char *path, int extra)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | extra);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Private and read-only: a file that is replaced meanwhile does not change under us. */
mb_status mb_map_file(mb_mapping *out, const char *path, mb_error *err)
{
    *out = (mb_mapping){0};
    mb_status status = MB_OK;
    struct stat st;
    int fd = open_for_reading(path, O_NONBLOCK); /* a pipe without a writer must not block */
    if (fd < 0) {
        return fail_errno(err, path, errno);
    }
    if (fstat(fd, &st) != 0) {
        status = fail_errno(err, path, errno);
    } else if (S_ISDIR(st.st_mode)) {
        status = fail_errno(err, path, EISDIR);
    } else if (!S_ISREG(st.st_mode)) {
        status = mb_fail(err, MB_E_IO, "%s: not a regular file (a pipe or device cannot be mapped)", path);
    } else if (st.st_size == 0) {
        out->data = "";
    } else {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            status = fail_errno(err, path, errno);
        } else {
            *out = (mb_mapping){p, (size_t)st.st_size};
        }
    }
    (void)close(fd); /* only read from: nothing can be lost */
    return status;
}

/* Twice is harmless. */
void mb_unmap_file(mb_mapping *m)
{
    if (m->bytes > 0) {
        (void)munmap((void *)(uintptr_t)m->data, m->bytes);
    }
    *m = (mb_mapping){0};
}

/* Of files that are read whole. */
static mb_status fail_too_large(mb_error *err, const char *path, size_t limit)
{
    return mb_fail(err, MB_E_FORMAT, "%s: larger than the limit of %zu bytes", path, limit);
}

/* Reads to the end of fd into a growing buffer; `guess` bytes at first. */
static mb_status read_all(void **out, size_t *bytes, int fd, const char *path, size_t guess, size_t limit,
                          mb_error *err)
{
    size_t capacity = guess + 1, n = 0; /* + 1: the zero at the end, and the byte that shows the end of the file */
    uint8_t *buffer = mb_alloc(capacity);
    if (buffer == NULL) {
        return mb_fail_memory(err, capacity, path);
    }
    for (;;) {
        if (n == capacity) {
            size_t larger = capacity < limit / 2 ? capacity * 2 : limit + 1;
            uint8_t *p = mb_realloc_array(buffer, larger, 1);
            if (p == NULL) {
                mb_free(buffer);
                return mb_fail_memory(err, larger, path);
            }
            buffer = p;
            capacity = larger;
        }
        ssize_t got = read(fd, buffer + n, capacity - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int code = errno;
            mb_free(buffer);
            return fail_errno(err, path, code);
        }
        n += (size_t)got;
        if (n > limit) {
            mb_free(buffer);
            return fail_too_large(err, path, limit);
        }
        if (got == 0) {
            break;
        }
    }
    buffer[n] = 0; /* n < capacity: the last read saw the end with room left */
    *out = buffer;
    *bytes = n;
    return MB_OK;
}

/* A whole file with a zero byte behind it. The size is not believed: it is read to its end, up to `limit`. */
mb_status mb_read_file(void **out, size_t *bytes, const char *path, size_t limit, mb_error *err)
{
    *out = NULL;
    *bytes = 0;
    if (limit == 0 || limit > SIZE_MAX / 4) {
        limit = SIZE_MAX / 4;
    }
    if (strcmp(path, "-") == 0) {
        return read_all(out, bytes, STDIN_FILENO, "standard input", limit < MB_FIRST_READ ? limit : MB_FIRST_READ,
                        limit, err);
    }
    int fd = open_for_reading(path, 0);
    if (fd < 0) {
        return fail_errno(err, path, errno);
    }
    struct stat st;
    mb_status status;
    if (fstat(fd, &st) != 0) {
        status = fail_errno(err, path, errno);
    } else if (S_ISDIR(st.st_mode)) {
        status = fail_errno(err, path, EISDIR);
    } else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit) {
        status = fail_too_large(err, path, limit);
    } else {
        size_t guess = S_ISREG(st.st_mode) ? (size_t)st.st_size : MB_FIRST_READ;
        status = read_all(out, bytes, fd, path, guess < limit ? guess : limit, limit, err);
    }
    (void)close(fd);
    return status;
}

bool mb_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, "-") != 0 && strcmp(b, "-") != 0 && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino && !S_ISCHR(x.st_mode);
}

mb_status mb_refuse_same_file(const char *output, const char *input, const char *role, mb_error *err)
{
    if (!mb_same_file(output, input)) {
        return MB_OK;
    }
    return mb_fail(err, MB_E_ARGUMENT, "%s is %s\nchoose another name for the result: inputs are never overwritten",
                   output, role);
}
