/* Listing folders, and making files in one that stays open, by POSIX (os_file.h). */
#define _GNU_SOURCE
#include "core/os_file.h"
#include "core/sort.h"

#include "core/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends a copy. False: out of memory. */
static bool add_name(char ***names, size_t *n, size_t *capacity, const char *name)
{
    if (*n == *capacity) {
        size_t larger = *capacity > 0 ? 2 * *capacity : 64;
        char **more = mb_realloc_array(*names, larger, sizeof *more);
        if (more == NULL) {
            return false;
        }
        *names = more;
        *capacity = larger;
    }
    char *copy = mb_strdup(name);
    if (copy == NULL) {
        return false;
    }
    (*names)[(*n)++] = copy;
    return true;
}

int mb_os_list(char ***names, size_t *n, const char *folder)
{
    size_t capacity = 0;
    int code = 0;
    *names = NULL;
    *n = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno;
    }
    while (code == 0) {
        errno = 0; /* the end and a failure are both NULL */
        const struct dirent *e = readdir(dir);
        if (e == NULL) {
            code = errno;
            break;
        }
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !add_name(names, n, &capacity, e->d_name)) {
            code = ENOMEM;
        }
    }
    (void)closedir(dir);
    if (code != 0) {
        mb_os_free_names(*names, *n);
        *names = NULL;
        *n = 0;
    } else if (*n > 0) {
        mb_sort(*names, *n, sizeof **names, by_bytes);
    }
    return code;
}

/* ---- a folder in which an output is made */

struct mb_os_folder {
    int fd;
};

int mb_os_folder_open(mb_os_folder **out, const char *path)
{
    mb_os_folder *f = mb_alloc(sizeof *f);
    if (f == NULL) {
        return ENOMEM;
    }
    f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0) {
        int code = errno;
        mb_free(f);
        return code;
    }
    *out = f;
    return 0;
}

void mb_os_folder_close(mb_os_folder *f)
{
    if (f != NULL) {
        (void)close(f->fd);
        mb_free(f);
    }
}

/* Takes the lock of a file that was just created. EEXIST: another process took it for one left behind meanwhile. */
static int hold(int fd)
{
    struct stat st;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return EEXIST;
    }
    if (fstat(fd, &st) != 0) {
        return errno;
    }
    return st.st_nlink > 0 ? 0 : EEXIST;
}

int mb_os_folder_new(mb_os_folder *f, const char *name, int *fd)
{
    do {
        *fd = openat(f->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (*fd < 0 && errno == EINTR);
    if (*fd < 0) {
        return errno;
    }
    const int code = hold(*fd);
    if (code == 0) {
        return 0;
    }
    (void)close(*fd);
    *fd = -1;
    if (code != EEXIST) { /* nobody else will remove it */
        (void)unlinkat(f->fd, name, 0);
    }
    return code;
}

/* Writers hold a lock on their file: what nobody holds was left by a process that died. */
void mb_os_folder_drop_stale(mb_os_folder *f, const char *name, int64_t age_s)
{
    struct stat st;
    int fd = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return;
    }
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool old = !locked && errno != EWOULDBLOCK && time(NULL) - st.st_mtime > age_s;
    if (regular && (locked || old)) {
        (void)unlinkat(f->fd, name, 0);
    }
    (void)close(fd);
}

void mb_os_folder_remove(mb_os_folder *f, const char *name)
{
    (void)unlinkat(f->fd, name, 0);
}

/* What file systems say that lack a call or a flag. */
static bool is_unsupported(int code)
{
    return code == EPERM || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL || code == EMLINK;
}

/* Renames, or EEXIST; the names of the call differ. */
static int rename_to_free_name(int folder, const char *from, const char *to)
{
#ifdef __APPLE__
    return renameatx_np(folder, from, folder, to, RENAME_EXCL);
#else
    return renameat2(folder, from, folder, to, RENAME_NOREPLACE);
#endif
}

int mb_os_folder_rename(mb_os_folder *f, const char *from, const char *to, bool replace)
{
    if (replace) {
        return renameat(f->fd, from, f->fd, to) == 0 ? 0 : errno;
    }
    if (rename_to_free_name(f->fd, from, to) == 0) {
        return 0;
    }
    if (!is_unsupported(errno)) {
        return errno;
    }
    if (linkat(f->fd, from, f->fd, to, 0) == 0) { /* a link refuses a taken name as well */
        (void)unlinkat(f->fd, from, 0);
        return 0;
    }
    if (!is_unsupported(errno)) {
        return errno;
    }
    /* Neither (FUSE mounts, exFAT, SMB): a look, then a plain rename. Another program could take the name in between.
     */
    struct stat st;
    if (fstatat(f->fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return EEXIST;
    }
    return renameat(f->fd, from, f->fd, to) == 0 ? 0 : errno;
}

/* Folders that cannot be synced are no reason to fail: the contents are safe. */
void mb_os_folder_sync(mb_os_folder *f)
{
    (void)fsync(f->fd);
}
