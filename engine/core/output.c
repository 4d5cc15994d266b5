/* Output files that are complete or absent: temporary name in the same folder, reserve, write, fsync, rename, fsync of
 * the folder. Every failure removes the temporary file.
 *
 *   open      the folder is opened, a temporary file created in it and locked, blocks reserved: a full disk shows
 *             before the work
 *   write     at the end, or at an offset
 *   commit    contents to the disk before the name: after a crash there is the old file, the new one, or none
 *   abort     at any point instead of commit
 *
 * A process that is killed leaves its temporary file behind, unlocked: the next writer of the same name removes it, and
 * mb_output_leftovers finds it a day later. */
#define _GNU_SOURCE
#include "core/file.h"

#include "core/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MB_TEMPORARY_MARK ".mattebox-"
#define MB_SUFFIX_CHARS   6
#define MB_NAME_TRIES     100
#define MB_LEFTOVER_AGE_S 86400

struct mb_output {
    int fd;          /* of the file that is written */
    int folder;      /* descriptor of its folder; -1 for direct outputs */
    bool replace;    /* may take the place of an existing file */
    uint64_t at;     /* where the next append goes */
    uint64_t needed; /* expected size, for the message about a full disk */
    char *path;      /* as the user gave it, for messages */
    char *name;      /* final name within the folder; NULL for direct outputs */
    char *temporary; /* temporary name within the folder */
};

/* Where nothing may be replaced. */
static mb_status fail_exists(mb_error *err, const char *path)
{
    return mb_fail(err, MB_E_ARGUMENT, "%s exists\noverwrite=1 replaces it", path);
}

/* The message for an errno: what is full, and how much was needed. */
static mb_status fail_output(mb_error *err, const char *path, uint64_t needed, int code)
{
    char buffer[128];
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        const char *what = code == ENOSPC   ? "no space left on the disk"
                           : code == EDQUOT ? "the disk quota is used up"
                                            : "a file may not become that large here (ulimit -f)";
        if (needed > 0) {
            return mb_fail(err, MB_E_IO, "%s: %s (%.1f MB needed); nothing was left behind", path, what,
                           (double)needed * 1e-6);
        }
        return mb_fail(err, MB_E_IO, "%s: %s; nothing was left behind", path, what);
    }
    if (code == ENOENT) {
        return mb_fail(err, MB_E_IO, "%s: the folder does not exist", path);
    }
    return mb_fail(err, MB_E_IO, "%s: cannot be written: %s", path, strerror_r(code, buffer, sizeof buffer));
}

/* Everything but the file itself. */
static void free_output(mb_output *o)
{
    if (o->folder >= 0) {
        (void)close(o->folder);
    }
    mb_free(o->path);
    mb_free(o->name);
    mb_free(o->temporary);
    mb_free(o);
}

/* ".NAME.mattebox-000000" and so on; NAME is cut where the whole would exceed what file systems take. The names are the
 * same in every run, so that the next run of an output meets what a killed one left. */
static bool make_temporary_name(char *dst, size_t capacity, const char *name, int attempt)
{
    const int longest = NAME_MAX - 1 - (int)sizeof MB_TEMPORARY_MARK - MB_SUFFIX_CHARS;
    int n = snprintf(dst, capacity, ".%.*s" MB_TEMPORARY_MARK "%0*d", longest, name, MB_SUFFIX_CHARS, attempt);
    return n > 0 && (size_t)n < capacity;
}

/* Writers hold a lock on their temporary file. What nobody holds was left by a process that died, and is removed. Where
 * the file system knows no locks, a day of age tells. */
static void remove_stale(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return;
    }
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool old = !locked && errno != EWOULDBLOCK && time(NULL) - st.st_mtime > MB_LEFTOVER_AGE_S;
    if (regular && (locked || old)) {
        (void)unlinkat(folder, name, 0);
    }
    (void)close(fd);
}

