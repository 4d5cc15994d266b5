/* PyTorch checkpoints (torch >= 1.6): a zip with ARCHIVE/data.pkl, the pickled state dict, and ARCHIVE/data/KEY, the
 * bytes of each storage. Tensors are views of storages (offset, sizes, strides), which several may share. The layout
 * is that of torch/csrc's PyTorchStreamWriter: one folder for all members, data.pkl, byteorder (since 2.1), version,
 * and the storages stored without compression and padded to 64 bytes, so that they can be used where they are mapped.
 * Archives that people packed again have deflated members; those are unpacked, and only for tensors of the model. */
#include "source_internal.h"

#include "pickle.h"
#include "zip.h"

#include "core/alloc.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_PICKLE   ((size_t)64 << 20)  /* a published BiRefNet's has 100 KB */
#define MAX_DEPTH    16                  /* of dicts in dicts */
#define MAX_REPEATED ((uint64_t)1 << 30) /* elements in all */
#define MAX_UNPACKED ((uint64_t)1 << 30) /* of compressed storages, and 16 times the file: weights hardly shrink */

/* Member names are compared by their end, because the folder has the name the file was saved under, and people rename
 * files. */
static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The member "data.pkl" and the folder that it lies in (with its slash). Two of them would leave the choice to the
 * reader, and another program could choose otherwise. TorchScript archives have a data.pkl too, but theirs describes a
 * program; they are told by constants.pkl and code/. */
