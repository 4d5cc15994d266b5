/* PyTorch checkpoints (torch >= 1.6): a zip with ARCHIVE/data.pkl, the pickled state dict, and ARCHIVE/data/KEY, the
 * bytes of each storage. Tensors are views of storages (offset, sizes, strides), which several may share. */
#include "source_internal.h"

#include "pickle.h"
#include "zip.h"

#include "core/alloc.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define MAX_PICKLE ((size_t)64 << 20) /* a published BiRefNet's has 100 KB */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The member "data.pkl" and the folder that it lies in (with its slash). */
static mb_status find_pickle(const zip_archive *z, const zip_member **found, size_t *prefix, mb_error *err)
{
    *found = NULL;
    for (size_t i = 0; i < z->n_members; i++) {
        const char *name = z->members[i].name;
        if (ends_with(name, "/constants.pkl") || strstr(name, "/code/") != NULL) {
            return mb_fail(err, MB_E_UNSUPPORTED,
                           "a TorchScript archive (torch.jit.save): it holds a program\n"
                           "get the .safetensors file, or save model.state_dict() with torch.save");
        }
        bool is =
            strcmp(name, "data.pkl") == 0 || (ends_with(name, "/data.pkl") && strchr(name, '/') == strrchr(name, '/'));
        if (is && *found != NULL) {
            return mb_fail(err, MB_E_FORMAT, "two members are called data.pkl");
        }
        if (is) {
            *found = &z->members[i];
            *prefix = strlen(name) - strlen("data.pkl");
        }
    }
    if (*found == NULL) {
        return mb_fail(err, MB_E_FORMAT, "a zip archive without data.pkl: not a PyTorch checkpoint");
    }
    return MB_OK;
}

/* Little-endian, or not said (before torch 2.1). */
static mb_status check_byte_order(const zip_archive *z, const char *folder, size_t prefix, mb_error *err)
{
    char name[1100];
    (void)snprintf(name, sizeof name, "%.*sbyteorder", (int)prefix, folder);
    const zip_member *m = zip_find(z, name);
    if (m != NULL && (m->deflated || m->bytes != 6 || memcmp(m->data, "little", 6) != 0)) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "it was written on a big-endian machine\nsave it again on a little-endian one");
    }
    return MB_OK;
}

/* ---- tensors */

static mb_status bad_tensor(mb_error *err, const char *name, const char *what)
{
    char shown[160];
    return mb_fail(err, MB_E_FORMAT, "tensor %s: %s", mb_printable(shown, sizeof shown, name, strlen(name)), what);
}

/* Elements of the tensor, and whether the view stays within `available` elements. */
static bool measure_view(source_tensor *t, int64_t offset, uint64_t available)
{
    size_t count = 1;
    int64_t last = offset, row = 1;
    bool empty = false;
    t->contiguous = true;
    for (int i = t->rank - 1; i >= 0; i--) {
        int64_t reach;
        empty = empty || t->dims[i] == 0;
        if (!mb_mul_size(&count, count, t->dims[i] > 0 ? (size_t)t->dims[i] : 1)) {
            return false;
        }
        t->contiguous = t->contiguous && (t->dims[i] == 1 || t->strides[i] == row);
        if (t->dims[i] > 0 &&
            (__builtin_mul_overflow(t->dims[i] - 1, t->strides[i], &reach) ||
             __builtin_add_overflow(last, reach, &last) || __builtin_mul_overflow(row, t->dims[i], &row))) {
            return false;
        }
    }
    t->count = empty ? 0 : count;
    /* a stride of 0 repeats values: legal in torch, and a way to claim terabytes; no checkpoint does it */
    return empty || ((uint64_t)last < available && count <= available);
}

static mb_status add_tensor(source *s, const zip_archive *z, const char *folder, size_t prefix, const char *name,
                            const pickle_tensor *p, mb_error *err)
{
    char member[1400];
    int n = snprintf(member, sizeof member, "%.*sdata/%.*s", (int)prefix, folder, (int)p->key_bytes, p->key);
    const zip_member *m = n > 0 && (size_t)n < sizeof member ? zip_find(z, member) : NULL;
    const size_t size = mb_st_dtype_size((mb_st_dtype)p->storage_type);
    if (m == NULL) {
        return bad_tensor(err, name, "its storage is not in the file");
    }
    if (m->deflated) {
        return bad_tensor(err, name, "its storage is compressed, which torch.save never does");
    }
    if (p->storage_count > m->bytes / size) {
        return bad_tensor(err, name, "its storage is shorter than it says");
    }
    source_tensor t = {.dtype = (mb_st_dtype)p->storage_type, .rank = p->rank};
    memcpy(t.dims, p->dims, sizeof t.dims);
    memcpy(t.strides, p->strides, sizeof t.strides);
    if ((uint64_t)p->offset > p->storage_count || !measure_view(&t, p->offset, p->storage_count)) {
        return bad_tensor(err, name, "it reaches beyond its storage");
    }
    t.data = m->data + (size_t)p->offset * size;
    mb_status status = source_add_tensor(s, name, &t, err);
    return status != MB_OK ? status : source_note_storage(s, m, err);
}

