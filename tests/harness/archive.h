/* Zip archives, sound or not, byte by byte: members are put behind one another, then a directory of any of them. What a test
 * wants wrong it sets in a member between the two. */
#ifndef MB_TEST_ARCHIVE_H
#define MB_TEST_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; v is freed by the owner. */
typedef struct archive {
    uint8_t *v;
    size_t n, capacity;
} archive;

typedef struct archive_member {
    const char *name;
    size_t packed, bytes;
    uint32_t crc;
    int method; /* 0: stored, 8: deflated */
    unsigned flags;
    size_t extra;  /* zero bytes as an extra field of the local header: 0, or at least 4 */
    size_t offset; /* of the local header: set by archive_local */
} archive_member;

/* Bytes, and a number of `bytes` bytes, little-endian, at the end. The program ends where memory does. */
void archive_put(archive *a, const void *v, size_t n);
void archive_number(archive *a, uint64_t v, size_t bytes);
/* Local header and m->packed bytes of data. */
void archive_local(archive *a, archive_member *m, const void *data);
/* Central headers and the end record. Flags, sizes and offsets are those of the members now. */
void archive_directory(archive *a, const archive_member *m, size_t n);
/* The same with the records of ZIP64 between; the plain record has `count`, `bytes` and `offset` that are all ones. */
void archive_directory64(archive *a, const archive_member *m, size_t n);

#endif
