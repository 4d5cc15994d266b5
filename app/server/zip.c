/* APPNOTE 4.3: local headers and data, the central directory, its end. Times are 1980-01-01: the same pictures give the
 * same bytes. */
#include "zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LOCAL_BYTES   30
#define CENTRAL_BYTES 46
#define END_BYTES     22
#define MOST_BYTES    0xfffffff0u

static void put16(unsigned char *to, unsigned v)
{
    to[0] = (unsigned char)v;
    to[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *to, uint32_t v)
{
    put16(to, v & 0xffff);
    put16(to + 2, v >> 16);
}

static int grow(unsigned char **data, size_t *bytes, const void *more, size_t n)
{
    unsigned char *larger = realloc(*data, *bytes + n);
    if (larger == NULL) {
        return 0;
    }
    memcpy(larger + *bytes, more, n);
    *data = larger;
    *bytes += n;
    return 1;
}

void zip_writer_add(zip_writer *z, const char *name, const void *data, size_t n)
{
    const size_t length = strlen(name);
    if (z->failed || n > MOST_BYTES ||
        z->bytes + z->directory_bytes + n + 2 * length + LOCAL_BYTES + CENTRAL_BYTES > MOST_BYTES) {
        z->failed = 1;
        return;
    }
    const uint32_t crc = (uint32_t)crc32_z(0, data, n);
    unsigned char local[LOCAL_BYTES] = {'P', 'K', 3, 4, 20}, central[CENTRAL_BYTES] = {'P', 'K', 1, 2, 20, 0, 20};
    put16(local + 12, 0x21);
    put32(local + 14, crc);
    put32(local + 18, (uint32_t)n);
    put32(local + 22, (uint32_t)n);
    put16(local + 26, (unsigned)length);
    memcpy(central + 10, local + 8, 20); /* method, time, checksum, sizes, length of the name */
    put32(central + 42, (uint32_t)z->bytes);
    z->failed = !grow(&z->directory, &z->directory_bytes, central, sizeof central) ||
                !grow(&z->directory, &z->directory_bytes, name, length) ||
                !grow(&z->data, &z->bytes, local, sizeof local) || !grow(&z->data, &z->bytes, name, length) ||
                !grow(&z->data, &z->bytes, data, n);
    z->n++;
}

int zip_writer_finish(zip_writer *z, void **out, size_t *bytes)
{
    unsigned char end[END_BYTES] = {'P', 'K', 5, 6};
    put16(end + 8, z->n);
    put16(end + 10, z->n);
    put32(end + 12, (uint32_t)z->directory_bytes);
    put32(end + 16, (uint32_t)z->bytes);
    int ok = !z->failed && z->n > 0 && grow(&z->data, &z->bytes, z->directory, z->directory_bytes) &&
             grow(&z->data, &z->bytes, end, sizeof end);
    *out = ok ? z->data : NULL;
    *bytes = ok ? z->bytes : 0;
    z->data = ok ? NULL : z->data;
    zip_writer_dispose(z);
    return ok;
}

void zip_writer_dispose(zip_writer *z)
{
    free(z->data);
    free(z->directory);
    *z = (zip_writer){0};
}
