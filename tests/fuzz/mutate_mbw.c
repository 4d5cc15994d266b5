/* Mutations of model files. The file is taken apart as far as it makes sense; tensors and metadata are added, copied,
 * swapped, renamed and reshaped; it is put together again, mostly by the rules, with a field or two at the edge of what it
 * can hold. Checksums come last and are mostly right: otherwise no input would get past the first check. */
#include "core/hash.h"
#include "fuzz.h"
#include "weights/format.h"

#include <string.h>

#define MAX_PARTS 40
#define MAX_RANK  6

typedef struct text {
    char v[160];
    size_t n;
} text;

typedef struct tensor {
    text name;
    uint8_t dtype, rank;
    uint64_t dims[MAX_RANK];
    const uint8_t *data;
    size_t bytes;
} tensor;

typedef struct model {
    text keys[MAX_PARTS], values[MAX_PARTS];
    size_t n_meta;
    tensor tensors[MAX_PARTS];
    size_t n_tensors;
} model;

static void set_text(text *t, const void *bytes, size_t n)
{
    t->n = n < sizeof t->v ? n : sizeof t->v;
    memcpy(t->v, bytes, t->n);
}

/* ---- taking apart: as much as there is, in any state */

static void read_meta(model *m, const uint8_t *p, size_t n)
{
    mb_file_pair pair;
    for (size_t at = 0; m->n_meta < MAX_PARTS && n - at >= sizeof pair; m->n_meta++) {
        memcpy(&pair, p + at, sizeof pair);
        const uint64_t need = (uint64_t)pair.key_bytes + pair.value_bytes + 2;
        at += sizeof pair;
        if (need > n - at) {
            return;
        }
        set_text(&m->keys[m->n_meta], p + at, pair.key_bytes);
        set_text(&m->values[m->n_meta], p + at + pair.key_bytes + 1, pair.value_bytes);
        at += (size_t)need;
    }
}

static void read_table(model *m, const uint8_t *p, size_t n, size_t at, uint32_t count)
{
    mb_file_entry e;
    while (m->n_tensors < MAX_PARTS && m->n_tensors < count && at <= n && n - at >= sizeof e) {
        tensor *t = &m->tensors[m->n_tensors];
        memcpy(&e, p + at, sizeof e);
        size_t rank = e.rank <= MAX_RANK ? e.rank : MAX_RANK, length = sizeof e + rank * 8 + e.name_bytes;
        if (length > n - at) {
            return;
        }
        *t = (tensor){.dtype = e.dtype, .rank = (uint8_t)rank};
        memcpy(t->dims, p + at + sizeof e, rank * 8);
        set_text(&t->name, p + at + sizeof e + rank * 8, e.name_bytes);
        if (e.offset <= n && e.bytes <= n - e.offset) {
            t->data = p + e.offset;
            t->bytes = (size_t)e.bytes;
        }
        at += (length + 8) / 8 * 8;
        m->n_tensors++;
    }
}

static void take_apart(model *m, const uint8_t *p, size_t n)
{
    mb_file_header h;
    m->n_meta = m->n_tensors = 0;
    if (n < sizeof h) {
        return;
    }
    memcpy(&h, p, sizeof h);
    read_meta(m, p + sizeof h, h.meta_bytes <= n - sizeof h ? (size_t)h.meta_bytes : 0);
    read_table(m, p, n, h.table_offset <= n ? (size_t)h.table_offset : n, h.n_tensors);
}

/* ---- changes */

static void change_text(text *t, fuzz_random *r)
{
    static const char *const words[] = {"a", "net.weight", "a.b.c", "\xc3\xa4", "0", "source.sha256", "arch", "\x7f"};
    if (fuzz_one_in(r, 3)) {
        const char *w = words[fuzz_below(r, sizeof words / sizeof words[0])];
        set_text(t, w, strlen(w));
    } else {
        t->n = LLVMFuzzerMutate((uint8_t *)t->v, t->n, sizeof t->v);
    }
}

