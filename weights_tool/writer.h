/* Writing .mbw files (docs/format.md): declare metadata and tensors, start, stream the data in order, finish. */
#ifndef MB_WEIGHTS_TOOL_WRITER_H
#define MB_WEIGHTS_TOOL_WRITER_H

#include "core/status.h"
#include "core/tensor.h"

#include <stdbool.h>

typedef struct mbw_writer mbw_writer;

MB_MUST_CHECK mb_status mbw_writer_create(mbw_writer **out, mb_error *err);
/* Removes an unfinished file. NULL is fine. */
void mbw_writer_free(mbw_writer *w);

/* Before the start. A key may be set again: the last value counts. */
MB_MUST_CHECK mb_status mbw_writer_meta(mbw_writer *w, const char *key, const char *value, mb_error *err);
MB_MUST_CHECK mb_status mbw_writer_tensor(mbw_writer *w, const char *name, mb_dtype dtype, int rank,
                                          const int64_t *dims, mb_error *err);

/* Lays the file out and opens it (a regular file, written atomically), or reserves memory. */
MB_MUST_CHECK mb_status mbw_writer_start_file(mbw_writer *w, const char *path, bool replace, mb_error *err);
MB_MUST_CHECK mb_status mbw_writer_start_memory(mbw_writer *w, mb_error *err);
/* The next bytes of the tensors' data, in the order of declaration; may cross from one tensor to the next. */
MB_MUST_CHECK mb_status mbw_writer_data(mbw_writer *w, const void *data, size_t bytes, mb_error *err);
/* All data must have come. The file gets its name. */
MB_MUST_CHECK mb_status mbw_writer_finish_file(mbw_writer *w, mb_error *err);
/* Hands over the file's bytes (free with mb_free_aligned, or give them to mb_weights_open_owned). */
MB_MUST_CHECK mb_status mbw_writer_finish_memory(mbw_writer *w, void **data, size_t *bytes, mb_error *err);

size_t mbw_writer_file_bytes(const mbw_writer *w); /* after the start */

#endif
