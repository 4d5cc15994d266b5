#include "harness/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void archive_put(archive *a, const void *v, size_t n)
{
    if (n > a->capacity - a->n) {
        a->capacity = 2 * (a->n + n) + 256;
        a->v = realloc(a->v, a->capacity);
        if (a->v == NULL) {
            fprintf(stderr, "no memory for an archive\n");
            exit(2);
        }
    }
    if (n > 0) {
        memcpy(a->v + a->n, v, n);
        a->n += n;
    }
}

void archive_number(archive *a, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const uint8_t b = (uint8_t)(i < sizeof v ? v >> (8 * i) : 0);
        archive_put(a, &b, 1);
    }
}

/* The fields that local and central header share: version, flags, method, time, checksum, sizes, length of the name. */
static void fields(archive *a, const archive_member *m)
{
    archive_number(a, 20, 2);
    archive_number(a, m->flags, 2);
    archive_number(a, (uint64_t)m->method, 2);
    archive_number(a, 0, 4);
    archive_number(a, m->crc, 4);
    archive_number(a, m->packed, 4);
    archive_number(a, m->bytes, 4);
    archive_number(a, strlen(m->name), 2);
}

void archive_local(archive *a, archive_member *m, const void *data)
{
    m->offset = a->n;
    archive_number(a, 0x04034b50, 4);
    fields(a, m);
    archive_number(a, m->extra, 2);
    archive_put(a, m->name, strlen(m->name));
    if (m->extra >= 4) {
        archive_number(a, 0x4246, 2); /* torch's own padding */
        archive_number(a, m->extra - 4, 2);
        archive_number(a, 0, m->extra - 4);
    }
    archive_put(a, data, m->packed);
}

static void entries(archive *a, const archive_member *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        archive_number(a, 0x02014b50, 4);
        archive_number(a, 20, 2);
        fields(a, &m[i]);
        archive_number(a, 0, 12);
        archive_number(a, m[i].offset, 4);
        archive_put(a, m[i].name, strlen(m[i].name));
    }
}

static void end_record(archive *a, uint64_t count, uint64_t bytes, uint64_t offset)
{
    archive_number(a, 0x06054b50, 4);
    archive_number(a, 0, 4);
    archive_number(a, count, 2);
    archive_number(a, count, 2);
    archive_number(a, bytes, 4);
    archive_number(a, offset, 4);
    archive_number(a, 0, 2);
}

void archive_directory(archive *a, const archive_member *m, size_t n)
{
    const size_t at = a->n;
    entries(a, m, n);
    end_record(a, n, a->n - at, at);
}

void archive_directory64(archive *a, const archive_member *m, size_t n)
{
    const size_t at = a->n;
    entries(a, m, n);
    const size_t end = a->n;
    archive_number(a, 0x06064b50, 4);
    archive_number(a, 44, 8); /* of what follows */
    archive_number(a, 0x002d002d, 4);
    archive_number(a, 0, 8);
    archive_number(a, n, 8);
    archive_number(a, n, 8);
    archive_number(a, end - at, 8);
    archive_number(a, at, 8);
    archive_number(a, 0x07064b50, 4);
    archive_number(a, 0, 4);
    archive_number(a, end, 8);
    archive_number(a, 1, 4);
    end_record(a, UINT64_MAX, UINT64_MAX, UINT64_MAX);
}
