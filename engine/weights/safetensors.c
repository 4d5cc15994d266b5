/* Reading safetensors. Rules (of the format, all checked): the header is one JSON object of at most 100 MB; the data of
 * the tensors, in order, fill the rest of the file exactly, without holes or overlap; sizes follow from shapes.
 *
 *   [0, 8)          u64, little-endian: bytes of the header
 *   [8, 8 + n)      {"__metadata__": {"key": "text", ...},
 *                    "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}, spaces at its end
 *   the rest        data; offsets count from here
 *
 * Nothing says that offsets rise with the order of the names, so tensors are sorted by their place first. */
#include "weights/safetensors.h"

#include "core/alloc.h"
#include "core/sort.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER  ((uint64_t)100000000)
#define MAX_TENSORS 65536u
#define MAX_NAME    512u

struct mb_safetensors {
    mb_mapping map;
    const uint8_t *data; /* behind the header */
    size_t data_bytes;
    char *pool; /* all decoded strings; as long as the header, which no decoding exceeds */
    size_t pool_used, pool_bytes;
    mb_st_tensor *tensors;
    size_t n_tensors, capacity;
    const char **meta; /* key, value, key, value ..., sorted by key */
    size_t n_meta, meta_capacity;
    bool has_meta;
    const mb_st_tensor **by_name; /* the tensors in the order of their names */
};

/* ---- the header */

/* With the tensor's name where one is known, shown safely. */
static mb_status damaged(mb_error *err, const char *tensor, const char *what)
{
    char shown[160];
    if (tensor == NULL) {
        return mb_fail(err, MB_E_FORMAT, "not a valid safetensors file: %s", what);
    }
    return mb_fail(err, MB_E_FORMAT, "not a valid safetensors file: tensor %s: %s",
                   mb_printable(shown, sizeof shown, tensor, strlen(tensor)), what);
}

/* Doubles an array (given as a pointer to its pointer) when it is full. n: elements in use. */
static bool grow(void *array, size_t n, size_t *capacity, size_t size)
{
    void *old, *p;
    if (n < *capacity) {
        return true;
    }
    memcpy(&old, array, sizeof old);
    size_t larger = *capacity == 0 ? 64 : *capacity * 2;
    p = mb_realloc_array(old, larger, size);
    if (p == NULL) {
        return false;
    }
    memcpy(array, &p, sizeof p);
    *capacity = larger;
    return true;
}

/* Decodes a string into the pool. */
static const char *pooled(mb_safetensors *s, mb_json_reader *r)
{
    char *at = s->pool + s->pool_used;
    size_t n;
    if (!mb_json_get_string(r, at, s->pool_bytes - s->pool_used, &n)) {
        return NULL;
    }
    s->pool_used += n + 1;
    return at;
}

/* Keys and values as they are; both are text in this format. */
static mb_status read_meta(mb_safetensors *s, mb_json_reader *r, mb_error *err)
{
    size_t n;
    if (mb_json_peek(r) == 'n') { /* null: none, as the format's own reader has it */
        (void)mb_json_skip(r);
        return MB_OK;
    }
    (void)mb_json_enter(r, '{');
    for (;;) {
        char *key = s->pool + s->pool_used;
        if (!mb_json_next_key(r, key, s->pool_bytes - s->pool_used, &n)) {
            return MB_OK; /* the end, or a problem that the caller sees */
        }
        s->pool_used += n + 1;
        const char *value = pooled(s, r);
        if (value == NULL) {
            return MB_OK;
        }
        if (!grow(&s->meta, s->n_meta, &s->meta_capacity, 2 * sizeof s->meta[0])) {
            return mb_fail_memory(err, s->n_meta * 2 * sizeof s->meta[0], "metadata");
        }
        s->meta[2 * s->n_meta] = key;
        s->meta[2 * s->n_meta + 1] = value;
        s->n_meta++;
    }
}

