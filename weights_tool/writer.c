/* The .mbw writer. Sizes are known before the first byte of data; checksums are known after the last. So the data are
 * streamed to their places first and the head (header, metadata, table) is written over its reserved room at the end.
 * The layout is that of docs/format.md, to the byte. A file is written through mb_output, which keeps it under a
 * temporary name until it is complete, so nobody ever opens half a model. The memory sink exists for tests and
 * examples that generate a model and use it at once. */
#include "writer.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "weights/format.h"
#include "weights/reader.h"

#include <stdlib.h>
#include <string.h>

typedef struct pair {
    char *key, *value; /* owned */
} pair;

/* A tensor as declared: its table entry (offset from lay_out, checksum from close_tensor), its dimensions and name.
 * The name is owned. */
typedef struct declared {
    char *name;
    mb_file_entry entry;
    uint64_t dims[MB_MAX_RANK];
} declared;

struct mbw_writer {
    pair *meta;
    size_t n_meta, meta_capacity; /* pairs, sorted by key */
    declared *tensors;
    size_t n_tensors, tensor_capacity; /* in the order of their data */
    mb_file_header header;             /* filled by lay_out; its digest by write_head */
    mb_output *file;                   /* one of the two sinks */
    uint8_t *memory;                   /* the other sink: file_bytes of it, owned */
    size_t current;                    /* tensor whose data come next */
    uint64_t in_tensor;                /* bytes of it that came */
    mb_xxh64 checksum;                 /* of the current tensor's data so far */
};

mb_status mbw_writer_create(mbw_writer **out, mb_error *err)
{
    *out = mb_calloc(1, sizeof **out);
    return *out != NULL ? MB_OK : mb_fail_memory(err, sizeof **out, "a writer");
}

/* An unfinished file is removed. Both sinks are dropped; what has been handed over by a finish function is no longer
 * among them. */
void mbw_writer_free(mbw_writer *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->n_meta; i++) {
        mb_free(w->meta[i].key);
        mb_free(w->meta[i].value);
    }
    for (size_t i = 0; i < w->n_tensors; i++) {
        mb_free(w->tensors[i].name);
    }
    mb_free(w->meta);
    mb_free(w->tensors);
    mb_output_abort(w->file);
    mb_free_aligned(w->memory);
    mb_free(w);
}

/* Room for one more element in a growing array. NULL: no memory; the old array is then still valid and still the
 * writer's. `size` is that of one element in bytes. */
static void *grown(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity) {
        return array;
    }
    size_t larger = *capacity == 0 ? 32 : *capacity * 2;
    void *p = mb_realloc_array(array, larger, size);
    if (p != NULL) {
        *capacity = larger;
    }
    return p;
}

/* Of the first key that does not come before it. The keys are kept sorted, as the file has them: a model file of a million
 * keys, in their order, is copied in the time that it takes to append. */
