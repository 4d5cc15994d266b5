/* Reading files: mapped (model files) or whole (everything else). Sizes come from the open descriptor, so a path that changes in between cannot mislead. */
#include "core/file.h"

#include "core/alloc.h"
#include "core/os_file.h"

#include <errno.h>
#include <string.h>

#define MB_FIRST_READ ((size_t)64 << 10) /* first buffer for a pipe, whose size nobody knows */

/* The errors that users meet, in their words; the system's for all others. */
static mb_status fail_errno(mb_error *err, const char *path, int code)
{
    char buffer[256];
    switch (code) {
    case ENOENT:
        return mb_fail(err, MB_E_IO, "%s: %s", path,
                       mb_os_name_trouble(buffer, sizeof buffer, path) ? buffer : "no such file");
    case EISDIR:
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", path);
    case ENOMEM:
        return mb_fail(err, MB_E_MEMORY, "%s: the system has no memory to map it", path);
    default:
        return mb_fail(err, MB_E_IO, "%s: cannot be read: %s", path, mb_os_error_text(code, buffer, sizeof buffer));
    }
}

/* Private and read-only: a file that is replaced meanwhile does not change under us. */
mb_status mb_map_file(mb_mapping *out, const char *path, mb_error *err)
{
    *out = (mb_mapping){0};
    mb_status status = MB_OK;
    mb_os_info info;
    int fd, code = mb_os_open(&fd, path, MB_OS_READ_NO_WAIT); /* a pipe without a writer must not block */
    if (code != 0) {
        return fail_errno(err, path, code);
    }
    if ((code = mb_os_look_open(&info, fd)) != 0) {
        status = fail_errno(err, path, code);
    } else if (info.kind == MB_OS_FOLDER) {
        status = fail_errno(err, path, EISDIR);
    } else if (info.kind != MB_OS_FILE) {
        status = mb_fail(err, MB_E_IO, "%s: not a regular file (a pipe or device cannot be mapped)", path);
    } else if (info.bytes > SIZE_MAX) {
        status = fail_errno(err, path, ENOMEM);
    } else if (info.bytes == 0) {
        out->data = "";
    } else if ((code = mb_os_map(&out->data, fd, (size_t)info.bytes)) != 0) {
        status = fail_errno(err, path, code);
    } else {
        out->bytes = (size_t)info.bytes;
    }
    (void)mb_os_close(fd); /* only read from: nothing can be lost */
    return status;
}

/* Twice is harmless. */
void mb_unmap_file(mb_mapping *m)
{
    if (m->bytes > 0) {
        mb_os_unmap(m->data, m->bytes);
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
        size_t got;
        int code = mb_os_read(fd, buffer + n, capacity - n, &got);
        if (code == EINTR) {
            continue;
        }
        if (code != 0) {
            mb_free(buffer);
            return fail_errno(err, path, code);
        }
        n += got;
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
        return read_all(out, bytes, 0, "standard input", limit < MB_FIRST_READ ? limit : MB_FIRST_READ, limit, err);
    }
    mb_os_info info;
    mb_status status;
    char why[256];
    int fd, code = mb_os_open(&fd, path, MB_OS_READ);
    if (code != 0) {
        return fail_errno(err, path, code);
    }
    if ((code = mb_os_look_open(&info, fd)) != 0) {
        status = fail_errno(err, path, code);
    } else if (info.kind == MB_OS_FOLDER) {
        status = fail_errno(err, path, EISDIR);
    } else if (info.kind == MB_OS_CHARACTER_DEVICE && mb_os_name_trouble(why, sizeof why, path)) {
        status = mb_fail(err, MB_E_IO, "%s: %s", path, why); /* CON would wait for the keyboard */
    } else if (info.kind == MB_OS_FILE && info.bytes > limit) {
        status = fail_too_large(err, path, limit);
    } else {
        size_t guess = info.kind == MB_OS_FILE ? (size_t)info.bytes : MB_FIRST_READ;
        status = read_all(out, bytes, fd, path, guess < limit ? guess : limit, limit, err);
    }
    (void)mb_os_close(fd);
    return status;
}

/* Through links and different spellings: by the identity of the file. Character devices are nobody's file, so /dev/null may be
 * both. */
bool mb_same_file(const char *a, const char *b)
{
    mb_os_info x, y;
    return strcmp(a, "-") != 0 && strcmp(b, "-") != 0 && mb_os_look(&x, a) == 0 && mb_os_look(&y, b) == 0 &&
           x.device == y.device && x.file == y.file && x.kind != MB_OS_CHARACTER_DEVICE;
}

/* `role` says what the input is ("the photo"), for the message. */
mb_status mb_refuse_same_file(const char *output, const char *input, const char *role, mb_error *err)
{
    if (!mb_same_file(output, input)) {
        return MB_OK;
    }
    return mb_fail(err, MB_E_ARGUMENT, "%s is %s\nchoose another name for the result: inputs are never overwritten",
                   output, role);
}