/* Takes the lock of a file that was just created. False if another process took it for one left behind meanwhile. */
static bool hold(int fd)
{
    struct stat st;
    return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* In the folder of the final name, so that rename never crosses file systems. */
static mb_status create_temporary(mb_output *o, mb_error *err)
{
    char name[NAME_MAX + 1];
    for (int i = 0; i < MB_NAME_TRIES; i++) {
        if (!make_temporary_name(name, sizeof name, o->name, i)) {
            return mb_fail(err, MB_E_IO, "%s: the name is too long", o->path);
        }
        remove_stale(o->folder, name);
        int fd;
        do {
            fd = openat(o->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        } while (fd < 0 && errno == EINTR);
        if (fd < 0 && errno != EEXIST) {
            return fail_output(err, o->path, o->needed, errno);
        }
        if (fd >= 0 && hold(fd)) {
            o->fd = fd;
            o->temporary = mb_strdup(name);
            if (o->temporary == NULL) {
                (void)unlinkat(o->folder, name, 0);
                return mb_fail_memory(err, strlen(name), "a file name");
            }
            return MB_OK;
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return mb_fail(err, MB_E_IO, "%s: %d other runs are writing it", o->path, MB_NAME_TRIES);
}

/* Reserves the blocks. File systems without that ability say EOPNOTSUPP (or EINVAL): then a full disk shows later. */
static mb_status reserve(mb_output *o, mb_error *err)
{
    if (o->needed == 0 || o->needed > INT64_MAX) {
        return MB_OK;
    }
    int code;
    do {
        code = fallocate(o->fd, 0, 0, (off_t)o->needed) == 0 ? 0 : errno;
    } while (code == EINTR);
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        return fail_output(err, o->path, o->needed, code);
    }
    return MB_OK;
}

/* target: the path with links resolved. The folder stays open: the file is renamed within it even if the path
 * changes meanwhile. */
static mb_status open_regular(mb_output *o, const char *target, mb_error *err)
{
    const char *slash = strrchr(target, '/');
    const char *name = slash != NULL ? slash + 1 : target;
    char *folder = slash == NULL ? mb_strdup(".") : slash == target ? mb_strdup("/") : mb_strdup(target);
    o->name = mb_strdup(name);
    if (folder == NULL || o->name == NULL) {
        mb_free(folder);
        return mb_fail_memory(err, strlen(target), "a file name");
    }
    if (slash != NULL && slash != target) {
        folder[slash - target] = '\0';
    }
    o->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = errno;
    mb_free(folder);
    if (o->folder < 0) {
        return fail_output(err, o->path, 0, code);
    }
    if (name[0] == '\0') {
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", o->path);
    }
    mb_status status = create_temporary(o, err);
    return status == MB_OK ? reserve(o, err) : status;
}

/* What lies at the path decides: "-" and devices or pipes are written directly, a regular file (or nothing, or a link
 * to one) goes by a temporary name. */
static mb_status open_target(mb_output *o, mb_error *err)
{
    struct stat st;
    if (strcmp(o->path, "-") == 0) {
        o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        return o->fd >= 0 ? MB_OK : fail_output(err, "standard output", 0, errno);
    }
    if (stat(o->path, &st) != 0) {
        return open_regular(o, o->path, err); /* a link to nothing is replaced by the file */
    }
    if (S_ISDIR(st.st_mode)) {
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", o->path);
    }
    if (!S_ISREG(st.st_mode)) {
        do {
            o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        } while (o->fd < 0 && errno == EINTR);
        return o->fd >= 0 ? MB_OK : fail_output(err, o->path, 0, errno);
    }
    if (!o->replace) {
        return fail_exists(err, o->path);
    }
    char *target = realpath(o->path, NULL); /* write through a link instead of replacing it */
    if (target == NULL) {
        return fail_output(err, o->path, 0, errno);
    }
    mb_status status = open_regular(o, target, err);
    free(target);
    return status;
}

/* On an error nothing is left behind, the temporary file included. */
mb_status mb_output_open(mb_output **out, const char *path, bool replace, uint64_t expected_bytes, mb_error *err)
{
    *out = NULL;
    mb_output *o = mb_calloc(1, sizeof *o);
    if (o == NULL) {
        return mb_fail_memory(err, sizeof *o, "an output file");
    }
    *o = (mb_output){.fd = -1, .folder = -1, .replace = replace, .needed = expected_bytes, .path = mb_strdup(path)};
    mb_status status = o->path != NULL ? open_target(o, err) : mb_fail_memory(err, strlen(path), "a file name");
    if (status != MB_OK) {
        mb_output_abort(o);
        return status;
    }
    *out = o;
    return MB_OK;
}

bool mb_output_is_regular(const mb_output *o)
{
    return o->temporary != NULL;
}

/* For writers that come back to fill in a header; pipes cannot. */
mb_status mb_output_write_at(mb_output *o, uint64_t offset, const void *data, size_t bytes, mb_error *err)
{
    const uint8_t *p = data;
    if (!mb_output_is_regular(o)) {
        return mb_fail(err, MB_E_IO, "%s: must be a regular file, not a pipe or device", o->path);
    }
    while (bytes > 0) {
        ssize_t n = pwrite(o->fd, p, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_output(err, o->path, o->needed, n < 0 ? errno : ENOSPC);
        }
        p += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return MB_OK;
}

/* At the end. Interrupted and partial writes go on. */
mb_status mb_output_write(mb_output *o, const void *data, size_t bytes, mb_error *err)
{
    if (mb_output_is_regular(o)) {
        mb_status status = mb_output_write_at(o, o->at, data, bytes, err);
        o->at += bytes;
        return status;
    }
    const uint8_t *p = data;
    while (bytes > 0) {
        ssize_t n = write(o->fd, p, bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_output(err, o->path, o->needed, n < 0 ? errno : ENOSPC);
        }
        p += n;
        bytes -= (size_t)n;
    }
    return MB_OK;
}

/* What file systems say that lack a call or a flag. */
static bool is_unsupported(int code)
{
    return code == EPERM || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL || code == EMLINK;
}

/* Gives the temporary file its name. Without `replace` the kernel refuses atomically when the name is taken. */
static int rename_into_place(const mb_output *o)
{
    if (o->replace) {
        return renameat(o->folder, o->temporary, o->folder, o->name) == 0 ? 0 : errno;
    }
    if (renameat2(o->folder, o->temporary, o->folder, o->name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS && !is_unsupported(errno)) {
        return errno;
    }
    if (linkat(o->folder, o->temporary, o->folder, o->name, 0) == 0) { /* a link refuses a taken name as well */
        (void)unlinkat(o->folder, o->temporary, 0);
        return 0;
    }
    if (!is_unsupported(errno)) {
        return errno;
    }
    /* Neither (FUSE mounts, exFAT, SMB): a look, then a plain rename. Another program could take the name in between.
     */
    struct stat st;
    if (fstatat(o->folder, o->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return EEXIST;
    }
    return renameat(o->folder, o->temporary, o->folder, o->name) == 0 ? 0 : errno;
}

/* Regular files: contents to the disk, then the name, then the folder's entry. In any other order a crash could leave
 * the new name with nothing behind it. */
static mb_status finish_regular(mb_output *o, mb_error *err)
{
    int code;
    do {
        code = fsync(o->fd) == 0 ? 0 : errno;
    } while (code == EINTR);
    if (code == EINVAL || code == EROFS || code == ENOSYS || code == EOPNOTSUPP) {
        code = 0; /* a file system that cannot sync */
    }
    int fd = o->fd;
    o->fd = -1;
    if (close(fd) != 0 && code == 0 && errno != EINTR) {
        code = errno;
    }
    if (code == 0) {
        code = rename_into_place(o);
    }
    if (code == EEXIST) {
        return fail_exists(err, o->path);
    }
    if (code != 0) {
        return fail_output(err, o->path, o->needed, code);
    }
    mb_free(o->temporary);
    o->temporary = NULL;
    (void)fsync(o->folder); /* the data are safe; folders that cannot sync are no reason to fail */
    return MB_OK;
}

/* Frees `o` in any case. */
mb_status mb_output_commit(mb_output *o, mb_error *err)
{
    mb_status status = MB_OK;
    if (o->temporary != NULL) {
        status = finish_regular(o, err);
    } else {
        int fd = o->fd;
        o->fd = -1;
        if (close(fd) != 0 && errno != EINTR) {
            status = fail_output(err, o->path, 0, errno);
        }
    }
    mb_output_abort(o);
    return status;
}

/* Nothing is left behind. NULL and half-made ones too. */
void mb_output_abort(mb_output *o)
{
    if (o == NULL) {
        return;
    }
    if (o->temporary != NULL) {
        (void)unlinkat(o->folder, o->temporary, 0);
    }
    if (o->fd >= 0) {
        (void)close(o->fd);
    }
    free_output(o);
}

/* For what is in memory as a whole. */
mb_status mb_write_file(const char *path, const void *data, size_t bytes, bool replace, mb_error *err)
{
    mb_output *o;
    mb_status status = mb_output_open(&o, path, replace, bytes, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_output_write(o, data, bytes, err);
    if (status != MB_OK) {
        mb_output_abort(o);
        return status;
    }
    return mb_output_commit(o, err);
}

/* Temporary files of runs that were killed: recognised by their name and by their age of a day, so that one which is
 * being written is never touched. */
mb_status mb_output_leftovers(const char *folder, bool remove, size_t *n_found, mb_error *err)
{
    *n_found = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        char buffer[128];
        return mb_fail(err, MB_E_IO, "%s: cannot be listed: %s", folder, strerror_r(errno, buffer, sizeof buffer));
    }
    time_t now = time(NULL);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        const char *mark = e->d_name[0] == '.' ? strstr(e->d_name, MB_TEMPORARY_MARK) : NULL;
        struct stat st;
        if (mark == NULL || strlen(mark) != sizeof MB_TEMPORARY_MARK - 1 + MB_SUFFIX_CHARS ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
            now - st.st_mtime < MB_LEFTOVER_AGE_S) {
            continue;
        }
        *n_found += 1;
        if (remove) {
            (void)unlinkat(dirfd(dir), e->d_name, 0);
        }
    }
    (void)closedir(dir);
    return MB_OK;
}
