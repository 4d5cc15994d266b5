/* Two files: the bytes, and "PART.info" with what they are a part of. Kept apart, so that the part needs only a rename
 * when it is complete. A lock on the open file keeps a second program out and vanishes with the process, however it
 * ends. */
#include "manager/part.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/os_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 22)

/* `code` is errno's. A full disk is the common case, and the only one where running again helps. */
mb_status part_fail(const part *p, int code, mb_error *err)
{
    char buffer[128];
    if (mb_os_full(code) != NULL) {
        return mb_fail(err, MB_E_IO,
                       "%.200s: %s\nmake room and run it again: what has come (%.1f MB) is kept "
                       "and continued",
                       p->path, mb_os_full(code), (double)p->have * 1e-6);
    }
    return mb_fail(err, MB_E_IO, "%.200s: cannot be written: %s", p->path,
                   mb_os_error_text(code, buffer, sizeof buffer));
}

static bool info_path(char out[MB_OS_PATH_BYTES], const char *path)
{
    int n = snprintf(out, MB_OS_PATH_BYTES, "%s.info", path);
    return n > 0 && n < MB_OS_PATH_BYTES;
}

/* One line each: address, total, etag, sha256. Notes that are missing, cut or too long leave the fields empty, and the
 * part then starts anew. Zero bytes in the file only end a line early. */
static void read_notes(part *p)
{
    char path[MB_OS_PATH_BYTES];
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

/* Written through a temporary file, so the notes are never half there. */
mb_status part_note(const part *p, mb_error *err)
{
    char path[MB_OS_PATH_BYTES], text[1600];
    int n =
        snprintf(text, sizeof text, "%s\n%llu\n%s\n%s\n", p->address, (unsigned long long)p->total, p->etag, p->sha256);
    if (!info_path(path, p->path) || n < 0 || (size_t)n >= sizeof text) {
        return mb_fail(err, MB_E_ARGUMENT, "%.200s: the name is too long", p->path);
    }
    return mb_write_file(path, text, (size_t)n, true, err);
}

/* No link is followed, and the test for a regular file: the cache may be writable by others, and a link there must not lead our
 * bytes elsewhere. File systems without locks (EWOULDBLOCK aside) are used without one. */
mb_status part_open(part *p, const char *path, const char *address, bool overwrite, mb_error *err)
{
    mb_os_info s;
    *p = (part){.path = path, .fd = -1, .total = UINT64_MAX};
    if (strlen(address) >= sizeof p->address || strpbrk(address, "\r\n") != NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "the address is too long, or has several lines");
    }
    int code = mb_os_open(&p->fd, path, MB_OS_CONTINUE);
    if (code != 0) {
        return part_fail(p, code, err);
    }
    /* Held until part_close; two programs that append to one file would mix it up. */
    if (mb_os_lock(p->fd) == EWOULDBLOCK) {
        return mb_fail(err, MB_E_IO, "%.200s: another mattebox is downloading this file\nwait for it, or stop it",
                       path);
    }
    if (mb_os_look_open(&s, p->fd) != 0 || s.kind != MB_OS_FILE) {
        return mb_fail(err, MB_E_IO, "%.200s: is not a regular file\nremove it and run it again", path);
    }
    /* The size on the disk counts, not the one in the notes: it is what has been written. */
    p->have = s.bytes;
    read_notes(p);
    /* Without a name for its bytes nothing could tell whether the rest still fits: then it starts anew. */
    bool usable =
        strcmp(p->address, address) == 0 && (p->etag[0] != '\0' || p->sha256[0] != '\0') && p->have <= p->total;
    (void)snprintf(p->address, sizeof p->address, "%s", address);
    return overwrite || !usable ? part_clear(p, err) : MB_OK;
}

mb_status part_clear(part *p, mb_error *err)
{
    int code = mb_os_resize(p->fd, 0);
    if (code != 0) {
        return part_fail(p, code, err);
    }
    p->have = 0;
    p->total = UINT64_MAX;
    p->etag[0] = p->sha256[0] = '\0';
    return MB_OK;
}

void part_close(part *p)
{
    if (p->fd >= 0) {
        (void)mb_os_close(p->fd); /* first: Windows removes no file that is open */
        p->fd = -1;
        if (p->have == 0) {
            (void)part_remove(p->path);
        }
    }
}

/* At the end that is known, so that a write which was cut short does not shift the rest. */
mb_status part_append(part *p, const void *data, size_t bytes, mb_error *err)
{
    const char *at = data;
    while (bytes > 0) {
        size_t n;
        int code = mb_os_write_at(p->fd, p->have, at, bytes, &n);
        if (code != 0 || n == 0) {
            return part_fail(p, code != 0 ? code : ENOSPC, err);
        }
        at += n;
        bytes -= n;
        p->have += n;
    }
    return MB_OK;
}

/* Reads the file again instead of hashing while it comes: the part may stem from several runs, and what is on the disk
 * is what counts. 4 MiB at a time. */
mb_status part_sha256(const part *p, char hex[65], int (*on_progress)(void *, uint64_t, uint64_t), void *user,
                      mb_error *err)
{
    mb_sha256 h;
    uint8_t digest[32];
    uint8_t *buffer = mb_alloc(PIECE);
    mb_status status = buffer != NULL ? MB_OK : mb_fail_memory(err, PIECE, "a checksum");
    mb_sha256_init(&h);
    for (uint64_t at = 0; at < p->have && status == MB_OK;) {
        size_t n;
        if (mb_os_read_at(p->fd, at, buffer, PIECE, &n) != 0 || n == 0) {
            status = mb_fail(err, MB_E_IO, "%.200s: cannot be read again", p->path);
            break;
        }
        mb_sha256_update(&h, buffer, n);
        at += n;
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
    char info[MB_OS_PATH_BYTES];
    if (info_path(info, path)) {
        (void)mb_os_remove(info);
    }
    return mb_os_remove(path) == 0;
}
