/* Mutations of zip archives as torch.save writes them. The archive is taken apart into members; members and their
 * contents are changed; it is put together again, mostly by the rules (stored or deflated, with or without ZIP64 records
 * and data descriptors), then fields of local headers, directory and end records are set to edges, each apart. Checksums
 * are made of the contents. */
#include "pickle_ops.h"

#include <string.h>
#include <zlib.h>

#define MAX_MEMBERS 12
#define ROOM        32768

typedef struct member {
    char name[64];
    size_t n_name;
    uint8_t data[4096];
    size_t n;
    bool deflate, streams; /* streams: sizes in a data descriptor */
} member;

typedef struct archive {
    member m[MAX_MEMBERS];
    size_t n;
    bool zip64;
    size_t comment;
} archive;

typedef struct writer {
    uint8_t *v;
    size_t n, room;
} writer;

static uint32_t get(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) {
        v |= (uint32_t)p[i] << (8 * i);
    }
    return v;
}

static void put(writer *w, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes && w->n < w->room; i++) {
        w->v[w->n++] = (uint8_t)(i < 8 ? value >> (8 * i) : 0);
    }
}

static void put_bytes(writer *w, const void *bytes, size_t n)
{
    if (n > 0 && n <= w->room - w->n) {
        memcpy(w->v + w->n, bytes, n);
        w->n += n;
    }
}

/* ---- taking apart: along the local headers, which is where a writer begins */

/* One stream for all, as in pack. */
static size_t unpack(uint8_t *out, size_t room, const uint8_t *packed, size_t n)
{
    static z_stream s;
    if (s.state == NULL && inflateInit2(&s, -MAX_WBITS) != Z_OK) {
        return 0;
    }
    s.next_in = (Bytef *)(uintptr_t)packed;
    s.avail_in = (uInt)n;
    s.next_out = out;
    s.avail_out = (uInt)room;
    (void)inflate(&s, Z_FINISH);
    (void)inflateReset(&s);
    return room - s.avail_out;
}

static void take_member(archive *a, const uint8_t *p, size_t rest)
{
    member *m = &a->m[a->n];
    const size_t name = get(p + 26, 2), head = 30 + name + get(p + 28, 2);
    size_t packed = get(p + 18, 4);
    if (head > rest || name > sizeof m->name) {
        return;
    }
    m->n = 0;
    m->n_name = name;
    m->deflate = get(p + 8, 2) == 8;
    m->streams = (get(p + 6, 2) & 8) != 0;
    memcpy(m->name, p + 30, name);
    packed = packed < rest - head ? packed : rest - head;
    if (m->deflate) {
        m->n = unpack(m->data, sizeof m->data, p + head, rest - head);
    } else {
        m->n = packed < sizeof m->data ? packed : sizeof m->data;
        memcpy(m->data, p + head, m->n);
    }
    a->n++;
}

static void take_apart(archive *a, const uint8_t *p, size_t n)
{
    a->n = 0;
    a->zip64 = false;
    for (size_t at = 0; at + 30 <= n && a->n < MAX_MEMBERS; at++) {
        if (p[at] != 'P' || p[at + 1] != 'K') { /* all records begin so */
            continue;
        }
        if (get(p + at, 4) == 0x04034b50) {
            take_member(a, p + at, n - at);
        }
        a->zip64 = a->zip64 || get(p + at, 4) == 0x06064b50;
    }
    a->comment = 0;
}

/* ---- changes */

static void change_name(member *m, fuzz_random *r)
{
    static const char *const names[] = {"a/data.pkl", "a/data/0", "a/data/1", "a/byteorder", "a/version",
                                        "data.pkl",   "../x",     "/x",       "a\\b",        "a/code/x.py"};
    if (fuzz_one_in(r, 2)) {
        const char *name = names[fuzz_below(r, sizeof names / sizeof names[0])];
        m->n_name = strlen(name);
        memcpy(m->name, name, m->n_name);
    } else {
        m->n_name = LLVMFuzzerMutate((uint8_t *)m->name, m->n_name, sizeof m->name);
    }
}

static void change(archive *a, fuzz_random *r)
{
    const size_t i = fuzz_below(r, a->n);
    if (a->n == 0) {
        a->m[a->n++] = (member){.name = "a/data.pkl", .n_name = 10, .data = "\x80\2}.", .n = 4};
        return;
    }
    member *m = &a->m[i];
    switch (fuzz_below(r, 9)) {
    case 0:
        change_name(m, r);
        break;
    case 1:
        m->deflate = !m->deflate;
        break;
    case 2:
        m->streams = !m->streams;
        break;
    case 3:
        a->m[i] = a->m[--a->n];
        break;
    case 4:
        if (a->n < MAX_MEMBERS) {
            a->m[a->n] = *m;
            change_name(&a->m[a->n++], r);
        }
        break;
    case 5:
        a->zip64 = !a->zip64;
        break;
    case 6:
        a->comment = fuzz_below(r, 40);
        break;
    default:
        m->n = m->n > 2 && m->data[0] == 0x80 ? fuzz_mutate_pickle(m->data, m->n, sizeof m->data, r)
                                              : LLVMFuzzerMutate(m->data, m->n, sizeof m->data);
        break;
    }
}

/* ---- putting together */

