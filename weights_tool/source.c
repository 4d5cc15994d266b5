/* Opening checkpoints: which format, which files, and the list of tensors that all formats end in. Formats are told by
 * their first bytes and never by the file's name: checkpoints travel as .bin, .pt, .ckpt or without any ending. After
 * opening, the rest of the tool sees only names, shapes, types and pointers, whatever the file was. */
#include "source_internal.h"

#include "core/alloc.h"
#include "core/sort.h"
#include "core/os_file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 65536u

/* ---- the list */

/* Maps a file. *index: its number in s->files. The mapping stays until source_free, because tensors point into it. The
 * list may move when it grows; the mapped bytes do not. */
mb_status source_add_file(source *s, const char *path, size_t *index, mb_error *err)
{
    if (s->n_files == s->file_capacity) {
        size_t capacity = s->file_capacity == 0 ? 4 : s->file_capacity * 2;
        source_file *p = mb_realloc_array(s->files, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(err, capacity * sizeof *p, "a list of files");
        }
        s->files = p;
        s->file_capacity = capacity;
    }
    source_file f = {.path = mb_strdup(path)};
    if (f.path == NULL) {
        return mb_fail_memory(err, strlen(path), "a file name");
    }
    mb_status status = mb_map_file(&f.map, path, err);
    if (status != MB_OK) {
        mb_free(f.path);
        return status;
    }
    *index = s->n_files;
    s->files[s->n_files++] = f;
    return MB_OK;
}

/* Copies the description, not the values. Two names: `original` stays, `name` loses prefix and wrappers later. Both
 * names begin as the one in the file; source_select replaces `name` later. The limit is that of the .mbw format, so a
 * file with more could not be converted anyway. */
mb_status source_add_tensor(source *s, const char *name, const source_tensor *t, mb_error *err)
{
    if (s->n_tensors >= MAX_TENSORS) {
        return mb_fail(err, MB_E_FORMAT, "more than %u tensors", MAX_TENSORS);
    }
    if (s->n_tensors == s->capacity) {
        size_t capacity = s->capacity == 0 ? 256 : s->capacity * 2;
        source_tensor *p = mb_realloc_array(s->tensors, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(err, capacity * sizeof *p, "the list of tensors");
        }
        s->tensors = p;
        s->capacity = capacity;
    }
    source_tensor copy = *t;
    copy.name = mb_strdup(name);
    copy.original = mb_strdup(name);
    if (copy.name == NULL || copy.original == NULL) {
        mb_free(copy.name);
        mb_free(copy.original);
        return mb_fail_memory(err, strlen(name), "the name of a tensor");
    }
    s->tensors[s->n_tensors++] = copy;
    return MB_OK;
}

