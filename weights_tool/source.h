/* Checkpoints of any accepted format as one thing: a list of named tensors over mapped files.
 *
 * Nothing is copied: `data` points into the files, so that a checkpoint of any size costs no heap (compressed members
 * of a zip excepted). */
#ifndef MB_WEIGHTS_TOOL_SOURCE_H
#define MB_WEIGHTS_TOOL_SOURCE_H

#include "core/status.h"
#include "weights/reader.h"
#include "weights/safetensors.h"

#include <stdbool.h>

typedef enum source_format {
    SOURCE_SAFETENSORS,
    SOURCE_SHARDED, /* several files named by an index */
    SOURCE_TORCH,   /* zip with a pickle */
    SOURCE_MBW
} source_format;

typedef struct source_tensor {
    char *name;       /* as inference calls it: prefixes stripped, mapped to the hub's names */
    char *original;   /* as in the file: the keys that lead to it, and its name, joined by dots */
    size_t key_bytes; /* of `original`: the keys of the dicts above its own, with the closing dot */
    mb_st_dtype dtype;
    const char *unread; /* what its values are, when they cannot be read ("8-bit floats"); NULL: they can */
    bool negated;       /* the values are the stored ones with the other sign */
    int rank;
    int64_t dims[MB_ST_MAX_RANK];
    int64_t strides[MB_ST_MAX_RANK];    /* in elements; what a torch view has */
    bool contiguous;                    /* row-major: `data` holds the values in order */
    size_t count;                       /* elements */
    const uint8_t *data;                /* first element; NULL if unread */
    size_t storage;                     /* of a torch file: index + 1 of what its values lie in; else 0 */
    size_t at;                          /* bytes from the storage's begin to the first element */
    const struct source_tensor *pieces; /* joined of these, one after the other; then `data` is the first one's */
    size_t n_pieces;
} source_tensor;

typedef struct source source;

/* Which tensors of a file are the model, where that is told by hand. NULL: found by the names. */
typedef struct source_choice {
    const char *key;    /* of the dict that holds them: "ema", "checkpoint.model" */
    const char *prefix; /* before each name, with or without the closing dot; "": none */
} source_choice;

/* `path`: a file, an index.json, or a folder with either in it. Recognises by content; what it cannot take is refused
 * by the name of what it is. The tensors of the model are told from the others by the names of the networks that are
 * known (select.c). choice: NULL: nothing is told. */
MB_MUST_CHECK mb_status source_open(source **out, const char *path, mb_error *err);
MB_MUST_CHECK mb_status source_open_as(source **out, const char *path, const source_choice *choice, mb_error *err);
void source_free(source *s);

source_format source_kind(const source *s);
const char *source_format_name(const source *s);
size_t source_count(const source *s);
const source_tensor *source_at(const source *s, size_t index);       /* in the order of the file */
const source_tensor *source_find(const source *s, const char *name); /* by `name`; NULL: absent */
/* What lies beside the model and is ignored: states of optimisers and random numbers, copies, counters. */
size_t source_beside_count(const source *s);
const source_tensor *source_beside_at(const source *s, size_t index);
const char *source_prefix(const source *s);   /* keys and wrappers before the model's names; "": none */
const char *source_rival(const source *s);    /* of another copy with as many known names; NULL: none */
const char *source_keys(const source *s);     /* "epoch, model, ...": the outermost keys of a torch file; else "" */
bool source_lacks_checksums(const source *s); /* written with checksums switched off */
const char *source_meta(const source *s, const char *key); /* metadata of the file; NULL: absent */
/* The files it consists of, the first being the one that names it. */
size_t source_file_count(const source *s);
const char *source_file_path(const source *s, size_t index);
const void *source_file_data(const source *s, size_t index, size_t *bytes);
/* SHA-256 of the file, or of all parts of a sharded checkpoint one after the other (the index not counted):
 * docs/format.md, key source.sha256. go_on (may be NULL) is told of each piece; where it says no, the result is false. */
bool source_sha256(char hex[65], const source *s, bool (*go_on)(void *user, size_t bytes), void *user);
size_t source_file_bytes(const source *s);     /* of all together */
const mb_weights *source_mbw(const source *s); /* NULL for other formats */

/* Compares the checksums that the format has (CRC-32 of a torch file's storages; the others have none, or checked in
 * mb_weights_verify). */
MB_MUST_CHECK mb_status source_check_data(source *s, mb_error *err);

/* Copies elements [first, first + n) in row-major order of the shape, whatever the strides, as raw elements, signs
 * turned where the tensor says so. Not of an unread one. */
void source_read(const source_tensor *t, size_t first, size_t n, void *dst);

#endif
