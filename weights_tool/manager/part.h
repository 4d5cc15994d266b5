/* The part of a file that has come so far, and the notes on what it is a part of. */
#ifndef MB_MANAGER_PART_H
#define MB_MANAGER_PART_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct part {
    const char *path;
    int fd;
    uint64_t have;  /* bytes */
    uint64_t total; /* of the whole; UINT64_MAX: unknown */
    char address[1024];
    char etag[200];  /* "": none */
    char sha256[65]; /* as declared; "": unknown */
} part;

/* Opens or creates the part, locked against a second program. Notes of another address, or none: it starts empty. */
MB_MUST_CHECK mb_status part_open(part *p, const char *path, const char *address, bool overwrite, mb_error *err);
void part_close(part *p); /* removes an empty one */

MB_MUST_CHECK mb_status part_clear(part *p, mb_error *err); /* from the beginning */
/* Writes the notes: etag, sha256, total. */
MB_MUST_CHECK mb_status part_note(const part *p, mb_error *err);
MB_MUST_CHECK mb_status part_append(part *p, const void *data, size_t bytes, mb_error *err);
/* SHA-256 of what is there. `on_progress` as in download.h. */
MB_MUST_CHECK mb_status part_sha256(const part *p, char hex[65], int (*on_progress)(void *, uint64_t, uint64_t),
                                    void *user, mb_error *err);
bool part_remove(const char *path);

/* The failure of a system call on the part: a full disk, no right to write ... */
mb_status part_fail(const part *p, int code, mb_error *err);

#endif