static size_t place_of_key(const mbw_writer *w, const char *key)
{
    size_t low = 0, high = w->n_meta;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(w->meta[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A second value for a key replaces the first. Key and value are copied. Whether a key is made of legal characters is
 * the caller's business: all keys are literals of this program or come from a file that was checked. */
mb_status mbw_writer_meta(mbw_writer *w, const char *key, const char *value, mb_error *err)
{
    char *copy = mb_strdup(value);
    if (copy == NULL) {
        return mb_fail_memory(err, strlen(value), "metadata");
    }
    const size_t at = place_of_key(w, key);
    if (at < w->n_meta && strcmp(w->meta[at].key, key) == 0) {
        mb_free(w->meta[at].value);
        w->meta[at].value = copy;
        return MB_OK;
    }
    pair *p = grown(w->meta, w->n_meta, &w->meta_capacity, sizeof *p);
    char *key_copy = mb_strdup(key);
    if (p != NULL) {
        w->meta = p;
    }
    if (p == NULL || key_copy == NULL) {
        mb_free(copy);
        mb_free(key_copy);
        return mb_fail_memory(err, strlen(key), "metadata");
    }
    memmove(w->meta + at + 1, w->meta + at, (w->n_meta - at) * sizeof *w->meta);
    w->meta[at] = (pair){key_copy, copy};
    w->n_meta++;
    return MB_OK;
}

/* Declares a tensor: the table comes before the values in the file, so all are declared first. Checks name and shape
 * against the limits of docs/format.md, section "Tensor table", so that no file is written that the reader refuses.
 * Duplicate names are left to the callers, whose lists have none. */
mb_status mbw_writer_tensor(mbw_writer *w, const char *name, mb_dtype dtype, int rank, const int64_t *dims,
                            mb_error *err)
{
    char shown[160];
    (void)mb_printable(shown, sizeof shown, name, strlen(name));
    if (!mb_is_name(name, strlen(name), MB_FILE_MAX_NAME)) {
        return mb_fail(err, MB_E_ARGUMENT, "tensor %s: the name is empty, too long, or has control characters", shown);
    }
    if (rank < 0 || rank > MB_MAX_RANK || w->n_tensors >= MB_FILE_MAX_TENSORS) {
        return mb_fail(err, MB_E_ARGUMENT, "tensor %s: %d dimensions (at most %d), tensor number %zu (at most %u)",
                       shown, rank, MB_MAX_RANK, w->n_tensors, MB_FILE_MAX_TENSORS);
    }
    declared d = {.entry = {.name_bytes = (uint16_t)strlen(name), .dtype = (uint8_t)dtype, .rank = (uint8_t)rank}};
    size_t bytes = mb_dtype_size(dtype);
    bool empty;
    if (!mb_mul_dims(&bytes, &empty, dims, rank)) { /* as the reader counts */
        return mb_fail(err, MB_E_ARGUMENT, "tensor %s: its dimensions overflow", shown);
    }
    for (int i = 0; i < rank; i++) {
        d.dims[i] = (uint64_t)dims[i];
    }
    d.entry.bytes = empty ? 0 : bytes;
    declared *p = grown(w->tensors, w->n_tensors, &w->tensor_capacity, sizeof *p);
    d.name = mb_strdup(name);
    if (p != NULL) {
        w->tensors = p;
    }
    if (p == NULL || d.name == NULL) {
        mb_free(d.name);
        return mb_fail_memory(err, sizeof *p, "the table of tensors");
    }
    w->tensors[w->n_tensors++] = d;
    return MB_OK;
}

/* ---- layout */

static uint64_t round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

/* Bytes of a table entry: 32, the dimensions, the name and at least one zero byte, rounded up to a multiple of 8. */
static uint64_t entry_bytes(const declared *d)
{
    return round_up(sizeof d->entry + d->entry.rank * sizeof d->dims[0] + d->entry.name_bytes + 1u,
                    MB_FILE_TABLE_ALIGN);
}

/* Every offset of the file, from the declarations: metadata, table, data, each tensor at a multiple of 64. Half of INT64_MAX
 * leaves room for later sums of offsets. */
static mb_status lay_out(mbw_writer *w, mb_error *err)
{
    uint64_t meta = 0, table = 0;
    for (size_t i = 0; i < w->n_meta; i++) {
        meta += sizeof(mb_file_pair) + strlen(w->meta[i].key) + strlen(w->meta[i].value) + 2;
    }
    if (meta > MB_FILE_MAX_META) {
        return mb_fail(err, MB_E_ARGUMENT, "%.1f MB of metadata; the limit is %.1f MB", (double)meta * 1e-6,
                       (double)MB_FILE_MAX_META * 1e-6);
    }
    for (size_t i = 0; i < w->n_tensors; i++) {
        table += entry_bytes(&w->tensors[i]);
    }
    mb_file_header *h = &w->header;
    *h = (mb_file_header){.magic = MB_FILE_MAGIC,
                          .version = MB_FILE_VERSION,
                          .byte_order = MB_FILE_BYTE_ORDER,
                          .n_tensors = (uint32_t)w->n_tensors,
                          .meta_bytes = meta};
    h->table_offset = round_up(sizeof *h + meta, MB_FILE_TABLE_ALIGN);
    h->data_offset = round_up(h->table_offset + table, MB_FILE_ALIGN);
    uint64_t end = h->data_offset;
    for (size_t i = 0; i < w->n_tensors; i++) {
        mb_file_entry *e = &w->tensors[i].entry;
        e->offset = round_up(end, MB_FILE_ALIGN);
        if (__builtin_add_overflow(e->offset, e->bytes, &end) || end > INT64_MAX / 2) {
            return mb_fail(err, MB_E_ARGUMENT, "the tensors together are too large for a file");
        }
    }
    h->file_bytes = end;
    mb_xxh64_init(&w->checksum);
    return MB_OK;
}

size_t mbw_writer_file_bytes(const mbw_writer *w)
{
    return (size_t)w->header.file_bytes;
}

/* A pipe cannot take the head after the data, hence regular files only. The size is announced, so that a full disk is
 * noticed before the work. */
mb_status mbw_writer_start_file(mbw_writer *w, const char *path, bool replace, mb_error *err)
{
    mb_status status = lay_out(w, err);
    if (status == MB_OK) {
        status = mb_output_open(&w->file, path, replace, w->header.file_bytes, err);
    }
    if (status == MB_OK && !mb_output_is_regular(w->file)) {
        status =
            mb_fail(err, MB_E_ARGUMENT, "%s: a model must be written to a regular file, not to a pipe or device", path);
    }
    return status;
}

/* Only the head is cleared: the zeros between tensors are written with the data. */
mb_status mbw_writer_start_memory(mbw_writer *w, mb_error *err)
{
    mb_status status = lay_out(w, err);
    if (status != MB_OK) {
        return status;
    }
    w->memory = mb_alloc_aligned((size_t)w->header.file_bytes);
    if (w->memory == NULL) {
        return mb_fail_memory(err, (size_t)w->header.file_bytes, "a model");
    }
    memset(w->memory, 0, (size_t)w->header.data_offset);
    return MB_OK;
}

/* ---- data */

/* Bytes to their place in whichever sink there is. */
static mb_status put(mbw_writer *w, uint64_t offset, const void *data, size_t bytes, mb_error *err)
{
    if (w->file != NULL) {
        return mb_output_write_at(w->file, offset, data, bytes, err);
    }
    /* memcpy must not see the NULL of an empty piece. */
    if (bytes > 0) {
        memcpy(w->memory + offset, data, bytes);
    }
    return MB_OK;
}

/* The tensor that is complete gets its checksum; the zeros up to the next one are written. */
static mb_status close_tensor(mbw_writer *w, mb_error *err)
{
    static const uint8_t zeros[MB_FILE_ALIGN] = {0};
    mb_file_entry *e = &w->tensors[w->current].entry;
    e->checksum = mb_xxh64_digest(&w->checksum);
    mb_xxh64_init(&w->checksum);
    w->in_tensor = 0;
    w->current++;
    uint64_t end = e->offset + e->bytes;
    if (w->current == w->n_tensors) {
        return MB_OK;
    }
    return put(w, end, zeros, (size_t)(w->tensors[w->current].entry.offset - end), err);
}

/* The pieces need not respect tensors: a caller with a fixed buffer passes on whatever it has. Data beyond the
 * declarations are an error of the program. */
mb_status mbw_writer_data(mbw_writer *w, const void *data, size_t bytes, mb_error *err)
{
    const uint8_t *p = data;
    while (bytes > 0) {
        while (w->current < w->n_tensors && w->tensors[w->current].entry.bytes == 0) { /* empty tensors take nothing */
            mb_status status = close_tensor(w, err);
            if (status != MB_OK) {
                return status;
            }
        }
        if (w->current == w->n_tensors) {
            return mb_fail(err, MB_E_INTERNAL, "more data than the tensors declared");
        }
        const mb_file_entry *e = &w->tensors[w->current].entry;
        uint64_t left = e->bytes - w->in_tensor;
        size_t n = left < bytes ? (size_t)left : bytes;
        mb_status status = put(w, e->offset + w->in_tensor, p, n, err);
        mb_xxh64_update(&w->checksum, p, n);
        w->in_tensor += n;
        if (status == MB_OK && w->in_tensor == e->bytes) {
            status = close_tensor(w, err);
        }
        if (status != MB_OK) {
            return status;
        }
        p += n;
        bytes -= n;
    }
    return MB_OK;
}

/* ---- head */

static void *append(uint8_t *at, const void *data, size_t bytes)
{
    memcpy(at, data, bytes);
    return at + bytes;
}

/* Header, metadata and table, once all checksums are known. Empty tensors at the end have had no data to close them.
 * The digest is taken over the head with its own field 0, then set. */
static mb_status write_head(mbw_writer *w, mb_error *err)
{
    while (w->current < w->n_tensors && w->tensors[w->current].entry.bytes == 0) {
        mb_status status = close_tensor(w, err);
        if (status != MB_OK) {
            return status;
        }
    }
    if (w->current != w->n_tensors) {
        return mb_fail(err, MB_E_INTERNAL, "data of tensor %s are missing", w->tensors[w->current].name);
    }
    size_t bytes = (size_t)w->header.data_offset;
    uint8_t *head = mb_calloc(bytes, 1);
    if (head == NULL) {
        return mb_fail_memory(err, bytes, "the head of a model file");
    }
    uint8_t *at = head + sizeof w->header;
    for (size_t i = 0; i < w->n_meta; i++) {
        mb_file_pair p = {(uint32_t)strlen(w->meta[i].key), (uint32_t)strlen(w->meta[i].value)};
        at = append(at, &p, sizeof p);
        at = append(at, w->meta[i].key, p.key_bytes + 1u);
        at = append(at, w->meta[i].value, p.value_bytes + 1u);
    }
    /* mb_calloc has cleared the padding between the parts. */
    at = head + w->header.table_offset;
    for (size_t i = 0; i < w->n_tensors; i++) {
        const declared *d = &w->tensors[i];
        uint8_t *next = at + entry_bytes(d);
        at = append(at, &d->entry, sizeof d->entry);
        at = append(at, d->dims, d->entry.rank * sizeof d->dims[0]);
        (void)append(at, d->name, d->entry.name_bytes);
        at = next;
    }
    w->header.digest = 0;
    memcpy(head, &w->header, sizeof w->header);
    w->header.digest = mb_hash64(head, bytes);
    memcpy(head, &w->header, sizeof w->header);
    mb_status status = put(w, 0, head, bytes, err);
    mb_free(head);
    return status;
}

/* On failure the output stays the writer's, and mbw_writer_free removes it; a failed commit has removed it already. */
mb_status mbw_writer_finish_file(mbw_writer *w, mb_error *err)
{
    mb_status status = write_head(w, err);
    if (status == MB_OK) {
        mb_output *file = w->file;
        w->file = NULL;
        status = mb_output_commit(file, err);
    }
    return status;
}

/* On failure *data is NULL and the memory stays the writer's. */
mb_status mbw_writer_finish_memory(mbw_writer *w, void **data, size_t *bytes, mb_error *err)
{
    *data = NULL;
    *bytes = 0;
    mb_status status = write_head(w, err);
    if (status == MB_OK) {
        *data = w->memory;
        *bytes = (size_t)w->header.file_bytes;
        w->memory = NULL;
    }
    return status;
}
