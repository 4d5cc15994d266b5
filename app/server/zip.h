/* A ZIP file in memory, of entries as they are: pictures do not get smaller. */
#ifndef SERVER_ZIP_H
#define SERVER_ZIP_H

#include <stddef.h>

typedef struct zip_writer {
    unsigned char *data, *directory; /* owned */
    size_t bytes, directory_bytes;
    unsigned n;
    int failed; /* no memory, or too large */
} zip_writer;

/* name: ASCII, without folders. data is copied. */
void zip_writer_add(zip_writer *z, const char *name, const void *data, size_t n);
/* 1: *out (to be freed with free) has the file. Frees what the writer holds in either case. */
int zip_writer_finish(zip_writer *z, void **out, size_t *bytes);
void zip_writer_dispose(zip_writer *z);

#endif
