/* Opening checkpoints: which format, which files, and the list of tensors that all formats end in. */
#include "source_internal.h"

#include "names.h"

#include "core/alloc.h"
#include "core/hash.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_INDEX_FILES 1000
#define MAX_TENSORS     65536u

/* ---- the list */

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

static size_t first_slot(const source *s, const char *name)
{
    return (size_t)mb_fnv1a64(MB_FNV1A64_BASIS, name, strlen(name)) & (s->n_slots - 1);
}

const source_tensor *source_find(const source *s, const char *name)
{
    if (s->n_slots == 0) {
        return NULL;
    }
    for (size_t i = first_slot(s, name); s->slots[i] != 0; i = (i + 1) & (s->n_slots - 1)) {
        const source_tensor *t = &s->tensors[s->slots[i] - 1];
        if (strcmp(t->name, name) == 0) {
            return t;
        }
    }
    return NULL;
}

static mb_status build_index(source *s, mb_error *err)
{
    size_t n = 8;
    while (n < 2 * s->n_tensors) {
        n *= 2;
    }
    mb_free(s->slots);
    s->n_slots = 0;
    s->slots = mb_calloc(n, sizeof s->slots[0]);
    if (s->slots == NULL) {
        return mb_fail_memory(err, n * sizeof s->slots[0], "the index of tensors");
    }
    s->n_slots = n;
    for (size_t i = 0; i < s->n_tensors; i++) {
        const char *name = s->tensors[i].name;
        const source_tensor *other = source_find(s, name);
        if (other != NULL) {
            return mb_fail(err, MB_E_FORMAT, "two tensors are called %s (in the file: %s and %s)", name,
                           other->original, s->tensors[i].original);
        }
        size_t slot = first_slot(s, name);
        while (s->slots[slot] != 0) {
            slot = (slot + 1) & (n - 1);
        }
        s->slots[slot] = (uint32_t)(i + 1);
    }
    return MB_OK;
}

mb_status source_normalise(source *s, mb_error *err)
{
    bool original_vitmatte = false;
    for (size_t i = 0; i < s->n_tensors; i++) {
        original_vitmatte = original_vitmatte || strcmp(names_strip(s->tensors[i].original), "backbone.pos_embed") == 0;
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        source_tensor *t = &s->tensors[i];
        const char *stripped = names_strip(t->original);
        char *name = original_vitmatte ? names_vitmatte_to_hub(stripped) : mb_strdup(stripped);
        if (name == NULL) {
            return mb_fail_memory(err, strlen(stripped), "the name of a tensor");
        }
        mb_free(t->name);
        t->name = name;
    }
    return build_index(s, err);
}

/* ---- access */

source_format source_kind(const source *s)
{
    return s->format;
}

const char *source_format_name(const source *s)
{
    static const char *const names[] = {"safetensors", "safetensors in several files", "PyTorch (zip)", "mbw"};
    return names[s->format];
}

size_t source_count(const source *s)
{
    return s->n_tensors;
}

const source_tensor *source_at(const source *s, size_t index)
{
    return index < s->n_tensors ? &s->tensors[index] : NULL;
}

