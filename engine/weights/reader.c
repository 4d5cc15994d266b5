/* Reading .mbw files: map, check everything before the data, build an index of names. Data pages are not touched, so
 * opening takes microseconds whatever the size. Every number of the file is compared with what the file's true length
 * allows before it is used; nothing is allocated for a count that the remaining bytes could not hold.
 *
 * Names, metadata and data are pointers into the mapping: they live as long as the mb_weights, and nothing is copied
 * but the table (one mb_tensor for each entry) and the index of names. A file that somebody shortens while it is mapped is
 * the one thing that cannot be checked; installing a model therefore replaces files and never writes into them. */
#define _GNU_SOURCE
#include "weights/reader.h"

#include "core/alloc.h"
#include "core/sort.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/os_process.h"
#include "weights/format.h"

#include <stdlib.h>
#include <string.h>

#define MB_VERIFY_CHUNK ((size_t)16 << 20) /* bytes between two progress reports */

struct mb_weights {
    mb_mapping map; /* bytes 0 where the data lie in memory of the caller's */
    void *owned;
    char *path;
    const uint8_t *base;
    size_t bytes;
    size_t n_tensors, n_meta;
    mb_tensor *tensors;
    const char **meta;         /* key, value, key, value ... into the file */
    const mb_tensor **by_name; /* the tensors in the order of their names */
};

/* One sentence for all that is wrong with a file of ours. */
static mb_status damaged(mb_error *err, const char *what)
{
    return mb_fail(err, MB_E_FORMAT, "damaged file: %s\nget or convert it again", what);
}

/* ---- names */