/* The element type by its name in the format, e.g. "BF16". */
static bool read_dtype(mb_json_reader *r, mb_st_tensor *t)
{
    char name[24];
    if (!mb_json_get_string(r, name, sizeof name, NULL)) {
        return false;
    }
    for (int i = 0; i < MB_ST_C128; i++) {
        if (strcmp(name, mb_st_dtype_name((mb_st_dtype)i)) == 0) {
            t->dtype = (mb_st_dtype)i;
            return true;
        }
    }
    return mb_json_reject(r, "an element type that the format does not know");
}

/* At most 8 dimensions, outermost first. */
static bool read_shape(mb_json_reader *r, mb_st_tensor *t)
{
    (void)mb_json_enter(r, '[');
    while (mb_json_next_item(r)) {
        uint64_t v;
        if (t->rank == MB_ST_MAX_RANK) {
            return mb_json_reject(r, "more than 8 dimensions");
        }
        if (!mb_json_get_u64(r, &v) || v > INT64_MAX) {
            return mb_json_reject(r, "a dimension is too large");
        }
        t->dims[t->rank++] = (int64_t)v;
    }
    return r->problem == NULL;
}

/* [begin, end) in the data. */
static bool read_offsets(mb_json_reader *r, uint64_t range[2])
{
    int n = 0;
    (void)mb_json_enter(r, '[');
    while (mb_json_next_item(r)) {
        if (n == 2 || !mb_json_get_u64(r, &range[n++])) {
            return mb_json_reject(r, "data_offsets are two numbers");
        }
    }
    return r->problem == NULL && (n == 2 || mb_json_reject(r, "data_offsets are two numbers"));
}

/* One tensor's object. The range is checked against the file; holes and overlap come later. Unknown fields are
 * skipped, as later versions of the format may add some. Sizes are computed in bits, since there are types of 4 and 6
 * bits, whose tensors must still fill whole bytes. */
static bool read_tensor(mb_safetensors *s, mb_json_reader *r, mb_st_tensor *t)
{
    char key[32];
    uint64_t range[2] = {0, 0};
    unsigned seen = 0;
    (void)mb_json_enter(r, '{');
    while (mb_json_next_key(r, key, sizeof key, NULL)) {
        unsigned bit = strcmp(key, "dtype") == 0          ? 1u
                       : strcmp(key, "shape") == 0        ? 2u
                       : strcmp(key, "data_offsets") == 0 ? 4u
                                                          : 0u;
        if ((seen & bit) != 0) {
            return mb_json_reject(r, "a field occurs twice");
        }
        seen |= bit;
        if (!(bit == 1   ? read_dtype(r, t)
              : bit == 2 ? read_shape(r, t)
              : bit == 4 ? read_offsets(r, range)
                         : mb_json_skip(r))) {
            return false;
        }
    }
    if (r->problem != NULL || seen != 7) {
        return mb_json_reject(r, "dtype, shape or data_offsets are missing");
    }
    size_t bits = mb_st_dtype_bits(t->dtype);
    bool empty;
    if (!mb_mul_dims(&bits, &empty, t->dims, t->rank)) {
        return mb_json_reject(r, "the shape overflows");
    }
    bits = empty ? 0 : bits;
    if (bits % 8 != 0) {
        return mb_json_reject(r, "its elements do not fill whole bytes");
    }
    const size_t bytes = bits / 8;
    if (range[0] > range[1] || range[1] > s->data_bytes) {
        return mb_json_reject(r, "the data lie outside the file (is it cut short?)");
    }
    if (range[1] - range[0] != bytes) {
        return mb_json_reject(r, "size and shape do not fit together");
    }
    t->data = s->data + range[0];
    t->bytes = bytes;
    return true;
}

/* One member of the header: the metadata, or a tensor by its name. */
static mb_status read_entry(mb_safetensors *s, mb_json_reader *r, const char *name, size_t n, mb_error *err)
{
    if (strcmp(name, "__metadata__") == 0) {
        const bool again = s->has_meta;
        s->has_meta = true;
        return again ? damaged(err, NULL, "two __metadata__ objects") : read_meta(s, r, err);
    }
    if (!mb_is_name(name, n, MAX_NAME)) {
        return damaged(err, name, "the name is empty, too long, or has control characters");
    }
    if (s->n_tensors == MAX_TENSORS) {
        return damaged(err, NULL, "more than 65536 tensors");
    }
    if (!grow(&s->tensors, s->n_tensors, &s->capacity, sizeof s->tensors[0])) {
        return mb_fail_memory(err, s->n_tensors * sizeof s->tensors[0], "the table of tensors");
    }
    mb_st_tensor *t = &s->tensors[s->n_tensors];
    *t = (mb_st_tensor){.name = name};
    if (!read_tensor(s, r, t)) {
        return damaged(err, name, r->problem);
    }
    s->n_tensors++;
    return MB_OK;
}