const char *source_meta(const source *s, const char *key)
{
    if (s->mbw != NULL) {
        return mb_weights_meta(s->mbw, key);
    }
    for (size_t i = 0; s->parts != NULL && i < s->n_files; i++) {
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

/* Elements lie `strides` apart: the index is taken apart once, then counted up like an odometer. */
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

void source_read(const source_tensor *t, size_t first, size_t n, void *dst)
{
    const size_t size = mb_st_dtype_size(t->dtype);
    if (n == 0) {
        return;
    }
    if (t->contiguous) {
        memcpy(dst, t->data + first * size, n * size);
    } else {
        read_strided(t, first, n, dst);
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

mb_status source_read_safetensors(source *s, size_t file, mb_error *err)
{
    const source_file *f = &s->files[file];
    mb_safetensors **parts = mb_realloc_array(s->parts, file + 1, sizeof *parts);
    if (parts == NULL) {
        return mb_fail_memory(err, (file + 1) * sizeof *parts, "a safetensors file");
    }
    s->parts = parts;
    s->parts[file] = NULL;
    mb_status status = mb_safetensors_open_memory(&s->parts[file], f->map.data, f->map.bytes, err);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", f->path);
        return status;
    }
    for (size_t i = 0; i < mb_safetensors_count(s->parts[file]) && status == MB_OK; i++) {
        const mb_st_tensor *from = mb_safetensors_at(s->parts[file], i);
        source_tensor t = {.dtype = from->dtype, .rank = from->rank, .data = from->data};
        memcpy(t.dims, from->dims, sizeof t.dims);
        set_contiguous(&t);
        status = source_add_tensor(s, from->name, &t, err);
    }
    return status;
}

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

/* ---- index.json: {"metadata": {...}, "weight_map": {"tensor": "file", ...}} */

static size_t known_file(const source *s, size_t first, const char *path)
{
    size_t i = first;
    while (i < s->n_files && strcmp(s->files[i].path, path) != 0) {
        i++;
    }
    return i;
}

static mb_status read_weight_map(source *s, mb_json_reader *r, const char *folder, int folder_length, mb_error *err)
{
    char name[600], file[300], path[1200];
    (void)mb_json_enter(r, '{');
    while (mb_json_next_key(r, name, sizeof name, NULL) && mb_json_get_string(r, file, sizeof file, NULL)) {
        if (file[0] == '\0' || strchr(file, '/') != NULL || file[0] == '.') {
            return mb_fail(err, MB_E_FORMAT, "it names a file outside its folder");
        }
        (void)snprintf(path, sizeof path, "%.*s%s", folder_length, folder, file);
        if (known_file(s, 1, path) < s->n_files) {
            continue;
        }
        size_t index;
        if (s->n_files > MAX_INDEX_FILES) {
            return mb_fail(err, MB_E_FORMAT, "it names more than %d files", MAX_INDEX_FILES);
        }
        mb_status status = source_add_file(s, path, &index, err);
        if (status != MB_OK) {
            return status;
        }
    }
    return MB_OK;
}

/* Every tensor of the map must have been found, or a part is not what the index was made for. */
static mb_status check_weight_map(source *s, const char *text, size_t bytes, mb_error *err)
{
    char key[600], file[300];
    mb_json_reader r;
    mb_status status = build_index(s, err);
    mb_json_read_init(&r, text, bytes);
    (void)mb_json_enter(&r, '{');
    while (status == MB_OK && mb_json_next_key(&r, key, sizeof key, NULL)) {
        if (strcmp(key, "weight_map") != 0) {
            (void)mb_json_skip(&r);
            continue;
        }
        (void)mb_json_enter(&r, '{');
        while (mb_json_next_key(&r, key, sizeof key, NULL) && mb_json_get_string(&r, file, sizeof file, NULL)) {
            if (source_find(s, key) == NULL) {
                return mb_fail(err, MB_E_FORMAT, "tensor %.200s should be in %.200s and is not", key, file);
            }
        }
    }
    return status;
}

mb_status source_read_index(source *s, const char *path, mb_error *err)
{
    const source_file *f = &s->files[0];
    const char *slash = strrchr(path, '/'), *text = f->map.data;
    const size_t bytes = f->map.bytes;
    int folder_length = slash != NULL ? (int)(slash - path) + 1 : 0;
    char key[64];
    bool found = false;
    mb_json_reader r;
    mb_status status = MB_OK;
    s->format = SOURCE_SHARDED;
    mb_json_read_init(&r, text, bytes);
    (void)mb_json_enter(&r, '{');
    while (status == MB_OK && mb_json_next_key(&r, key, sizeof key, NULL)) {
        bool map = strcmp(key, "weight_map") == 0;
        found = found || map;
        if (map) {
            status = read_weight_map(s, &r, path, folder_length, err);
        } else {
            (void)mb_json_skip(&r);
        }
    }
    if (status == MB_OK && !mb_json_finish(&r)) {
        status = mb_fail(err, MB_E_FORMAT, "not a sound index: byte %zu: %s", (size_t)(r.at - r.start), r.problem);
    }
    if (status == MB_OK && !found) {
        status = mb_fail(err, MB_E_FORMAT, "a JSON file without a weight_map: not an index of safetensors files");
    }
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", path);
        return status;
    }
    for (size_t i = 1; i < s->n_files && status == MB_OK; i++) {
        status = source_read_safetensors(s, i, err);
    }
    if (status == MB_OK) {
        status = check_weight_map(s, text, bytes, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", path);
        }
    }
    return status;
}

/* ---- opening */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A hub folder: the file in it that holds the weights. */
static mb_status find_in_folder(char *dst, size_t capacity, const char *folder, mb_error *err)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json",
                                        "diffusion_pytorch_model.safetensors", "pytorch_model.bin", "model.pth"};
    struct stat st;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        (void)snprintf(dst, capacity, "%s", folder);
        return MB_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int n = snprintf(dst, capacity, "%s/%s", folder, names[i]);
        if (n > 0 && (size_t)n < capacity && exists(dst)) {
            return MB_OK;
        }
    }
    return mb_fail(err, MB_E_IO,
                   "%s: a folder without model.safetensors, model.safetensors.index.json or "
                   "pytorch_model.bin\nname the file",
                   folder);
}