/* ---- the state dict */

static bool holds_tensors(const pickle_value *dict)
{
    for (size_t i = 1; i < dict->u.list.n; i += 2) {
        if (dict->u.list.items[i]->kind == PICKLE_TENSOR) {
            return true;
        }
    }
    return false;
}

/* The dict with tensors: the root, or nested under one of the usual keys of training loops. */
static const pickle_value *find_state_dict(const pickle_value *root)
{
    static const char *const keys[] = {"state_dict", "model", "model_state_dict", "params_ema", "params", "net"};
    for (int depth = 0; depth < 4; depth++) {
        if (root->kind != PICKLE_DICT || holds_tensors(root)) {
            break;
        }
        const pickle_value *inner = NULL;
        for (size_t k = 0; k < sizeof keys / sizeof keys[0] && inner == NULL; k++) {
            for (size_t i = 0; i + 1 < root->u.list.n && inner == NULL; i += 2) {
                const pickle_value *key = root->u.list.items[i], *value = root->u.list.items[i + 1];
                bool named = key->kind == PICKLE_BYTES && key->u.s.bytes == strlen(keys[k]) &&
                             memcmp(key->u.s.text, keys[k], key->u.s.bytes) == 0;
                inner = named && value->kind == PICKLE_DICT ? value : NULL;
            }
        }
        if (inner == NULL) {
            return NULL;
        }
        root = inner;
    }
    return root->kind == PICKLE_DICT && holds_tensors(root) ? root : NULL;
}

static mb_status add_tensors(source *s, const zip_archive *z, const zip_member *m, size_t prefix, const pickle *p,
                             mb_error *err)
{
    const pickle_value *dict = find_state_dict(p->root);
    if (dict == NULL) {
        return mb_fail(err, MB_E_FORMAT,
                       "a PyTorch file without a state dict (no tensors at the top or under \"model\" or "
                       "\"state_dict\")");
    }
    for (size_t i = 0; i + 1 < dict->u.list.n; i += 2) {
        const pickle_value *key = dict->u.list.items[i], *value = dict->u.list.items[i + 1];
        char name[513];
        if (value->kind != PICKLE_TENSOR) {
            continue; /* counters and notes of the training */
        }
        if (key->kind != PICKLE_BYTES || !mb_is_name(key->u.s.text, key->u.s.bytes, sizeof name - 1)) {
            return mb_fail(err, MB_E_FORMAT, "a tensor's name is not a string of 1 to 512 printable characters");
        }
        memcpy(name, key->u.s.text, key->u.s.bytes);
        name[key->u.s.bytes] = '\0';
        mb_status status = add_tensor(s, z, m->name, prefix, name, value->u.tensor, err);
        if (status != MB_OK) {
            return status;
        }
    }
    return MB_OK;
}

mb_status source_read_torch(source *s, mb_error *err)
{
    zip_archive z = {0};
    pickle p = {0};
    uint8_t *text = NULL;
    const zip_member *m;
    size_t prefix = 0;
    mb_status status;
    s->format = SOURCE_TORCH;
    MB_TRY(zip_open(&z, s->files[0].map.data, s->files[0].map.bytes, err));
    MB_TRY(find_pickle(&z, &m, &prefix, err));
    MB_TRY(check_byte_order(&z, m->name, prefix, err));
    MB_TRY(zip_extract(m, MAX_PICKLE, &text, err));
    MB_TRY(pickle_read(&p, text, m->bytes, err));
    status = add_tensors(s, &z, m, prefix, &p, err);
done:
    pickle_dispose(&p);
    mb_free(text);
    zip_dispose(&z);
    return status;
}

mb_status source_check_data(source *s, mb_error *err)
{
    for (size_t i = 0; i < s->n_storages; i++) {
        const source_storage *storage = &s->storages[i];
        zip_member m = {.name = storage->name, .data = storage->data, .bytes = storage->bytes, .crc32 = storage->crc32};
        mb_status status = zip_check_crc(&m, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", s->files[0].path);
            return status;
        }
    }
    return MB_OK;
}

mb_status source_note_storage(source *s, const zip_member *m, mb_error *err)
{
    for (size_t i = s->n_storages; i > 0 && s->n_storages - i < 8; i--) { /* shared storages follow one another */
        if (s->storages[i - 1].data == m->data) {
            return MB_OK;
        }
    }
    if (s->n_storages == s->storage_capacity) {
        size_t capacity = s->storage_capacity == 0 ? 256 : s->storage_capacity * 2;
        source_storage *p = mb_realloc_array(s->storages, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(err, capacity * sizeof *p, "a list of storages");
        }
        s->storages = p;
        s->storage_capacity = capacity;
    }
    source_storage *storage = &s->storages[s->n_storages];
    *storage = (source_storage){.name = mb_strdup(m->name), .data = m->data, .bytes = m->bytes, .crc32 = m->crc32};
    if (storage->name == NULL) {
        return mb_fail_memory(err, strlen(m->name), "a list of storages");
    }
    s->n_storages++;
    return MB_OK;
}
