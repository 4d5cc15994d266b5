/* Reading .mbw model files (docs/format.md): mapped read-only, nothing believed before it is checked. */
#ifndef MB_WEIGHTS_READER_H
#define MB_WEIGHTS_READER_H

#include "core/status.h"
#include "core/tensor.h"

#define MB_MAX_RANK 6

typedef struct mb_tensor {
    const char *name;
    mb_dtype dtype;
    int rank;
    int64_t dims[MB_MAX_RANK]; /* outermost first, as published */
    const void *data;
    size_t bytes;
    uint64_t checksum;
} mb_tensor;

typedef struct mb_weights mb_weights; /* immutable once open; share it between threads */

/* Opens in milliseconds: validates header and table, does not touch the data. */
MB_MUST_CHECK mb_status mb_weights_open(mb_weights **out, const char *path, mb_error *err);
/* The same on bytes in memory (an embedded model, a fuzzer's input), which must outlive the result. */
MB_MUST_CHECK mb_status mb_weights_open_memory(mb_weights **out, const void *data, size_t bytes, mb_error *err);
/* The same, and `data` (from mb_alloc_aligned) belongs to the result; on failure it is freed. */
MB_MUST_CHECK mb_status mb_weights_open_owned(mb_weights **out, void *data, size_t bytes, mb_error *err);
void mb_weights_free(mb_weights *w);

size_t mb_weights_count(const mb_weights *w);
const mb_tensor *mb_weights_at(const mb_weights *w, size_t index);
const mb_tensor *mb_weights_find(const mb_weights *w, const char *name); /* NULL: absent */
const char *mb_weights_meta(const mb_weights *w, const char *key);       /* NULL: absent */
const char *mb_weights_path(const mb_weights *w);                        /* "" for bytes in memory */
size_t mb_weights_file_bytes(const mb_weights *w);
size_t mb_weights_meta_count(const mb_weights *w);
void mb_weights_meta_at(const mb_weights *w, size_t index, const char **key, const char **value);

/* Compares every tensor's checksum with its data. on_progress (may be NULL) gets bytes done; non-zero cancels. */
MB_MUST_CHECK mb_status mb_weights_verify(const mb_weights *w,
                                          int (*on_progress)(void *user, size_t done, size_t total), void *user,
                                          mb_error *err);
/* Gives a tensor's pages back to the system (a kernel has packed it); reading it again is fine, only slower. */
void mb_weights_release_pages(const mb_weights *w, const mb_tensor *t);

#endif