/* The header's JSON, names and metadata decoded into the pool: decoded text is never longer than its source, so the
 * header's length is enough for all of it. */
static mb_status read_header(mb_safetensors *s, const char *text, size_t bytes, mb_error *err)
{
    mb_json_reader r;
    size_t n;
    mb_status status = MB_OK;
    mb_json_read_init(&r, text, bytes);
    (void)mb_json_enter(&r, '{');
    while (status == MB_OK) {
        char *name = s->pool + s->pool_used;
        if (!mb_json_next_key(&r, name, s->pool_bytes - s->pool_used, &n)) {
            break;
        }
        s->pool_used += n + 1;
        status = read_entry(s, &r, name, n, err);
    }
    if (status == MB_OK && !mb_json_finish(&r)) {
        char what[128];
        size_t at = (size_t)(r.at - r.start);
        (void)snprintf(what, sizeof what, "its header, byte %zu: %s", at, r.problem);
        status = damaged(err, NULL, what);
    }
    return status;
}

/* ---- order and index */

/* By address; empty tensors before the one that begins at the same place, so that the check of holes sees them in
 * order. */
static int by_place(const void *a, const void *b)
{
    const mb_st_tensor *x = a, *y = b;
    if (x->data != y->data) {
        return (const uint8_t *)x->data < (const uint8_t *)y->data ? -1 : 1;
    }
    if (x->bytes != y->bytes) {
        return x->bytes < y->bytes ? -1 : 1; /* empty ones first */
    }
    return strcmp(x->name, y->name);
}

/* A file chooses its names: a hash table could be made one long chain, a sorted list cannot. */
static int by_name(const void *a, const void *b)
{
    const mb_st_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int name_against(const void *name, const void *at)
{
    const mb_st_tensor *const *x = at;
    return strcmp(name, (*x)->name);
}

const mb_st_tensor *mb_safetensors_find(const mb_safetensors *s, const char *name)
{
    const mb_st_tensor *const *found =
        s->n_tensors > 0 ? bsearch(name, s->by_name, s->n_tensors, sizeof s->by_name[0], name_against) : NULL;
    return found != NULL ? *found : NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b); /* of a pair the key comes first */
}

static int key_against(const void *key, const void *at)
{
    return strcmp(key, *(const char *const *)at);
}

/* A key that occurs twice would mean one thing to a reader that keeps the first, and another to one that keeps the last. */
static mb_status index_meta(mb_safetensors *s, mb_error *err)
{
    if (s->n_meta > 1) {
        mb_sort(s->meta, s->n_meta, 2 * sizeof s->meta[0], by_key);
    }
    for (size_t i = 1; i < s->n_meta; i++) {
        if (strcmp(s->meta[2 * i - 2], s->meta[2 * i]) == 0) {
            return damaged(err, NULL, "a key of its metadata occurs twice");
        }
    }
    return MB_OK;
}

/* All names once: sorted, two of the same stand side by side. */
static mb_status index_names(mb_safetensors *s, mb_error *err)
{
    s->by_name = mb_calloc(s->n_tensors, sizeof s->by_name[0]);
    if (s->by_name == NULL) {
        return mb_fail_memory(err, s->n_tensors * sizeof s->by_name[0], "the index of tensors");
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        s->by_name[i] = &s->tensors[i];
    }
    if (s->n_tensors > 1) {
        mb_sort(s->by_name, s->n_tensors, sizeof s->by_name[0], by_name);
    }
    for (size_t i = 1; i < s->n_tensors; i++) {
        if (strcmp(s->by_name[i - 1]->name, s->by_name[i]->name) == 0) {
            return damaged(err, s->by_name[i]->name, "the name occurs twice");
        }
    }
    return MB_OK;
}

