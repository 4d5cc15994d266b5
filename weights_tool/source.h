/* Checkpoints of any accepted format as one thing: a list of named tensors over mapped files.
 *
 * Nothing is copied: `data` points into the files, so that a checkpoint of any size costs no heap. */
#ifndef MB_WEIGHTS_TOOL_SOURCE_H
#define MB_WEIGHTS_TOOL_SOURCE_H

#include "core/status.h"
#include "weights/reader.h"
#include "weights/safetensors.h"

#include <stdbool.h>

typedef enum source_format {
    SOURCE_SAFETENSORS,
    SOURCE_SHARDED, /* several safetensors files named by an index */
    SOURCE_TORCH,   /* zip with a pickle */
    SOURCE_MBW
} source_format;

typedef struct source_tensor {
    char *name;     /* as inference calls it: prefixes stripped, mapped to the hub's names */
    char *original; /* as in the file */
    mb_st_dtype dtype;
    int rank;
    int64_t dims[MB_ST_MAX_RANK];
    int64_t strides[MB_ST_MAX_RANK]; /* in elements; what a torch view has */
    bool contiguous;                 /* row-major: `data` holds the values in order */
    size_t count;                    /* elements */
    const uint8_t *data;             /* first element */
} source_tensor;

typedef struct source source;

/* `path`: a file, an index.json, or a folder with either in it. Recognises by content; what it cannot take is refused
 * by the name of what it is. */
MB_MUST_CHECK mb_status source_open(source **out, const char *path, mb_error *err);
void source_free(source *s);

source_format source_kind(const source *s);
const char *source_format_name(const source *s);
size_t source_count(const source *s);
const source_tensor *source_at(const source *s, size_t index);       /* in the order of the file */
const source_tensor *source_find(const source *s, const char *name); /* by `name`; NULL: absent */
const char *source_meta(const source *s, const char *key);           /* metadata of the file; NULL: absent */
/* The files it consists of, the first being the one that names it. */
size_t source_file_count(const source *s);
const char *source_file_path(const source *s, size_t index);
const void *source_file_data(const source *s, size_t index, size_t *bytes);
size_t source_file_bytes(const source *s);     /* of all together */
const mb_weights *source_mbw(const source *s); /* NULL for other formats */

/* Renames to what inference uses (see names.h) and rebuilds the index. Two tensors of one name are an error. */
MB_MUST_CHECK mb_status source_normalise(source *s, mb_error *err);

/* Compares the checksums that the format has (CRC-32 of a torch file's storages; the others have none, or checked in
 * mb_weights_verify). */
MB_MUST_CHECK mb_status source_check_data(source *s, mb_error *err);

/* Copies elements [first, first + n) in row-major order of the shape, whatever the strides, as raw elements. */
void source_read(const source_tensor *t, size_t first, size_t n, void *dst);

#endif