static void change_tensor(tensor *t, fuzz_random *r)
{
    static const uint64_t sizes[] = {0, 1, 2, 3, 4, 7, 16, 64};
    size_t k = fuzz_below(r, MAX_RANK);
    switch (fuzz_below(r, 5)) {
    case 0:
        t->dtype = (uint8_t)fuzz_below(r, fuzz_one_in(r, 8) ? 256 : 4);
        break;
    case 1:
        t->rank = (uint8_t)fuzz_below(r, MAX_RANK + 1);
        break;
    case 2:
        t->dims[k] = sizes[fuzz_below(r, 8)];
        break;
    case 3:
        t->dims[k] = fuzz_one_in(r, 4) ? fuzz_edge(r, t->dims[k]) : t->dims[k] + 1;
        break;
    default:
        change_text(&t->name, r);
        break;
    }
}

static void change_meta(model *m, fuzz_random *r)
{
    size_t i = fuzz_below(r, m->n_meta), j = fuzz_below(r, m->n_meta);
    if (m->n_meta == 0 || (m->n_meta < MAX_PARTS && fuzz_one_in(r, 4))) {
        j = m->n_meta++;
        set_text(&m->keys[j], m->keys[i].v, m->n_meta > 1 ? m->keys[i].n : 0);
        set_text(&m->values[j], m->values[i].v, m->n_meta > 1 ? m->values[i].n : 0);
        change_text(&m->keys[j], r);
    } else if (fuzz_one_in(r, 4)) {
        m->n_meta--;
        m->keys[i] = m->keys[m->n_meta];
        m->values[i] = m->values[m->n_meta];
    } else {
        change_text(fuzz_one_in(r, 2) ? &m->keys[i] : &m->values[i], r);
    }
}

static void change_table(model *m, fuzz_random *r)
{
    size_t i = fuzz_below(r, m->n_tensors), j = fuzz_below(r, m->n_tensors);
    if (m->n_tensors == 0) {
        m->tensors[m->n_tensors++] = (tensor){.rank = 1, .dims = {2}, .name = {"w", 1}};
        return;
    }
    const tensor copy = m->tensors[i];
    switch (fuzz_below(r, 5)) {
    case 0:
        m->tensors[i] = m->tensors[j];
        m->tensors[j] = copy;
        break;
    case 1:
        if (m->n_tensors < MAX_PARTS) {
            m->tensors[m->n_tensors] = copy;
            change_text(&m->tensors[m->n_tensors++].name, r);
        }
        break;
    case 2:
        m->tensors[i] = m->tensors[--m->n_tensors];
        break;
    default:
        change_tensor(&m->tensors[i], r);
        break;
    }
}

/* ---- putting together */

/* Keys sorted, as the format wants them; insertion sort of a few. */
static void sort_meta(model *m)
{
    for (size_t i = 1; i < m->n_meta; i++) {
        for (size_t j = i; j > 0; j--) {
            const text *a = &m->keys[j - 1], *b = &m->keys[j];
            int order = memcmp(a->v, b->v, a->n < b->n ? a->n : b->n);
            if (order < 0 || (order == 0 && a->n <= b->n)) {
                break;
            }
            const text key = *a, value = m->values[j - 1];
            m->keys[j - 1] = *b;
            m->keys[j] = key;
            m->values[j - 1] = m->values[j];
            m->values[j] = value;
        }
    }
}

static size_t data_bytes(const tensor *t)
{
    static const size_t sizes[] = {4, 2, 2, 8};
    size_t bytes = sizes[t->dtype % 4];
    for (int i = 0; i < t->rank; i++) {
        if (t->dims[i] > 4096 || bytes > 1 << 20) {
            return SIZE_MAX; /* what cannot be built */
        }
        bytes *= (size_t)t->dims[i];
    }
    return bytes;
}

