#define _GNU_SOURCE
#include "manager/part.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 22)

mb_status part_fail(const part *p, int code, mb_error *err)
{
    char buffer[128];
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        return mb_fail(
            err, MB_E_IO,
            "%.200s: %s\nmake room and run it again: what has come (%.1f MB) is kept "
            "and continued",
            p->path, code == EFBIG ? "a file may not become that large here (ulimit -f)" : "no space left on the disk",
            (double)p->have * 1e-6);
    }
    return mb_fail(err, MB_E_IO, "%.200s: cannot be written: %s", p->path, strerror_r(code, buffer, sizeof buffer));
}

static bool info_path(char out[PATH_MAX], const char *path)
{
    int n = snprintf(out, PATH_MAX, "%s.info", path);
    return n > 0 && n < PATH_MAX;
}

/* One line each: address, total, etag, sha256. */
static void read_notes(part *p)
{
    char path[PATH_MAX];
    void *data = NULL;
    size_t bytes;
    if (!info_path(path, p->path) || mb_read_file(&data, &bytes, path, 4096, NULL) != MB_OK) {
        return;
    }
    char *line[4] = {NULL}, *at = data;
    for (int i = 0; i < 4 && *at != '\0'; i++) {
        size_t n = strcspn(at, "\n");
        line[i] = at;
        at += n + (at[n] == '\n');
        line[i][n] = '\0';
    }
    if (line[3] != NULL && strlen(line[0]) < sizeof p->address && strlen(line[2]) < sizeof p->etag &&
        strlen(line[3]) < sizeof p->sha256) {
        memcpy(p->address, line[0], strlen(line[0]) + 1);
        p->total = strtoull(line[1], NULL, 10);
        memcpy(p->etag, line[2], strlen(line[2]) + 1);
        memcpy(p->sha256, line[3], strlen(line[3]) + 1);
    }
    mb_free(data);
}

mb_status part_note(const part *p, mb_error *err)
{
    char path[PATH_MAX], text[1600];
    int n =
        snprintf(text, sizeof text, "%s\n%llu\n%s\n%s\n", p->address, (unsigned long long)p->total, p->etag, p->sha256);
    if (!info_path(path, p->path) || n < 0 || (size_t)n >= sizeof text) {
        return mb_fail(err, MB_E_ARGUMENT, "%.200s: the name is too long", p->path);
    }
    return mb_write_file(path, text, (size_t)n, true, err);
}

mb_status part_open(part *p, const char *path, const char *address, bool overwrite, mb_error *err)
{
    struct stat s;
    *p = (part){.path = path, .fd = -1, .total = UINT64_MAX};
    if (strlen(address) >= sizeof p->address || strpbrk(address, "\r\n") != NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "the address is too long, or has several lines");
    }
    p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (p->fd < 0) {
        return part_fail(p, errno, err);
    }
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return mb_fail(err, MB_E_IO, "%.200s: another mattebox is downloading this file\nwait for it, or stop it",
                       path);
    }
    if (fstat(p->fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        return mb_fail(err, MB_E_IO, "%.200s: is not a regular file\nremove it and run it again", path);
    }
    p->have = (uint64_t)s.st_size;
    read_notes(p);
    /* Without a name for its bytes nothing could tell whether the rest still fits: then it starts anew. */
    bool usable =
        strcmp(p->address, address) == 0 && (p->etag[0] != '\0' || p->sha256[0] != '\0') && p->have <= p->total;
    (void)snprintf(p->address, sizeof p->address, "%s", address);
    return overwrite || !usable ? part_clear(p, err) : MB_OK;
}

mb_status part_clear(part *p, mb_error *err)
{
    if (ftruncate(p->fd, 0) != 0) {
        return part_fail(p, errno, err);
    }
    p->have = 0;
    p->total = UINT64_MAX;
    p->etag[0] = p->sha256[0] = '\0';
    return MB_OK;
}

void part_close(part *p)
{
    if (p->fd >= 0) {
        if (p->have == 0) {
            (void)part_remove(p->path);
        }
        (void)close(p->fd);
        p->fd = -1;
    }
}

/* Writes at the end of what is there. pwrite may write less than it is given, or be interrupted. */
mb_status part_append(part *p, const void *data, size_t bytes, mb_error *err)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = pwrite(p->fd, at, bytes, (off_t)p->have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return part_fail(p, n < 0 ? errno : ENOSPC, err);
        }
        at += n;
        bytes -= (size_t)n;
        p->have += (uint64_t)n;
    }
    return MB_OK;
}

/* Reads the file back instead of hashing what arrives: it checks what is on the disk, also after a resumed download. */
mb_status part_sha256(const part *p, char hex[65], int (*on_progress)(void *, uint64_t, uint64_t), void *user,
                      mb_error *err)
{
    mb_sha256 h;
    uint8_t digest[32];
    uint8_t *buffer = mb_alloc(PIECE);
    mb_status status = buffer != NULL ? MB_OK : mb_fail_memory(err, PIECE, "a checksum");
    mb_sha256_init(&h);
    for (uint64_t at = 0; at < p->have && status == MB_OK;) {
        ssize_t n = pread(p->fd, buffer, PIECE, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            status = mb_fail(err, MB_E_IO, "%.200s: cannot be read again", p->path);
            break;
        }
        mb_sha256_update(&h, buffer, (size_t)n);
        at += (uint64_t)n;
        if (on_progress != NULL && on_progress(user, at, p->have) != 0) {
            status = mb_fail(err, MB_E_CANCELLED, "interrupted");
        }
    }
    mb_sha256_final(&h, digest);
    mb_hex(hex, digest, sizeof digest);
    mb_free(buffer);
    return status;
}

bool part_remove(const char *path)
{
    char info[PATH_MAX];
    if (info_path(info, path)) {
        (void)unlink(info);
    }
    return unlink(path) == 0;
}