/* A file chooses its names: a hash table could be made one long chain, a sorted list cannot. */
static int by_name(const void *a, const void *b)
{
    const mb_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int name_against(const void *name, const void *at)
{
    const mb_tensor *const *x = at;
    return strcmp(name, (*x)->name);
}

const mb_tensor *mb_weights_find(const mb_weights *w, const char *name)
{
    const mb_tensor *const *found =
        w->n_tensors > 0 ? bsearch(name, w->by_name, w->n_tensors, sizeof w->by_name[0], name_against) : NULL;
    return found != NULL ? *found : NULL;
}

/* ---- header */

/* The first bytes: our magic, or a checkpoint of another program, which gets the command that converts it. What is neither
 * may be a photo. */
static mb_status recognise(const mb_weights *w, mb_error *err)
{
    const uint8_t *data = w->base;
    const char *what = NULL;
    if (w->bytes >= 4 && memcmp(data, MB_FILE_MAGIC, 4) == 0) {
        return w->bytes >= sizeof(mb_file_header) ? MB_OK : damaged(err, "it ends within its header");
    }
    if (w->bytes >= 4 && memcmp(data, "PK\3\4", 4) == 0) {
        what = "is a PyTorch checkpoint (or another zip), not a .mbw file";
    } else if (w->bytes >= 9 && data[8] == '{') {
        what = "is a safetensors checkpoint, not a .mbw file";
    }
    if (what == NULL) {
        return mb_fail(err, MB_E_FORMAT,
                       "%s\na model is needed here: mattebox-weights convert makes one of a checkpoint",
                       w->bytes == 0 ? "is empty, not a .mbw file" : "is not a .mbw file");
    }
    return mb_fail(err, MB_E_FORMAT, "%s\nmattebox-weights convert %.200s -o model.mbw", what,
                   w->path[0] != '\0' ? w->path : "FILE");
}

/* The digest covers everything before the data, its own field read as zero. */
static uint64_t digest_of(const uint8_t *data, size_t n)
{
    static const uint8_t zeros[8] = {0};
    const size_t at = offsetof(mb_file_header, digest);
    mb_xxh64 s;
    mb_xxh64_init(&s);
    mb_xxh64_update(&s, data, at);
    mb_xxh64_update(&s, zeros, sizeof zeros);
    mb_xxh64_update(&s, data + at + sizeof zeros, n - at - sizeof zeros);
    return mb_xxh64_digest(&s);
}

/* False where the sum overflows. */
static bool aligned_up(uint64_t *out, uint64_t value, uint64_t to)
{
    uint64_t sum;
    if (__builtin_add_overflow(value, to - 1, &sum)) {
        return false;
    }
    *out = sum / to * to;
    return true;
}

/* Each check is a rule of docs/format.md, section "Header", or of the layout above it; the order is that of their use:
 * nothing is believed before the fields that it rests on.
 *
 *   byte_order      rule of the field. Swapped: a big-endian machine reads the file
 *   version         rule of the field: another version is another format
 *   file_bytes      rule of the field: cut short, or something appended (a broken download is found here)
 *   reserved        rule of the field
 *   meta_bytes      limits of metadata and n_tensors: sizes of what is allocated from here on
 *   table_offset    layout: align(64 + meta_bytes, 8). data_offset: behind the table, inside the file, multiple of 64
 *   n_tensors       section "Tensor table": an entry has at least 32 bytes, so the table bounds the allocation
 *   digest          section "Header", XXH64 of [0, data_offset): last, since it reads all of the above */
static mb_status check_header(const mb_weights *w, mb_file_header *h, mb_error *err)
{
    memcpy(h, w->base, sizeof *h);
    uint64_t table;
    if (h->byte_order != MB_FILE_BYTE_ORDER) {
        return h->byte_order == 0x04030201u ? mb_fail(err, MB_E_UNSUPPORTED,
                                                      "has the other byte order: this machine is big-endian, which the "
                                                      "reader does not support")
                                            : damaged(err, "its byte-order mark is wrong");
    }
    if (h->version != MB_FILE_VERSION) {
        return mb_fail(err, MB_E_UNSUPPORTED, "is of format version %u; this program reads version %u\n%s",
                       (unsigned)h->version, (unsigned)MB_FILE_VERSION,
                       h->version > MB_FILE_VERSION ? "use a newer mattebox" : "convert it again");
    }
    if (h->file_bytes != w->bytes) {
        bool longer = w->bytes > h->file_bytes;
        return mb_fail(err, MB_E_FORMAT,
                       "damaged file: it is %llu bytes %s than its header says\nget or convert it again",
                       (unsigned long long)(longer ? w->bytes - h->file_bytes : h->file_bytes - w->bytes),
                       longer ? "longer" : "shorter");
    }
    if (h->reserved != 0) {
        return damaged(err, "a reserved field of the header is not zero");
    }
    if (h->meta_bytes > MB_FILE_MAX_META || h->n_tensors > MB_FILE_MAX_TENSORS) {
        return damaged(err, "its metadata or tensor count is beyond the limits of the format");
    }
    if (!aligned_up(&table, sizeof *h + h->meta_bytes, MB_FILE_TABLE_ALIGN) || h->table_offset != table ||
        h->data_offset > w->bytes || h->data_offset < h->table_offset || h->data_offset % MB_FILE_ALIGN != 0) {
        return damaged(err, "the parts of the file do not fit together");
    }
    if ((h->data_offset - h->table_offset) / sizeof(mb_file_entry) < h->n_tensors) {
        return damaged(err, "its table is too short for its number of tensors");
    }
    if (digest_of(w->base, (size_t)h->data_offset) != h->digest) {
        return damaged(err, "the checksum of its header and table differs");
    }
    return MB_OK;
}

static bool all_zero(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p == 0) {
        p++;
    }
    return p == end;
}

/* ---- metadata */

/* Section "Metadata" of docs/format.md: 1 to 128 characters of A-Z a-z 0-9 . _ - */
static bool is_key(const char *key, size_t n)
{
    if (n == 0 || n > MB_FILE_MAX_KEY) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = key[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-')) {
            return false;
        }
    }
    return true;
}

/* One record of section "Metadata" at *at; moves on. key and value end with the zero bytes of the format: no copies. */
static bool read_pair(const uint8_t **at, const uint8_t *end, const char **key, const char **value)
{
    mb_file_pair pair;
    if ((size_t)(end - *at) < sizeof pair) {
        return false;
    }
    memcpy(&pair, *at, sizeof pair);
    const uint8_t *p = *at + sizeof pair;
    const uint64_t need = (uint64_t)pair.key_bytes + pair.value_bytes + 2; /* 33 bits at most */
    if ((uint64_t)(end - p) < need) {
        return false;
    }
    *key = (const char *)p;
    *value = (const char *)p + pair.key_bytes + 1;
    *at = p + need;
    return p[pair.key_bytes] == 0 && p[need - 1] == 0 && is_key(*key, pair.key_bytes) &&
           memchr(*value, 0, pair.value_bytes) == NULL && mb_is_utf8(*value, pair.value_bytes);
}