/* A file chooses its names: a hash table could be made one long chain, a sorted list cannot. */
static int by_name(const void *a, const void *b)
{
    const source_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int name_against(const void *name, const void *at)
{
    const source_tensor *const *x = at;
    return strcmp(name, (*x)->name);
}

const source_tensor *source_find(const source *s, const char *name)
{
    const source_tensor *const *found =
        s->n_indexed > 0 ? bsearch(name, s->by_name, s->n_indexed, sizeof s->by_name[0], name_against) : NULL;
    return found != NULL ? *found : NULL;
}

/* The tensors sorted by their names. Two of one name stand side by side and are an error: it could not be told which is
 * meant. The list of tensors must not move or be renamed as long as the index is used. */
mb_status source_build_index(source *s, mb_error *err)
{
    const size_t n = s->n_tensors;
    mb_free(s->by_name);
    s->n_indexed = 0;
    s->by_name = mb_calloc(n, sizeof s->by_name[0]);
    if (s->by_name == NULL) {
        return mb_fail_memory(err, n * sizeof s->by_name[0], "the index of tensors");
    }
    for (size_t i = 0; i < n; i++) {
        s->by_name[i] = &s->tensors[i];
    }
    if (n > 1) {
        mb_sort(s->by_name, n, sizeof s->by_name[0], by_name);
    }
    for (size_t i = 1; i < n; i++) {
        const source_tensor *one = s->by_name[i - 1], *other = s->by_name[i];
        if (strcmp(one->name, other->name) == 0) {
            return mb_fail(err, MB_E_FORMAT, "two tensors are called %s (in the file: %s and %s)", one->name,
                           one < other ? one->original : other->original,
                           one < other ? other->original : one->original);
        }
    }
    s->n_indexed = n;
    return MB_OK;
}

/* ---- access */

source_format source_kind(const source *s)
{
    return s->format;
}

/* Shards can be of either format; those of torch leave no safetensors part behind. */
const char *source_format_name(const source *s)
{
    static const char *const names[] = {"safetensors", "safetensors in several files", "PyTorch (zip)", "mbw"};
    bool torch_parts = s->format == SOURCE_SHARDED && s->n_parts == 0;
    return torch_parts ? "PyTorch (zip) in several files" : names[s->format];
}

size_t source_count(const source *s)
{
    return s->n_tensors;
}

const source_tensor *source_at(const source *s, size_t index)
{
    return index < s->n_tensors ? &s->tensors[index] : NULL;
}

size_t source_beside_count(const source *s)
{
    return s->n_beside;
}

const source_tensor *source_beside_at(const source *s, size_t index)
{
    return index < s->n_beside ? &s->tensors[s->n_tensors + index] : NULL;
}

const char *source_prefix(const source *s)
{
    return s->prefix != NULL ? s->prefix : "";
}

const char *source_rival(const source *s)
{
    return s->rival;
}

const char *source_keys(const source *s)
{
    return s->keys;
}

bool source_lacks_checksums(const source *s)
{
    return s->no_checksums;
}

/* Of several parts the first that has the key. torch files have no metadata of this kind. */
const char *source_meta(const source *s, const char *key)
{
    if (s->mbw != NULL) {
        return mb_weights_meta(s->mbw, key);
    }
    for (size_t i = 0; i < s->n_parts; i++) {
        const char *value = s->parts[i] != NULL ? mb_safetensors_meta(s->parts[i], key) : NULL;
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

size_t source_file_count(const source *s)
{
    return s->n_files;
}

const char *source_file_path(const source *s, size_t index)
{
    return s->files[index].path;
}

const void *source_file_data(const source *s, size_t index, size_t *bytes)
{
    *bytes = s->files[index].map.bytes;
    return s->files[index].map.data;
}

size_t source_file_bytes(const source *s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s->n_files; i++) {
        sum += s->files[i].map.bytes;
    }
    return sum;
}

const mb_weights *source_mbw(const source *s)
{
    return s->mbw;
}

/* Elements lie `strides` apart: the index is taken apart once, then counted up like an odometer. `first` counts
 * elements in row-major order of the shape. Only tensors with at least one element come here, so no dimension is 0. */
static void read_strided(const source_tensor *t, size_t first, size_t n, uint8_t *dst)
{
    const size_t size = mb_st_dtype_size(t->dtype);
    int64_t at[MB_ST_MAX_RANK] = {0};
    int64_t place = 0;
    for (int i = t->rank - 1; i >= 0; i--) {
        at[i] = (int64_t)(first % (size_t)t->dims[i]);
        first /= (size_t)t->dims[i];
        place += at[i] * t->strides[i];
    }
    for (; n > 0; n--, dst += size) {
        memcpy(dst, t->data + (size_t)place * size, size);
        for (int i = t->rank - 1; i >= 0; i--) {
            place += t->strides[i];
            if (++at[i] < t->dims[i]) {
                break;
            }
            place -= at[i] * t->strides[i];
            at[i] = 0;
        }
    }
}

/* Floats have their sign in the highest bit; integers are two's complements. The sign bit lies in the last byte, as
 * all accepted files are little-endian. Integers are inverted and incremented byte by byte: the same loop serves every
 * width. */
static void negate(uint8_t *p, mb_st_dtype dtype, size_t n)
{
    const size_t size = mb_st_dtype_size(dtype);
    for (size_t i = 0; i < n; i++, p += size) {
        if (mb_st_dtype_is_float(dtype)) {
            p[size - 1] ^= 0x80;
            continue;
        }
        unsigned carry = 1;
        for (size_t k = 0; k < size; k++) {
            carry += (uint8_t)~p[k];
            p[k] = (uint8_t)carry;
            carry >>= 8;
        }
    }
}

/* dst has room for n raw elements. Nothing checks the bounds here: first + n is at most t->count. */
void source_read(const source_tensor *t, size_t first, size_t n, void *dst)
{
    const size_t size = mb_st_dtype_size(t->dtype);
    uint8_t *to = dst;
    for (size_t i = 0; i < t->n_pieces; i++) {
        const size_t count = t->pieces[i].count, here = first >= count ? 0 : n < count - first ? n : count - first;
        source_read(&t->pieces[i], first, here, to);
        to += here * size;
        n -= here;
        first = first >= count ? first - count : 0;
    }
    if (n == 0) {
        return;
    }
    if (t->contiguous) {
        memcpy(dst, t->data + first * size, n * size);
    } else {
        read_strided(t, first, n, dst);
    }
    if (t->negated) {
        negate(dst, t->dtype, n);
    }
}

/* ---- safetensors and mbw */

/* Row-major strides; the caller has checked that the size does not overflow. */
static void set_contiguous(source_tensor *t)
{
    int64_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        t->strides[i] = stride;
        stride *= t->dims[i];
    }
    t->count = (size_t)stride;
    t->contiguous = true;
}

/* Tensors point into the mapped file. Parts are kept by the number of their file, so the array may have gaps: file 0
 * of a sharded checkpoint is the index. The safetensors reader has checked offsets, shapes and overlaps of the header;
 * what remains is to copy its list. */
mb_status source_read_safetensors(source *s, size_t file, mb_error *err)
{
    const source_file *f = &s->files[file];
    mb_safetensors **parts = mb_realloc_array(s->parts, file + 1, sizeof *parts);
    if (parts == NULL) {
        return mb_fail_memory(err, (file + 1) * sizeof *parts, "a safetensors file");
    }
    s->parts = parts;
    while (s->n_parts <= file) {
        s->parts[s->n_parts++] = NULL;
    }
    mb_status status = mb_safetensors_open_memory(&s->parts[file], f->map.data, f->map.bytes, err);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", f->path);
        return status;
    }
    for (size_t i = 0; i < mb_safetensors_count(s->parts[file]) && status == MB_OK; i++) {
        const mb_st_tensor *from = mb_safetensors_at(s->parts[file], i);
        source_tensor t = {
            .dtype = from->dtype, .unread = mb_st_dtype_unread(from->dtype), .rank = from->rank, .data = from->data};
        memcpy(t.dims, from->dims, sizeof t.dims);
        set_contiguous(&t);
        status = source_add_tensor(s, from->name, &t, err);
    }
    return status;
}