static bool begins(const mb_mapping *m, const char *with, size_t n)
{
    return m->bytes >= n && memcmp(m->data, with, n) == 0;
}

static mb_status read_by_content(source *s, const char *path, mb_error *err)
{
    const mb_mapping *m = &s->files[0].map;
    const char *text = m->data;
    if (begins(m, "MBW", 4)) {
        return source_read_mbw(s, err);
    }
    if (begins(m, "PK\3\4", 4)) {
        mb_status status = source_read_torch(s, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", path);
        }
        return status;
    }
    if (m->bytes > 9 && text[8] == '{' && text[7] == 0) {
        return source_read_safetensors(s, 0, err);
    }
    if (m->bytes > 1 &&
        (text[0] == '{' || ((text[0] == '\n' || text[0] == ' ') && strchr("{ \n\t", text[1]) != NULL))) {
        return source_read_index(s, path, err);
    }
    return source_refuse_unknown(m->data, m->bytes, path, err);
}

mb_status source_open(source **out, const char *path, mb_error *err)
{
    char file[1200];
    size_t index;
    *out = NULL;
    mb_status status = find_in_folder(file, sizeof file, path, err);
    if (status != MB_OK) {
        return status;
    }
    source *s = mb_calloc(1, sizeof *s);
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "a checkpoint");
    }
    status = source_add_file(s, file, &index, err);
    status = status != MB_OK ? status : read_by_content(s, file, err);
    status = status != MB_OK ? status : source_normalise(s, err);
    if (status == MB_OK && s->n_tensors == 0 && s->format != SOURCE_MBW) {
        status = mb_fail(err, MB_E_FORMAT, "%s: holds no tensors", file);
    }
    if (status != MB_OK) {
        source_free(s);
        return status;
    }
    *out = s;
    return MB_OK;
}

void source_free(source *s)
{
    if (s == NULL) {
        return;
    }
    mb_weights_free(s->mbw);
    for (size_t i = 0; i < s->n_files; i++) {
        if (s->parts != NULL && (s->format != SOURCE_SHARDED || i > 0)) {
            mb_safetensors_free(s->parts[i]);
        }
        mb_unmap_file(&s->files[i].map);
        mb_free(s->files[i].path);
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        mb_free(s->tensors[i].name);
        mb_free(s->tensors[i].original);
    }
    for (size_t i = 0; i < s->n_storages; i++) {
        mb_free(s->storages[i].name);
    }
    mb_free(s->storages);
    mb_free(s->parts);
    mb_free(s->files);
    mb_free(s->tensors);
    mb_free(s->slots);
    mb_free(s);
}
