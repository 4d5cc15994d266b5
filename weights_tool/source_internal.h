/* What the readers of the formats fill. */
#ifndef MB_WEIGHTS_TOOL_SOURCE_INTERNAL_H
#define MB_WEIGHTS_TOOL_SOURCE_INTERNAL_H

#include "source.h"
#include "zip.h"

#include "core/file.h"
#include "weights/reader.h"

typedef struct source_file {
    char *path;
    mb_mapping map;
} source_file;

/* A storage of a torch file: its checksum is compared before its values are used; one that is compressed is unpacked
 * when the model is known to use it. */
typedef struct source_storage {
    zip_member member; /* its name owned by the storage */
    uint8_t *unpacked; /* owned; NULL: the member's data serve */
    size_t file;       /* that it lies in */
    bool used;         /* by a tensor of the model */
} source_storage;

struct source {
    source_format format;
    source_file *files;
    size_t n_files, file_capacity;
    source_tensor *tensors; /* those of the model, then those beside it */
    size_t n_tensors, n_beside, capacity;
    uint64_t n_repeated;   /* elements that strides of 0 make of fewer */
    source_tensor *pieces; /* of joined tensors (source_join.c); owned, as their names are */
    size_t n_pieces;
    const source_tensor **by_name; /* the first n_indexed tensors in the order of their names */
    size_t n_indexed;
    mb_safetensors **parts; /* n_parts, by number of file; NULL where a file is of another format */
    size_t n_parts;
    char *prefix, *rival; /* see source_prefix, source_rival; NULL: none */
    char keys[400];
    bool no_checksums;
    mb_weights *mbw;
    source_storage *storages;
    size_t n_storages, storage_capacity;
};

/* Maps a file and keeps it; *index is its number. */
MB_MUST_CHECK mb_status source_add_file(source *s, const char *path, size_t *index, mb_error *err);
/* A row-major tensor; name and original are copied from `name`. */
MB_MUST_CHECK mb_status source_add_tensor(source *s, const char *name, const source_tensor *t, mb_error *err);

/* The readers. The file (number 0) is mapped already; `path` is for messages and for names beside it. */
MB_MUST_CHECK mb_status source_read_safetensors(source *s, size_t file, mb_error *err);
MB_MUST_CHECK mb_status source_read_index(source *s, const char *path, mb_error *err);
MB_MUST_CHECK mb_status source_read_torch(source *s, size_t file, mb_error *err);
MB_MUST_CHECK mb_status source_read_mbw(source *s, mb_error *err);

/* Tells the model's tensors from the others, and gives them the names that inference uses (select.c). */
MB_MUST_CHECK mb_status source_select(source *s, const source_choice *choice, mb_error *err);
/* Gives the model's tensors of torch files their data, unpacking what is compressed. */
MB_MUST_CHECK mb_status source_load(source *s, mb_error *err);
/* Joins queries, keys and values that lie apart. */
MB_MUST_CHECK mb_status source_join(source *s, mb_error *err);
/* The table behind source_find, of the first n_tensors. Two tensors of one name are an error. */
MB_MUST_CHECK mb_status source_build_index(source *s, mb_error *err);
/* Which file of a folder holds the weights; any other path is itself. */
MB_MUST_CHECK mb_status source_find_in_folder(char *dst, size_t capacity, const char *folder, mb_error *err);
/* A file that begins like a torch or safetensors file, as file number `file`. */
MB_MUST_CHECK mb_status source_read_part(source *s, size_t file, mb_error *err);

/* Recognises formats that are not read, and says by name what they are. */
MB_MUST_CHECK mb_status source_refuse_unknown(const void *data, size_t bytes, const char *path, mb_error *err);

#endif