/* Tensors point into the mapped file. The format is checked by the engine's own reader. A model file as a source: to
 * convert it to another type, or to compare with it. */
mb_status source_read_mbw(source *s, mb_error *err)
{
    static const mb_st_dtype types[MB_DTYPE_COUNT] = {MB_ST_F32, MB_ST_F16, MB_ST_BF16, MB_ST_I64};
    const source_file *f = &s->files[0];
    s->format = SOURCE_MBW;
    mb_status status = mb_weights_open_memory(&s->mbw, f->map.data, f->map.bytes, err);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", f->path);
        return status;
    }
    for (size_t i = 0; i < mb_weights_count(s->mbw) && status == MB_OK; i++) {
        const mb_tensor *from = mb_weights_at(s->mbw, i);
        source_tensor t = {.dtype = types[from->dtype], .rank = from->rank, .data = from->data};
        memcpy(t.dims, from->dims, sizeof from->dims);
        set_contiguous(&t);
        status = source_add_tensor(s, from->name, &t, err);
    }
    return status;
}

/* ---- opening */

/* Does the file begin with these n bytes? Safe for files that are shorter. */
static bool begins(const mb_mapping *m, const char *with, size_t n)
{
    return m->bytes >= n && memcmp(m->data, with, n) == 0;
}

/* One file by its first bytes. A zip begins with a local header. A safetensors file begins with the length of its JSON
 * header in 8 bytes: byte 7 is 0 for every length below 2^56, and byte 8 is the brace that opens the header. */