/* Pointers into the file, in its order: sorted, so that a binary search finds a key. */
static mb_status read_meta(mb_weights *w, const mb_file_header *h, mb_error *err)
{
    const uint8_t *at = w->base + sizeof *h;
    const uint8_t *end = at + h->meta_bytes;
    size_t capacity = 0;
    while (at < end) {
        if (w->n_meta == capacity) {
            capacity = capacity == 0 ? 32 : capacity * 2;
            const char **p = mb_realloc_array(w->meta, capacity, 2 * sizeof *p);
            if (p == NULL) {
                return mb_fail_memory(err, capacity * 2 * sizeof *p, "the metadata of a model");
            }
            w->meta = p;
        }
        const char *key, *value;
        if (!read_pair(&at, end, &key, &value)) {
            return damaged(err, "its metadata are malformed");
        }
        if (w->n_meta > 0 && strcmp(w->meta[2 * w->n_meta - 2], key) >= 0) { /* sorted: so unique, without a search */
            return damaged(err, "its metadata are not in order");
        }
        w->meta[2 * w->n_meta] = key;
        w->meta[2 * w->n_meta + 1] = value;
        w->n_meta++;
    }
    return all_zero(end, w->base + h->table_offset) ? MB_OK : damaged(err, "its padding is not zero");
}

/* ---- table */

/* Names of a damaged file are shown without letting control characters through. */
static mb_status bad_tensor(mb_error *err, size_t index, const char *name, const char *what)
{
    char shown[160];
    if (name == NULL) {
        return mb_fail(err, MB_E_FORMAT, "damaged file: tensor number %zu: %s\nget or convert it again", index, what);
    }
    return mb_fail(err, MB_E_FORMAT, "damaged file: tensor %s: %s\nget or convert it again",
                   mb_printable(shown, sizeof shown, name, strlen(name)), what);
}

/* Fills w->tensors[index] from the entry at *at; section "Tensor table" of docs/format.md, row by row. `data_end` is
 * where the data of the tensor before ended: the next must begin at the first multiple of 64 behind it, so no two
 * overlap and no hole hides anything. */
static mb_status read_entry(mb_weights *w, size_t index, const uint8_t **at, const uint8_t *end, uint64_t *data_end,
                            mb_error *err)
{
    mb_file_entry e;
    if ((size_t)(end - *at) < sizeof e) {
        return bad_tensor(err, index, NULL, "the table ends early");
    }
    memcpy(&e, *at, sizeof e);
    if (e.rank > MB_MAX_RANK || e.dtype >= MB_DTYPE_COUNT || e.reserved != 0 || e.name_bytes == 0 ||
        e.name_bytes > MB_FILE_MAX_NAME) {
        return bad_tensor(err, index, NULL, e.dtype >= MB_DTYPE_COUNT ? "unknown element type" : "malformed entry");
    }
    uint64_t dims[MB_MAX_RANK];
    size_t before_name = sizeof e + e.rank * sizeof dims[0];
    size_t length = (before_name + e.name_bytes + MB_FILE_TABLE_ALIGN) / MB_FILE_TABLE_ALIGN * MB_FILE_TABLE_ALIGN;
    if ((size_t)(end - *at) < length) {
        return bad_tensor(err, index, NULL, "the table ends early");
    }
    const char *name = (const char *)*at + before_name;
    memcpy(dims, *at + sizeof e, e.rank * sizeof dims[0]);
    if (!mb_is_name(name, e.name_bytes, MB_FILE_MAX_NAME) ||
        !all_zero((const uint8_t *)name + e.name_bytes, *at + length)) {
        return bad_tensor(err, index, NULL, "malformed name");
    }
    mb_tensor *t = &w->tensors[index];
    *t = (mb_tensor){
        .name = name, .dtype = (mb_dtype)e.dtype, .rank = e.rank, .bytes = (size_t)e.bytes, .checksum = e.checksum};
    size_t bytes = mb_dtype_size(t->dtype);
    bool empty;
    memcpy(t->dims, dims, (size_t)t->rank * sizeof dims[0]); /* beyond INT64_MAX: negative, and refused */
    if (!mb_mul_dims(&bytes, &empty, t->dims, t->rank)) {
        return bad_tensor(err, index, name, "its dimensions overflow");
    }
    uint64_t start;
    if ((empty ? 0 : bytes) != e.bytes) {
        return bad_tensor(err, index, name, "its size does not match its dimensions");
    }
    if (!aligned_up(&start, *data_end, MB_FILE_ALIGN) || e.offset != start || e.offset > w->bytes ||
        e.bytes > w->bytes - e.offset) {
        return bad_tensor(err, index, name, "its place in the file is wrong");
    }
    t->data = w->base + e.offset;
    *data_end = e.offset + e.bytes;
    *at += length;
    return MB_OK;
}