/* Sorts the tensors by their place, then checks that they fill the data without a hole or an overlap, and that no name
 * occurs twice. Holes are refused as the reference implementation does. */
static mb_status check_order(mb_safetensors *s, mb_error *err)
{
    const uint8_t *end = s->data;
    if (s->n_tensors > 1) {
        mb_sort(s->tensors, s->n_tensors, sizeof s->tensors[0], by_place);
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        const mb_st_tensor *t = &s->tensors[i];
        if ((const uint8_t *)t->data != end) {
            return damaged(err, t->name,
                           (const uint8_t *)t->data > end ? "a hole lies before its data" : "its data overlap others");
        }
        end += t->bytes;
    }
    mb_status status = index_names(s, err);
    if (status != MB_OK) {
        return status;
    }
    return end == s->data + s->data_bytes ? MB_OK : damaged(err, NULL, "something follows the last tensor");
}

/* ---- opening */

/* u64 length of the header, header, data. Nothing is allocated before the length is checked against the file. */
mb_status mb_safetensors_open_memory(mb_safetensors **out, const void *data, size_t bytes, mb_error *err)
{
    *out = NULL;
    const uint8_t *p = data;
    uint64_t length = 0;
    for (size_t i = 0; i < 8 && i < bytes; i++) {
        length |= (uint64_t)p[i] << (8 * i);
    }
    if (bytes < 10 || p[8] != '{') {
        return damaged(err, NULL, "it does not begin like one");
    }
    if (length > MAX_HEADER || length > bytes - 8) {
        return damaged(err, NULL,
                       length > MAX_HEADER ? "its header is larger than 100 MB" : "it ends within its header");
    }
    mb_safetensors *s = mb_calloc(1, sizeof *s);
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "a safetensors file");
    }
    s->data = p + 8 + length;
    s->data_bytes = bytes - 8 - (size_t)length;
    s->pool_bytes = (size_t)length + 1;
    s->pool = mb_alloc(s->pool_bytes);
    mb_status status = s->pool != NULL ? read_header(s, (const char *)p + 8, (size_t)length, err)
                                       : mb_fail_memory(err, s->pool_bytes, "a safetensors header");
    if (status == MB_OK) {
        status = check_order(s, err);
    }
    if (status == MB_OK) {
        status = index_meta(s, err);
    }
    if (status != MB_OK) {
        mb_safetensors_free(s);
        return status;
    }
    *out = s;
    return MB_OK;
}

/* Maps the file; tensors point into the mapping until mb_safetensors_free. */
mb_status mb_safetensors_open(mb_safetensors **out, const char *path, mb_error *err)
{
    mb_mapping map;
    *out = NULL;
    mb_status status = mb_map_file(&map, path, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_safetensors_open_memory(out, map.data, map.bytes, err);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", path);
        mb_unmap_file(&map);
        return status;
    }
    (*out)->map = map;
    return MB_OK;
}

/* Tensors and text go with it. */
void mb_safetensors_free(mb_safetensors *s)
{
    if (s == NULL) {
        return;
    }
    mb_unmap_file(&s->map);
    mb_free(s->pool);
    mb_free(s->tensors);
    mb_free(s->meta);
    mb_free(s->by_name);
    mb_free(s);
}

size_t mb_safetensors_count(const mb_safetensors *s)
{
    return s->n_tensors;
}

const mb_st_tensor *mb_safetensors_at(const mb_safetensors *s, size_t index)
{
    return index < s->n_tensors ? &s->tensors[index] : NULL;
}

size_t mb_safetensors_meta_count(const mb_safetensors *s)
{
    return s->n_meta;
}

void mb_safetensors_meta_at(const mb_safetensors *s, size_t index, const char **key, const char **value)
{
    *key = s->meta[2 * index];
    *value = s->meta[2 * index + 1];
}

const char *mb_safetensors_meta(const mb_safetensors *s, const char *key)
{
    const char *const *found =
        s->n_meta > 0 ? bsearch(key, s->meta, s->n_meta, 2 * sizeof s->meta[0], key_against) : NULL;
    return found != NULL ? found[1] : NULL;
}