mb_status source_read_part(source *s, size_t file, mb_error *err)
{
    const source_file *f = &s->files[file];
    const char *text = f->map.data;
    if (begins(&f->map, "PK\3\4", 4)) {
        mb_status status = source_read_torch(s, file, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", f->path);
        }
        return status;
    }
    if (f->map.bytes > 9 && text[8] == '{' && text[7] == 0) {
        return source_read_safetensors(s, file, err);
    }
    return source_refuse_unknown(f->map.data, f->map.bytes, f->path, err);
}

/* The file that was named: a model file, an index of shards, or one checkpoint. An index is JSON and may begin with
 * white space. safetensors is asked first, because a length byte may look like a brace. */
static mb_status read_by_content(source *s, const char *path, mb_error *err)
{
    const mb_mapping *m = &s->files[0].map;
    const char *text = m->data;
    if (begins(m, "MBW", 4)) {
        return source_read_mbw(s, err);
    }
    const bool safetensors = m->bytes > 9 && text[8] == '{' && text[7] == 0;
    if (!safetensors && m->bytes > 1 &&
        (text[0] == '{' || ((text[0] == '\n' || text[0] == ' ') && strchr("{ \n\t", text[1]) != NULL))) {
        return source_read_index(s, path, err);
    }
    s->format = begins(m, "PK\3\4", 4) ? SOURCE_TORCH : SOURCE_SAFETENSORS;
    return source_read_part(s, 0, err);
}

mb_status source_open(source **out, const char *path, mb_error *err)
{
    return source_open_as(out, path, NULL, err);
}

/* From path to tensors with published names. Values are touched last (source_load), only those of the model. Reads,
 * selects, loads. A failure in between frees what there is; the message names the file. A file without any tensor is
 * refused here with the keys that it has: usually a training state whose weights were saved elsewhere. */
mb_status source_open_as(source **out, const char *path, const source_choice *choice, mb_error *err)
{
    static const source_choice none = {NULL, NULL};
    char file[MB_OS_PATH_BYTES];
    size_t index;
    *out = NULL;
    mb_status status = source_find_in_folder(file, sizeof file, path, err);
    if (status != MB_OK) {
        return status;
    }
    source *s = mb_calloc(1, sizeof *s);
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "a checkpoint");
    }
    MB_TRY(source_add_file(s, file, &index, err));
    MB_TRY(read_by_content(s, file, err));
    if (s->n_tensors == 0 && s->format != SOURCE_MBW) {
        status = mb_fail(err, MB_E_FORMAT, "%s: holds no tensors%s%s", file, s->keys[0] != '\0' ? "; its keys: " : "",
                         s->keys);
        goto done;
    }
    status = source_select(s, choice != NULL ? choice : &none, err);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", file);
        goto done;
    }
    MB_TRY(source_load(s, err));
    MB_TRY(source_join(s, err));
    *out = s;
    s = NULL;
done:
    source_free(s);
    return status;
}

/* The tensors beside the model stand behind those of it in the same array. Storages own their names and what was
 * unpacked; everything else points into the mappings. */
void source_free(source *s)
{
    if (s == NULL) {
        return;
    }
    mb_weights_free(s->mbw);
    for (size_t i = 0; i < s->n_parts; i++) {
        mb_safetensors_free(s->parts[i]);
    }
    for (size_t i = 0; i < s->n_files; i++) {
        mb_unmap_file(&s->files[i].map);
        mb_free(s->files[i].path);
    }
    for (size_t i = 0; i < s->n_tensors + s->n_beside; i++) {
        mb_free(s->tensors[i].name);
        mb_free(s->tensors[i].original);
    }
    for (size_t i = 0; i < s->n_pieces; i++) {
        mb_free(s->pieces[i].name);
        mb_free(s->pieces[i].original);
    }
    mb_free(s->pieces);
    for (size_t i = 0; i < s->n_storages; i++) {
        mb_free(s->storages[i].member.name);
        mb_free(s->storages[i].unpacked);
    }
    mb_free(s->prefix);
    mb_free(s->rival);
    mb_free(s->storages);
    mb_free(s->parts);
    mb_free(s->files);
    mb_free(s->tensors);
    mb_free(s->by_name);
    mb_free(s);
}
