/* Zip archives in memory, as torch.save writes them (stored members, ZIP64 where large) or as they were packed again.
 * Read from the central directory; every local header must agree with it, so that no other reader can see another file
 * in the same bytes. */
#ifndef MB_WEIGHTS_TOOL_ZIP_H
#define MB_WEIGHTS_TOOL_ZIP_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct zip_member {
    char *name;
    const uint8_t *header; /* the local one */
    const uint8_t *data;   /* as stored */
    size_t packed, bytes;
    uint32_t crc32;
    bool deflated;  /* else stored: data are the contents */
    bool described; /* a data descriptor may follow the data */
    bool unchecked; /* the archive was written without checksums */
} zip_member;

typedef struct zip_archive {
    zip_member *members;
    size_t n_members;
    bool no_checksums; /* all are 0, as torch leaves them where they are switched off */
} zip_archive;

/* On bytes that outlive the result. */
MB_MUST_CHECK mb_status zip_open(zip_archive *z, const uint8_t *data, size_t bytes, mb_error *err);
void zip_dispose(zip_archive *z);
const zip_member *zip_find(const zip_archive *z, const char *name);        /* NULL: absent */
MB_MUST_CHECK mb_status zip_check_crc(const zip_member *m, mb_error *err); /* of a stored member */
/* Contents of a member, unpacked if need be, at most `limit` bytes; CRC checked. Free with mb_free. */
MB_MUST_CHECK mb_status zip_extract(const zip_member *m, size_t limit, uint8_t **out, mb_error *err);

#endif