/* All names once: sorted, two of the same stand side by side. */
static mb_status index_names(mb_weights *w, mb_error *err)
{
    for (size_t i = 0; i < w->n_tensors; i++) {
        w->by_name[i] = &w->tensors[i];
    }
    if (w->n_tensors > 1) {
        mb_sort(w->by_name, w->n_tensors, sizeof w->by_name[0], by_name);
    }
    for (size_t i = 1; i < w->n_tensors; i++) {
        const mb_tensor *t = w->by_name[i];
        if (strcmp(w->by_name[i - 1]->name, t->name) == 0) {
            return bad_tensor(err, (size_t)(t - w->tensors), t->name, "the name occurs twice");
        }
    }
    return MB_OK;
}

/* The table into an array and an index of names. The table must fill its part but for the padding, and the last tensor
 * end where the file ends. */
static mb_status read_table(mb_weights *w, const mb_file_header *h, mb_error *err)
{
    w->tensors = mb_calloc(h->n_tensors, sizeof w->tensors[0]);
    w->by_name = mb_calloc(h->n_tensors, sizeof w->by_name[0]);
    if (w->tensors == NULL || w->by_name == NULL) {
        return mb_fail_memory(err, h->n_tensors * sizeof w->tensors[0], "the table of a model");
    }
    const uint8_t *at = w->base + h->table_offset;
    const uint8_t *end = w->base + h->data_offset;
    uint64_t data_end = h->data_offset;
    for (size_t i = 0; i < h->n_tensors; i++) {
        mb_status status = read_entry(w, i, &at, end, &data_end, err);
        if (status != MB_OK) {
            return status;
        }
    }
    w->n_tensors = h->n_tensors;
    mb_status status = index_names(w, err);
    if (status != MB_OK) {
        return status;
    }
    if ((size_t)(end - at) >= MB_FILE_ALIGN || !all_zero(at, end) || data_end != w->bytes) {
        return damaged(err, "something lies between or behind its parts");
    }
    return MB_OK;
}

/* ---- opening */

/* Header, metadata, table: each is checked before the next is read. */
static mb_status open_bytes(mb_weights *w, mb_error *err)
{
    mb_file_header h;
    mb_status status = recognise(w, err);
    status = status != MB_OK ? status : check_header(w, &h, err);
    status = status != MB_OK ? status : read_meta(w, &h, err);
    return status != MB_OK ? status : read_table(w, &h, err);
}

/* path: for messages; "" for memory. */
static mb_status create(mb_weights **out, const char *path, mb_error *err)
{
    mb_weights *w = mb_calloc(1, sizeof *w);
    char *copy = mb_strdup(path);
    if (w == NULL || copy == NULL) {
        mb_free(w);
        mb_free(copy);
        *out = NULL;
        return mb_fail_memory(err, sizeof *w, "a model");
    }
    w->path = copy;
    *out = w;
    return MB_OK;
}