static size_t align(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Copies while there is room; the place moves on in any case, so that what did not fit is seen. */
static void put(uint8_t *out, size_t capacity, size_t *at, const void *bytes, size_t n)
{
    if (*at <= capacity && n <= capacity - *at && n > 0) {
        memcpy(out + *at, bytes, n);
    }
    *at += n;
}

/* Bytes written; 0: it does not fit. */
static size_t put_together(uint8_t *out, size_t capacity, const model *m)
{
    mb_file_header h = {.magic = MB_FILE_MAGIC, .version = 1, .byte_order = MB_FILE_BYTE_ORDER};
    mb_file_entry entries[MAX_PARTS];
    size_t at = sizeof h, table = 0;
    memset(out, 0, capacity);
    for (size_t i = 0; i < m->n_meta; i++) {
        const mb_file_pair p = {(uint32_t)m->keys[i].n, (uint32_t)m->values[i].n};
        put(out, capacity, &at, &p, sizeof p);
        put(out, capacity, &at, m->keys[i].v, m->keys[i].n);
        put(out, capacity, &at, "", 1);
        put(out, capacity, &at, m->values[i].v, m->values[i].n);
        put(out, capacity, &at, "", 1);
    }
    h.meta_bytes = at - sizeof h;
    h.table_offset = align(at, 8);
    h.n_tensors = (uint32_t)m->n_tensors;
    for (size_t i = 0; i < m->n_tensors; i++) {
        table += align(sizeof entries[0] + 8u * m->tensors[i].rank + m->tensors[i].name.n + 1, 8);
    }
    h.data_offset = align(h.table_offset + table, 64);
    at = (size_t)h.data_offset;
    for (size_t i = 0; i < m->n_tensors; i++) {
        const tensor *t = &m->tensors[i];
        const size_t n = data_bytes(t) < capacity ? data_bytes(t) : t->bytes;
        at = align(at, 64);
        entries[i] = (mb_file_entry){
            .offset = at, .bytes = n, .name_bytes = (uint16_t)t->name.n, .dtype = t->dtype, .rank = t->rank};
        if (at > capacity || n > capacity - at) {
            return 0;
        }
        if (t->data != NULL) {
            memcpy(out + at, t->data, n < t->bytes ? n : t->bytes);
        }
        entries[i].checksum = mb_hash64(out + at, n);
        at += n;
    }
    h.file_bytes = at;
    size_t entry = (size_t)h.table_offset;
    for (size_t i = 0; i < m->n_tensors; i++) {
        put(out, capacity, &entry, &entries[i], sizeof entries[i]);
        put(out, capacity, &entry, m->tensors[i].dims, 8u * m->tensors[i].rank);
        put(out, capacity, &entry, m->tensors[i].name.v, m->tensors[i].name.n);
        entry = align(entry + 1, 8);
    }
    memcpy(out, &h, sizeof h);
    return at <= capacity ? at : 0;
}

/* ---- fields at their edges, and the checksums */

static void change_field(uint8_t *p, size_t n, fuzz_random *r)
{
    mb_file_header h;
    memcpy(&h, p, sizeof h);
    size_t from = fuzz_one_in(r, 2) ? 0 : (size_t)h.table_offset, end = h.data_offset < n ? (size_t)h.data_offset : n;
    size_t width = (size_t)1 << fuzz_below(r, 4);
    if (from >= end) {
        return;
    }
    size_t at = from + fuzz_below(r, end - from) / width * width;
    if (at + width > n) {
        return;
    }
    uint64_t value = 0;
    memcpy(&value, p + at, width);
    value = fuzz_edge(r, value);
    memcpy(p + at, &value, width);
}

static void repair(uint8_t *p, size_t n, fuzz_random *r)
{
    mb_file_header h;
    memcpy(&h, p, sizeof h);
    h.file_bytes = fuzz_one_in(r, 16) ? h.file_bytes : n;
    h.digest = 0;
    memcpy(p, &h, sizeof h);
    h.digest = h.data_offset <= n && h.data_offset >= sizeof h ? mb_hash64(p, (size_t)h.data_offset) : 0;
    h.digest ^= fuzz_one_in(r, 64);
    memcpy(p, &h, sizeof h);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    static uint8_t out[1 << 16];
    static model m;
    fuzz_random r = {seed};
    const size_t room = capacity < sizeof out ? capacity : sizeof out;
    if (n > room || room < 256) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    size_t made = 0;
    if (!fuzz_one_in(&r, 4)) {
        take_apart(&m, bytes, n);
        for (size_t k = 1 + fuzz_below(&r, 3); k > 0; k--) {
            if (fuzz_one_in(&r, 3)) {
                change_meta(&m, &r);
            } else {
                change_table(&m, &r);
            }
        }
        if (!fuzz_one_in(&r, 16)) {
            sort_meta(&m);
        }
        made = put_together(out, room, &m);
    }
    if (made == 0) {
        memcpy(out, bytes, n);
        made = LLVMFuzzerMutate(out, n, room);
    }
    if (made >= sizeof(mb_file_header)) {
        for (size_t k = fuzz_one_in(&r, 2) ? 1 + fuzz_below(&r, 2) : 0; k > 0; k--) {
            change_field(out, made, &r);
        }
        repair(out, made, &r);
    }
    memcpy(bytes, out, made);
    return made;
}