static mb_status find_pickle(const zip_archive *z, const zip_member **found, size_t *prefix, mb_error *err)
{
    *found = NULL;
    for (size_t i = 0; i < z->n_members; i++) {
        const char *name = z->members[i].name;
        if (ends_with(name, "/constants.pkl") || strstr(name, "/code/") != NULL) {
            return mb_fail(err, MB_E_UNSUPPORTED,
                           "a TorchScript archive (torch.jit.save): it holds a program\n"
                           "save its weights alone: torch.save(torch.jit.load('FILE').state_dict(), 'weights.pth')");
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

/* Little-endian, or not said (before torch 2.1). Values of the other order would be read as noise without any error,
 * so an unknown word is refused too. */
static mb_status check_byte_order(const zip_archive *z, const char *folder, size_t prefix, mb_error *err)
{
    char name[1100], shown[40];
    uint8_t *text = NULL;
    /* The name of the pickle is at most 1024 bytes long (zip.c), so the folder fits. */
    (void)snprintf(name, sizeof name, "%.*sbyteorder", (int)prefix, folder);
    const zip_member *m = zip_find(z, name);
    if (m == NULL) {
        return MB_OK;
    }
    mb_status status = zip_extract(m, 64, &text, err);
    if (status != MB_OK) {
        return status;
    }
    if (m->bytes == 3 && memcmp(text, "big", 3) == 0) {
        status = mb_fail(err, MB_E_UNSUPPORTED,
                         "it was written on a big-endian machine\nsave it again on a little-endian one");
    } else if (m->bytes != 6 || memcmp(text, "little", 6) != 0) {
        status = mb_fail(err, MB_E_UNSUPPORTED, "its byteorder is \"%s\", which is not known",
                         mb_printable(shown, sizeof shown, (const char *)text, m->bytes));
    }
    mb_free(text);
    return status;
}

/* ---- tensors */

typedef struct reader {
    source *s;   /* gets the tensors */
    size_t file; /* number of the archive in the source */
    const zip_archive *z;
    const char *folder; /* its first `prefix` bytes are the archive's folder */
    size_t prefix;
    size_t *storages; /* by member: index + 1 in the source; 0: not noted yet */
    char path[513];   /* keys down to the current value, each with a closing dot */
    mb_error *err;
} reader;

static mb_status bad_tensor(mb_error *err, const char *name, const char *what)
{
    char shown[160];
    return mb_fail(err, MB_E_FORMAT, "tensor %s: %s", mb_printable(shown, sizeof shown, name, strlen(name)), what);
}

/* Elements of the tensor, and whether the view stays within `available` elements. Fills t->count and t->contiguous.
 * The last element of a view lies at offset + sum((dim - 1) * stride); every product is checked, because a file may
 * claim strides of 2^62. A dimension of 1 may have any stride, as torch leaves it undefined there. A view without
 * elements reaches nowhere. */
static bool measure_view(source_tensor *t, int64_t offset, uint64_t available)
{
    size_t count = 1;
    int64_t last = offset, row = 1;
    bool empty;
    t->contiguous = true;
    if (!mb_mul_dims(&count, &empty, t->dims, t->rank)) {
        return false;
    }
    /* From the innermost dimension out: `row` is the stride that a row-major tensor would have there. */
    for (int i = t->rank - 1; i >= 0; i--) {
        int64_t reach;
        t->contiguous = t->contiguous && (t->dims[i] == 1 || t->strides[i] == row);
        if (t->dims[i] > 0 &&
            (__builtin_mul_overflow(t->dims[i] - 1, t->strides[i], &reach) ||
             __builtin_add_overflow(last, reach, &last) || __builtin_mul_overflow(row, t->dims[i], &row))) {
            return false;
        }
    }
    t->count = empty ? 0 : count;
    return empty || (uint64_t)last < available;
}

/* The number (index + 1) of the storage in the source, noted at its first use: tied weights and views share one. The
 * name is copied, since the archive's directory does not outlive the reading; the data stay in the mapped file. */
static mb_status note_storage(reader *r, const zip_member *m, size_t *index)
{
    source *s = r->s;
    const size_t member = (size_t)(m - r->z->members);
    if (r->storages[member] != 0) {
        *index = r->storages[member];
        return MB_OK;
    }
    if (s->n_storages == s->storage_capacity) {
        size_t capacity = s->storage_capacity == 0 ? 256 : s->storage_capacity * 2;
        source_storage *p = mb_realloc_array(s->storages, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(r->err, capacity * sizeof *p, "a list of storages");
        }
        s->storages = p;
        s->storage_capacity = capacity;
    }
    source_storage *storage = &s->storages[s->n_storages];
    *storage = (source_storage){.member = *m, .file = r->file};
    storage->member.name = mb_strdup(m->name);
    if (storage->member.name == NULL) {
        return mb_fail_memory(r->err, strlen(m->name), "a list of storages");
    }
    *index = r->storages[member] = ++s->n_storages;
    return MB_OK;
}

/* A stride of 0 (torch's expand) makes many elements of few: sound, but bounded, or a small file could claim terabytes.
 */
static mb_status count_repeated(reader *r, const char *name, const source_tensor *t, uint64_t available)
{
    r->s->n_repeated += t->count > available ? t->count : 0;
    return r->s->n_repeated <= MAX_REPEATED
               ? MB_OK
               : bad_tensor(r->err, name, "its strides of 0 make more values than any checkpoint has use for");
}

/* Ties a tensor to its storage. The storage that the pickle claims must fit into the member, and the view into that
 * storage. t->at is in bytes, p->offset in elements. */
static mb_status add_values(reader *r, const char *name, source_tensor *t, const pickle_tensor *p)
{
    char member[1400];
    int n = snprintf(member, sizeof member, "%.*sdata/%.*s", (int)r->prefix, r->folder, (int)p->key_bytes, p->key);
    const zip_member *m = n > 0 && (size_t)n < sizeof member ? zip_find(r->z, member) : NULL;
    const size_t size = mb_st_dtype_size(t->dtype);
    const uint64_t available = p->storage_bytes / size;
    if (m == NULL) {
        return bad_tensor(r->err, name, "its storage is not in the file");
    }
    if (p->storage_bytes > m->bytes) {
        return bad_tensor(r->err, name, "its storage is shorter than it says");
    }
    memcpy(t->strides, p->strides, sizeof t->strides);
    if ((uint64_t)p->offset > available || !measure_view(t, p->offset, available)) {
        return bad_tensor(r->err, name, "it reaches beyond its storage");
    }
    t->at = (size_t)p->offset * size;
    mb_status status = count_repeated(r, name, t, available);
    return status != MB_OK ? status : note_storage(r, m, &t->storage);
}

/* Tensors whose values are not read are listed all the same: what they are is said when the model needs them. The name
 * is the path of keys, and key_bytes of it lead to the dict that holds the tensor. */
static mb_status add_tensor(reader *r, const char *name, size_t key_bytes, const pickle_tensor *p)
{
    source_tensor t = {.dtype = (mb_st_dtype)p->type,
                       .unread = p->unread,
                       .negated = p->negated,
                       .rank = p->rank,
                       .key_bytes = key_bytes,
                       .contiguous = true};
    memcpy(t.dims, p->dims, sizeof t.dims);
    mb_status status = p->unread == NULL ? add_values(r, name, &t, p) : MB_OK;
    if (status != MB_OK) {
        return status;
    }
    status = source_add_tensor(r->s, name, &t, r->err);
    return status;
}

/* ---- the tree of dicts */

/* Writes a key behind the path. 0: it is no name, or too long. Integers are keys in optimiser states, and items of
 * lists get their index. The result is the new length of the path, without a dot behind it. */
static size_t append_key(reader *r, size_t n, const pickle_value *key, size_t item)
{
    char number[24];
    const char *text = number;
    int64_t v = key != NULL && key->kind == PICKLE_INT ? key->u.integer : (int64_t)item;
    size_t length = (size_t)snprintf(number, sizeof number, "%" PRId64, v);
    if (key != NULL && key->kind == PICKLE_BYTES) {
        text = key->u.s.text;
        length = key->u.s.bytes;
        if (!mb_is_name(text, length, sizeof r->path)) {
            return 0;
        }
    } else if (key != NULL && key->kind != PICKLE_INT) {
        return 0;
    }
    if (n + length + 2 > sizeof r->path) {
        return 0;
    }
    memcpy(r->path + n, text, length);
    r->path[n + length] = '\0';
    return n + length;
}

static mb_status walk(reader *r, pickle_value *v, size_t n, int depth);

/* One value of a dict or list whose own keys take n bytes of the path. A name that is no name (control characters, too
 * long) is skipped and not an error: it stands in some training loop's own notes. */
static mb_status walk_item(reader *r, pickle_value *value, const pickle_value *key, size_t item, size_t n, int depth)
{
    const bool tensor = value->kind == PICKLE_TENSOR;
    if (!tensor && value->kind != PICKLE_DICT && value->kind != PICKLE_TUPLE && value->kind != PICKLE_OPAQUE) {
        return MB_OK; /* counters and notes of the training */
    }
    size_t end = append_key(r, n, key, item);
    if (end == 0) {
        return MB_OK; /* no known network has a tensor of such a name */
    }
    if (tensor) {
        return add_tensor(r, r->path, n, value->u.tensor);
    }
    /* The closing zero of append_key gives way to the dot; the next key writes its own. */
    r->path[end] = '.';
    return walk(r, value, end + 1, depth + 1);
}

/* Every dict, list and object once: they may hold each other, and themselves. Without that rule a dict that holds
 * itself would never end, and a few dicts that hold each other twice would take exponential time. `n` is the length of
 * r->path that belongs to v. */
static mb_status walk(reader *r, pickle_value *v, size_t n, int depth)
{
    mb_status status = MB_OK;
    if (v->seen || depth > MAX_DEPTH) {
        return MB_OK;
    }
    v->seen = true;
    for (size_t i = 0; i < v->u.list.n && status == MB_OK; i++) {
        pickle_value *item = v->u.list.items[i];
        if (v->kind == PICKLE_OPAQUE) { /* its attributes: a dict, or a pair of them */
            bool holds = item->kind == PICKLE_DICT || item->kind == PICKLE_TUPLE;
            status = holds ? walk(r, item, n, depth + 1) : MB_OK;
        } else if (v->kind == PICKLE_DICT) {
            i++;
            status = i < v->u.list.n ? walk_item(r, v->u.list.items[i], item, i, n, depth) : MB_OK;
        } else {
            status = walk_item(r, item, NULL, i, n, depth);
        }
    }
    return status;
}

/* "epoch, model, optimizer": the outermost keys, for messages. */
static void list_keys(source *s, const pickle_value *root)
{
    size_t at = strlen(s->keys);
    for (size_t i = 0; root->kind == PICKLE_DICT && i < root->u.list.n; i += 2) {
        const pickle_value *key = root->u.list.items[i];
        char shown[60];
        if (key->kind != PICKLE_BYTES || at + sizeof shown + 8 > sizeof s->keys) {
            continue;
        }
        (void)mb_printable(shown, sizeof shown, key->u.s.text, key->u.s.bytes);
        at += (size_t)snprintf(s->keys + at, sizeof s->keys - at, "%s%s", at > 0 ? ", " : "", shown);
    }
}

/* A dict of dicts, as training loops write; in a bare state dict the keys are the tensors' names. */
static bool is_nested(const pickle_value *root)
{
    size_t tensors = 0, dicts = 0;
    for (size_t i = 1; root->kind == PICKLE_DICT && i < root->u.list.n; i += 2) {
        tensors += root->u.list.items[i]->kind == PICKLE_TENSOR;
        dicts += root->u.list.items[i]->kind == PICKLE_DICT;
    }
    return tensors == 0 || (dicts > 0 && tensors <= 16);
}

/* The root may be a dict, a list, or an object that holds either. A single tensor is what torch.save(x) writes, and
 * not a model. */
static mb_status add_tensors(reader *r, const pickle *p)
{
    pickle_value *root = p->root;
    if (root->kind == PICKLE_TENSOR) {
        return mb_fail(r->err, MB_E_FORMAT, "a single tensor, not a state dict");
    }
    if (root->kind != PICKLE_DICT && root->kind != PICKLE_TUPLE && root->kind != PICKLE_OPAQUE) {
        return mb_fail(r->err, MB_E_FORMAT, "a PyTorch file without a state dict");
    }
    if (is_nested(root)) {
        list_keys(r->s, root);
    }
    return walk(r, root, 0, 0);
}

/* Reads one archive into the source. The pickle, its text and the directory are dropped at the end; tensors keep the
 * numbers of their storages and get their data in source_load, when it is known which of them the model needs. */
mb_status source_read_torch(source *s, size_t file, mb_error *err)
{
    zip_archive z = {0};
    pickle p = {0};
    uint8_t *text = NULL;
    const zip_member *m;
    reader *r = NULL;
    size_t prefix = 0;
    mb_status status;
    MB_TRY(zip_open(&z, s->files[file].map.data, s->files[file].map.bytes, err));
    MB_TRY(find_pickle(&z, &m, &prefix, err));
    MB_TRY(check_byte_order(&z, m->name, prefix, err));
    MB_TRY(zip_extract(m, MAX_PICKLE, &text, err));
    MB_TRY(pickle_read(&p, text, m->bytes, err));
    r = mb_calloc(1, sizeof *r);
    size_t *storages = mb_calloc(z.n_members, sizeof storages[0]);
    if (r == NULL || storages == NULL) {
        mb_free(storages);
        status = mb_fail_memory(err, sizeof *r + z.n_members * sizeof storages[0], "a list of storages");
        goto done;
    }
    *r = (reader){.s = s, .file = file, .z = &z, .folder = m->name, .prefix = prefix, .storages = storages, .err = err};
    s->no_checksums = s->no_checksums || z.no_checksums;
    status = add_tensors(r, &p);
    mb_free(storages);
done:
    mb_free(r);
    pickle_dispose(&p);
    mb_free(text);
    zip_dispose(&z);
    return status;
}

/* Unpacks a deflated storage once, whoever shares it. *unpacked sums the bytes over all of them: a few megabytes of
 * zip could otherwise fill any memory. */
static mb_status load_storage(source *s, source_storage *storage, uint64_t *unpacked, mb_error *err)
{
    const zip_member *m = &storage->member;
    const uint64_t most = MAX_UNPACKED + 16 * (uint64_t)source_file_bytes(s);
    if (!m->deflated || storage->unpacked != NULL) {
        return MB_OK;
    }
    *unpacked += m->bytes;
    mb_status status = *unpacked <= most ? zip_extract(m, m->bytes, &storage->unpacked, err)
                                         : mb_fail(err, MB_E_FORMAT,
                                                   "its compressed tensors unpack to more than %.1f GB\n"
                                                   "unpack the archive and pack it again without compression (zip -0)",
                                                   (double)most * 1e-9);
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", s->files[storage->file].path);
    }
    return status;
}

/* Sets `data` of the model's tensors. Tensors beside it stay without, so an optimiser state in a packed archive costs
 * nothing. */
mb_status source_load(source *s, mb_error *err)
{
    uint64_t unpacked = 0;
    mb_status status = MB_OK;
    for (size_t i = 0; i < s->n_tensors && status == MB_OK; i++) {
        source_tensor *t = &s->tensors[i];
        if (t->storage == 0) {
            continue;
        }
        source_storage *storage = &s->storages[t->storage - 1];
        storage->used = true;
        status = load_storage(s, storage, &unpacked, err);
        const uint8_t *data = storage->unpacked != NULL ? storage->unpacked : storage->member.data;
        t->data = data + t->at;
    }
    return status;
}

/* Compares the CRC-32 of the stored members that the model uses. Opening does not do it, since inspect should be quick
 * on files of gigabytes. */
mb_status source_check_data(source *s, mb_error *err)
{
    for (size_t i = 0; i < s->n_storages; i++) {
        const source_storage *storage = &s->storages[i];
        if (!storage->used || storage->unpacked != NULL) { /* not of the model, or compared when it was unpacked */
            continue;
        }
        mb_status status = zip_check_crc(&storage->member, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", s->files[storage->file].path);
            return status;
        }
    }
    return MB_OK;
}