typedef struct placed {
    size_t offset, packed;
    uint32_t crc;
} placed;

/* One header's fields from the version on, as local and central header share them. */
static void put_fields(writer *w, const member *m, const placed *p, bool sizes)
{
    put(w, 20, 2);
    put(w, m->streams ? 8 : 0, 2);
    put(w, m->deflate ? 8 : 0, 2);
    put(w, 0, 4);
    put(w, sizes ? p->crc : 0, 4);
    put(w, sizes ? p->packed : 0, 4);
    put(w, sizes ? m->n : 0, 4);
    put(w, m->n_name, 2);
}

/* One stream for all: to begin one costs more than everything else here. */
static size_t pack(uint8_t *out, size_t room, const member *m)
{
    static z_stream s;
    if (s.state == NULL && deflateInit2(&s, 1, Z_DEFLATED, -9, 1, Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    s.next_in = (Bytef *)(uintptr_t)m->data;
    s.avail_in = (uInt)m->n;
    s.next_out = out;
    s.avail_out = (uInt)room;
    (void)deflate(&s, Z_FINISH);
    (void)deflateReset(&s);
    return room - s.avail_out;
}

static void put_member(writer *w, const member *m, placed *p)
{
    static uint8_t packed[8192];
    const uint8_t *data = m->data;
    *p = (placed){w->n, m->n, (uint32_t)crc32(0, m->data, (uInt)m->n)};
    if (m->deflate) {
        p->packed = pack(packed, sizeof packed, m);
        data = packed;
    }
    put(w, 0x04034b50, 4);
    put_fields(w, m, p, !m->streams);
    put(w, 0, 2);
    put_bytes(w, m->name, m->n_name);
    put_bytes(w, data, p->packed);
    if (m->streams) {
        put(w, 0x08074b50, 4);
        put(w, p->crc, 4);
        put(w, p->packed, 4);
        put(w, m->n, 4);
    }
}

static size_t put_together(uint8_t *out, size_t room, const archive *a)
{
    writer w = {out, 0, room};
    placed places[MAX_MEMBERS];
    for (size_t i = 0; i < a->n; i++) {
        put_member(&w, &a->m[i], &places[i]);
    }
    const size_t directory = w.n;
    for (size_t i = 0; i < a->n; i++) {
        put(&w, 0x02014b50, 4);
        put(&w, 20, 2);
        put_fields(&w, &a->m[i], &places[i], true);
        put(&w, 0, 12);
        put(&w, places[i].offset, 4);
        put_bytes(&w, a->m[i].name, a->m[i].n_name);
    }
    const size_t end = w.n;
    if (a->zip64) {
        put(&w, 0x06064b50, 4);
        put(&w, 44, 8);
        put(&w, 0x2d002d, 4);
        put(&w, 0, 8);
        put(&w, a->n, 8);
        put(&w, a->n, 8);
        put(&w, end - directory, 8);
        put(&w, directory, 8);
        put(&w, 0x07064b50, 4);
        put(&w, 0, 4);
        put(&w, end, 8);
        put(&w, 1, 4);
    }
    put(&w, 0x06054b50, 4);
    put(&w, 0, 4);
    put(&w, a->n, 2);
    put(&w, a->n, 2);
    put(&w, end - directory, 4);
    put(&w, directory, 4);
    put(&w, a->comment, 2);
    for (size_t i = 0; i < a->comment; i++) {
        put(&w, ' ', 1);
    }
    return w.n < room ? w.n : 0;
}

/* ---- a field of one of the records to an edge; the others keep what they say */

static void change_record(uint8_t *p, size_t n, fuzz_random *r)
{
    static const uint32_t marks[] = {0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50};
    static const size_t sizes[] = {30, 46, 22, 56, 20};
    const size_t k = fuzz_below(r, 5), start = fuzz_below(r, n);
    for (size_t i = 0; i + sizes[k] <= n; i++) {
        const size_t at = (start + i) % (n - sizes[k] + 1);
        if (p[at] == 'P' && get(p + at, 4) == marks[k]) {
            const size_t width = (size_t)1 << fuzz_below(r, 4), field = 4 + fuzz_below(r, sizes[k] - 4) / 2 * 2;
            uint64_t value = 0;
            if (at + field + width <= n) {
                memcpy(&value, p + at + field, width);
                value = fuzz_edge(r, value);
                memcpy(p + at + field, &value, width);
            }
            return;
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    static uint8_t out[ROOM];
    static archive a;
    fuzz_random r = {seed};
    const size_t room = capacity < ROOM ? capacity : ROOM;
    size_t made = 0;
    if (n > room || room < 128) {
        return LLVMFuzzerMutate(bytes, n, capacity);
    }
    if (!fuzz_one_in(&r, 4)) {
        take_apart(&a, bytes, n);
        for (size_t k = 1 + fuzz_below(&r, 3); k > 0; k--) {
            change(&a, &r);
        }
        made = put_together(out, room, &a);
    }
    if (made == 0) {
        memcpy(out, bytes, n);
        made = n;
        if (fuzz_one_in(&r, 4)) {
            made = LLVMFuzzerMutate(out, n, room);
        }
    }
    for (size_t k = fuzz_below(&r, 3); k > 0 && made > 64; k--) {
        change_record(out, made, &r);
    }
    memcpy(bytes, out, made);
    return made;
}
