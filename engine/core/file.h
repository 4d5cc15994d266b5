/* Files: reading whole or mapped, and output files that are complete or absent.
 *
 * An output is written under a temporary name in its own folder, flushed to the disk and renamed, so that no reader
 * ever sees half a file and a failure leaves the old one as it was. Inputs are opened once and judged by their
 * descriptor. */
#ifndef MB_CORE_FILE_H
#define MB_CORE_FILE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- reading */

typedef struct mb_mapping {
    const void *data; /* never NULL after success, also for an empty file */
    size_t bytes;
} mb_mapping;

/* Maps a regular file read-only; pipes, devices and folders are refused. The size is taken from the descriptor. If
 * another process cuts the file short while it is mapped, touching the lost part raises SIGBUS: programs that map
 * files of others install a handler; our own writers replace files by renaming and never cut them. */
MB_MUST_CHECK mb_status mb_map_file(mb_mapping *out, const char *path, mb_error *err);
void mb_unmap_file(mb_mapping *m); /* a zeroed mapping is fine */

/* Reads a file, a pipe, or standard input ("-") into *out (free with mb_free). One zero byte follows the contents, not
 * counted in *bytes. More than `limit` bytes: MB_E_FORMAT. */
MB_MUST_CHECK mb_status mb_read_file(void **out, size_t *bytes, const char *path, size_t limit, mb_error *err);

/* Do two paths lead to one file that exists (through links, other spellings)? "-" is no file. */
bool mb_same_file(const char *a, const char *b);
/* MB_E_ARGUMENT if `output` is `input`, whose role ("the photo") the message names: inputs are never overwritten. */
MB_MUST_CHECK mb_status mb_refuse_same_file(const char *output, const char *input, const char *role, mb_error *err);

/* ---- writing */

typedef struct mb_output mb_output;

/* Begins an output. `expected_bytes` (0: unknown) reserves the space at once, so that a full disk shows early. With
 * `replace` false an existing file is an error (MB_E_ARGUMENT), now and again when the name is taken at the end. A
 * path that is a pipe or a device, and "-" (standard output), are written directly, without a temporary name. */
MB_MUST_CHECK mb_status mb_output_open(mb_output **out, const char *path, bool replace, uint64_t expected_bytes,
                                       mb_error *err);
/* Appends. */
MB_MUST_CHECK mb_status mb_output_write(mb_output *o, const void *data, size_t bytes, mb_error *err);
/* Writes at a position of a regular file; the place of the next append stays. */
MB_MUST_CHECK mb_status mb_output_write_at(mb_output *o, uint64_t offset, const void *data, size_t bytes,
                                           mb_error *err);
bool mb_output_is_regular(const mb_output *o);
/* Flushes, closes, gives the file its name. Frees `o` in every case; after a failure nothing is left behind. */
MB_MUST_CHECK mb_status mb_output_commit(mb_output *o, mb_error *err);
/* Removes what was written; the name is as it was before. NULL is fine. */
void mb_output_abort(mb_output *o);

/* The four steps in one. */
MB_MUST_CHECK mb_status mb_write_file(const char *path, const void *data, size_t bytes, bool replace, mb_error *err);

/* Counts temporary files that killed processes left in a folder more than a day ago; removes them if asked to. */
MB_MUST_CHECK mb_status mb_output_leftovers(const char *folder, bool remove, size_t *n_found, mb_error *err);

#endif
