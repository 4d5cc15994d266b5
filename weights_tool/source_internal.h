/* What the readers of the formats fill. */
#ifndef MB_WEIGHTS_TOOL_SOURCE_INTERNAL_H
#define MB_WEIGHTS_TOOL_SOURCE_INTERNAL_H

#include "source.h"

#include "core/file.h"
#include "weights/reader.h"

typedef struct source_file {
    char *path;
    mb_mapping map;
} source_file;

/* A storage of a torch file: its checksum is compared before its values are used. */
typedef struct source_storage {
    char *name;
    const uint8_t *data;
    size_t bytes;
    uint32_t crc32;
} source_storage;

struct source {
    source_format format;
    source_file *files;
    size_t n_files, file_capacity;
    source_tensor *tensors;
    size_t n_tensors, capacity;
    uint32_t *slots; /* index + 1 by hash of `name` */
    size_t n_slots;
    mb_safetensors **parts; /* one for each file, for safetensors */
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
MB_MUST_CHECK mb_status source_read_torch(source *s, mb_error *err);
MB_MUST_CHECK mb_status source_read_mbw(source *s, mb_error *err);

struct zip_member;
MB_MUST_CHECK mb_status source_note_storage(source *s, const struct zip_member *m, mb_error *err);

/* Recognises formats that are not read, and says by name what they are. */
MB_MUST_CHECK mb_status source_refuse_unknown(const void *data, size_t bytes, const char *path, mb_error *err);

#endif