/* Maps the file and checks everything but the data themselves; the time does not depend on its size. */
mb_status mb_weights_open(mb_weights **out, const char *path, mb_error *err)
{
    mb_weights *w;
    *out = NULL;
    mb_status status = create(&w, path, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_map_file(&w->map, path, err);
    if (status == MB_OK) {
        w->base = w->map.data;
        w->bytes = w->map.bytes;
        status = open_bytes(w, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", path);
        }
    }
    if (status != MB_OK) {
        mb_weights_free(w);
        return status;
    }
    *out = w;
    return MB_OK;
}

/* The same for bytes that the caller keeps until mb_weights_free. */
mb_status mb_weights_open_memory(mb_weights **out, const void *data, size_t bytes, mb_error *err)
{
    mb_weights *w;
    *out = NULL;
    mb_status status = create(&w, "", err);
    if (status != MB_OK) {
        return status;
    }
    w->base = data;
    w->bytes = bytes;
    status = open_bytes(w, err);
    if (status != MB_OK) {
        mb_weights_free(w);
        return status;
    }
    *out = w;
    return MB_OK;
}

/* Takes `data` over, also on failure. */
mb_status mb_weights_open_owned(mb_weights **out, void *data, size_t bytes, mb_error *err)
{
    mb_status status = mb_weights_open_memory(out, data, bytes, err);
    if (status != MB_OK) {
        mb_free_aligned(data);
        return status;
    }
    (*out)->owned = data;
    return MB_OK;
}

/* Unmaps the file, or frees memory that was handed over; memory of the caller's stays. */
void mb_weights_free(mb_weights *w)
{
    if (w == NULL) {
        return;
    }
    mb_unmap_file(&w->map);
    mb_free_aligned(w->owned);
    mb_free(w->path);
    mb_free(w->tensors);
    mb_free(w->by_name);
    mb_free(w->meta);
    mb_free(w);
}

/* ---- access */

size_t mb_weights_count(const mb_weights *w)
{
    return w->n_tensors;
}

const mb_tensor *mb_weights_at(const mb_weights *w, size_t index)
{
    return index < w->n_tensors ? &w->tensors[index] : NULL;
}

/* Binary search: the format has the keys sorted. */
const char *mb_weights_meta(const mb_weights *w, const char *key)
{
    size_t low = 0, high = w->n_meta;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(w->meta[2 * middle], key);
        if (order == 0) {
            return w->meta[2 * middle + 1];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

size_t mb_weights_meta_count(const mb_weights *w)
{
    return w->n_meta;
}

void mb_weights_meta_at(const mb_weights *w, size_t index, const char **key, const char **value)
{
    *key = w->meta[2 * index];
    *value = w->meta[2 * index + 1];
}

const char *mb_weights_path(const mb_weights *w)
{
    return w->path;
}

size_t mb_weights_file_bytes(const mb_weights *w)
{
    return w->bytes;
}

/* ---- verification */

/* Every byte of the data against the checksums, and the zeros between: what opening leaves out. */
mb_status mb_weights_verify(const mb_weights *w, int (*on_progress)(void *user, size_t done, size_t total), void *user,
                            mb_error *err)
{
    size_t done = 0, total = 0;
    const uint8_t *gap = NULL; /* end of the tensor before: what lies between must be zero */
    for (size_t i = 0; i < w->n_tensors; i++) {
        total += w->tensors[i].bytes; /* all lie in the file: no overflow */
    }
    for (size_t i = 0; i < w->n_tensors; i++) {
        const mb_tensor *t = &w->tensors[i];
        const uint8_t *p = t->data;
        if (gap != NULL && !all_zero(gap, p)) {
            return bad_tensor(err, i, t->name, "the padding before it is not zero");
        }
        mb_xxh64 s;
        mb_xxh64_init(&s);
        for (size_t at = 0; at < t->bytes;) {
            size_t n = t->bytes - at < MB_VERIFY_CHUNK ? t->bytes - at : MB_VERIFY_CHUNK;
            mb_xxh64_update(&s, p + at, n);
            at += n;
            done += n;
            if (on_progress != NULL && on_progress(user, done, total) != 0) {
                return mb_fail(err, MB_E_CANCELLED, "cancelled");
            }
        }
        if (mb_xxh64_digest(&s) != t->checksum) {
            char shown[160];
            return mb_fail(err, MB_E_FORMAT,
                           "tensor %s: checksum differs\nthe file is damaged: get or convert it again",
                           mb_printable(shown, sizeof shown, t->name, strlen(t->name)));
        }
        gap = p + t->bytes;
    }
    return MB_OK;
}

/* Only pages that lie wholly in the tensor: those at its ends may belong to others that are still read. */
void mb_weights_release_pages(const mb_weights *w, const mb_tensor *t)
{
    if (w->map.bytes > 0) {
        mb_os_release_pages(t->data, t->bytes);
    }
}
