/* The zip reader (PKWARE APPNOTE 6.3, sections 4.3 to 4.5), without trust: the end record and its comment must be the
 * last thing in the file, the directory must end where it begins, members must lie apart, and local and central
 * headers must agree. Differences between readers are a known way to smuggle one content past a check and load
 * another; each of these rules removes one such difference. Spanned archives, encryption and other methods than stored
 * and deflate are refused by name. Nothing is copied but the names. */
#include "zip.h"

#include "core/alloc.h"
#include "core/sort.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_MEMBERS      65536u
#define MAX_NAME         1024u
#define MAX_RATIO        1040u /* deflate cannot pack more than 1032 bytes into one: beyond it, the size is a lie */
#define LOCAL_BYTES      30u
#define CENTRAL_BYTES    46u
#define END_BYTES        22u
#define LOCATOR_BYTES    20u
#define END64_BYTES      56u
#define DESCRIPTOR_BYTES 24u /* at most: mark, checksum and two sizes of 8 bytes */

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return (uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32;
}

static mb_status damaged(mb_error *err, const char *what)
{
    return mb_fail(err, MB_E_FORMAT, "the zip archive is damaged: %s", what);
}

/* Names come from the file and are shown without control characters. */
static mb_status bad_member(mb_error *err, const char *name, const char *what)
{
    char shown[160];
    return mb_fail(err, MB_E_FORMAT, "the zip archive's member %s: %s",
                   mb_printable(shown, sizeof shown, name, strlen(name)), what);
}

/* ---- the end records */

/* Place and size of the central directory, in bytes from the start of the file. All of it is as the file says until
 * read_end has checked it. */
typedef struct directory {
    uint64_t count, offset, bytes, end; /* end: where the end records begin */
} directory;

/* A value of the plain record is that of the wide one, or all ones: else a reader of the one sees another archive than a
 * reader of the other. */
static bool agrees(uint64_t plain, uint64_t wide, uint64_t ones)
{
    return plain == wide || plain == ones;
}

/* The ZIP64 end record, when its locator stands before the plain one. Sections 4.3.14 and 4.3.15. torch writes these
 * records for every file, small or not. The record's own size field counts from behind itself, hence the 12; a record
 * with extensible data fits as long as that number agrees. Values of it replace those of the plain record. */
static mb_status read_end64(directory *d, const uint8_t *data, size_t end, mb_error *err)
{
    if (end < LOCATOR_BYTES || get32(data + end - LOCATOR_BYTES) != 0x07064b50) {
        return MB_OK;
    }
    const uint8_t *locator = data + end - LOCATOR_BYTES;
    uint64_t at = get64(locator + 8);
    if (get32(locator + 4) != 0 || get32(locator + 16) != 1 || at > end - LOCATOR_BYTES ||
        end - LOCATOR_BYTES - at < END64_BYTES || get32(data + at) != 0x06064b50) {
        return damaged(err, "its ZIP64 end record is not where it should be");
    }
    const uint8_t *e = data + at;
    if (get64(e + 4) != end - LOCATOR_BYTES - at - 12 || get32(e + 16) != 0 || get32(e + 20) != 0 ||
        get64(e + 24) != get64(e + 32)) {
        return damaged(err, "its ZIP64 end record is malformed");
    }
    const directory wide = {get64(e + 32), get64(e + 48), get64(e + 40), at};
    if (!agrees(d->count, wide.count, 0xFFFFu) || !agrees(d->offset, wide.offset, 0xFFFFFFFFu) ||
        !agrees(d->bytes, wide.bytes, 0xFFFFFFFFu)) {
        return damaged(err, "its two end records name two directories");
    }
    *d = wide;
    return MB_OK;
}

/* The end record: at the very end, or with a comment of up to 65,535 bytes behind it. The one that a reader coming
 * from behind meets first must fit, so that all readers see the same directory. SIZE_MAX: none. torch writes no
 * comment; an archive that was packed again may have one. */
static size_t find_end(const uint8_t *data, size_t bytes)
{
    for (size_t comment = 0; comment <= 0xFFFFu && bytes >= END_BYTES + comment; comment++) {
        const uint8_t *e = data + bytes - END_BYTES - comment;
        if (get32(e) == 0x06054b50) {
            return get16(e + 20) == comment ? (size_t)(e - data) : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

/* Fills the directory from the end records (section 4.3.16). The directory must end exactly where the end records
 * begin: bytes in between could hold a second one. At least 46 bytes for each member bounds the allocation by the
 * file's size. */
static mb_status read_end(directory *d, const uint8_t *data, size_t bytes, mb_error *err)
{
    const size_t end = find_end(data, bytes);
    if (end == SIZE_MAX) {
        return damaged(err, "it does not end with a directory (is it cut short?)");
    }
    const uint8_t *e = data + end;
    if (get16(e + 4) != 0 || get16(e + 6) != 0 || get16(e + 8) != get16(e + 10)) {
        return damaged(err, "it is in several parts");
    }
    *d = (directory){get16(e + 10), get32(e + 16), get32(e + 12), end};
    mb_status status = read_end64(d, data, end, err);
    if (status != MB_OK) {
        return status;
    }
    if (d->count > MAX_MEMBERS || d->offset > d->end || d->bytes != d->end - d->offset ||
        d->count > d->bytes / CENTRAL_BYTES) {
        return damaged(err, "its directory does not lie where its end says");
    }
    return MB_OK;
}

/* ---- members */

/* One header, central or local, as it stands in the file; name and extra field point into it. */
typedef struct entry {
    uint32_t flags, method, crc;    /* method 0: stored, 8: deflated */
    uint64_t packed, bytes, offset; /* offset: of the local header */
    const uint8_t *name, *extra;
    size_t name_bytes, extra_bytes; /* below 65,536 each */
} entry;

/* The ZIP64 extra field: 8-byte values for those of the three that are all ones in the 4-byte field. Section 4.5.3. A
 * local header has no offset, so only the two sizes count there. Other extra fields are skipped by their length: torch
 * pads with one of its own ("FB") so that data begin at multiples of 64. */
static bool read_extra64(entry *e, bool with_offset)
{
    uint64_t *const values[3] = {&e->bytes, &e->packed, &e->offset};
    for (size_t at = 0; e->extra_bytes - at >= 4;) {
        uint32_t id = get16(e->extra + at);
        size_t n = get16(e->extra + at + 2);
        if (n > e->extra_bytes - at - 4) {
            return false;
        }
        const uint8_t *p = e->extra + at + 4, *end = p + n;
        for (int i = 0; id == 1 && i < (with_offset ? 3 : 2); i++) {
            if (*values[i] == 0xFFFFFFFFu) {
                if (end - p < 8) {
                    return false;
                }
                *values[i] = get64(p);
                p += 8;
            }
        }
        at += 4 + n;
    }
    return true;
}

/* Nothing is ever unpacked to the disk under such a name. But a name with "..", a backslash or a control character
 * comes from no checkpoint writer and shows that the archive is made for something else. */
static bool safe_name(const char *name, size_t n)
{
    if (!mb_is_name(name, n, MAX_NAME) || name[0] == '/' || memchr(name, '\\', n) != NULL) {
        return false;
    }
    for (size_t at = 0; at < n;) { /* no component may be ".." */
        const char *slash = memchr(name + at, '/', n - at);
        size_t length = slash != NULL ? (size_t)(slash - name) - at : n - at;
        if (length == 2 && name[at] == '.' && name[at + 1] == '.') {
            return false;
        }
        at += length + 1;
    }
    return true;
}

/* What a header may claim: bits 0 (encrypted), 6 (strong encryption) and 13 (masked headers) are refused, and so is
 * every bit without a meaning for the two methods. A ratio above what deflate can reach is the mark of a zip bomb. */
static mb_status check_entry(const zip_member *m, const entry *e, mb_error *err)
{
    if ((e->flags & 0x2041u) != 0) {
        return bad_member(err, m->name, "is encrypted");
    }
    if ((e->flags & ~0x080eu) != 0) { /* allowed: compression level, data descriptor, UTF-8 */
        return bad_member(err, m->name, "has flags that are not known here");
    }
    if (e->method != 0 && e->method != 8) {
        return bad_member(err, m->name, "is compressed by a method that is not known here");
    }
    if (e->method == 0 ? e->packed != e->bytes : e->bytes / MAX_RATIO > e->packed) {
        return bad_member(err, m->name,
                          e->method == 0 ? "its sizes differ"
                                         : "says that it unpacks to more than compression can hold");
    }
    return MB_OK;
}

/* The local header against the central one. With a data descriptor (flag 8) its sizes may be zero. Then the values
 * follow the data, and only the directory's count. `limit` is where the directory begins: no member may reach into it.
 * On success m->data points behind the header. */
static mb_status check_local(zip_member *m, const entry *c, const uint8_t *data, uint64_t limit, mb_error *err)
{
    if (c->offset > limit || limit - c->offset < LOCAL_BYTES || get32(data + c->offset) != 0x04034b50) {
        return bad_member(err, m->name, "has no header where the directory says");
    }
    const uint8_t *p = data + c->offset;
    entry l = {.flags = get16(p + 6),
               .method = get16(p + 8),
               .crc = get32(p + 14),
               .packed = get32(p + 18),
               .bytes = get32(p + 22),
               .name_bytes = get16(p + 26),
               .extra_bytes = get16(p + 28)};
    /* Both lengths have 16 bits, so the sum is small; the local extra field may be longer than the central one. */
    uint64_t head = LOCAL_BYTES + l.name_bytes + l.extra_bytes;
    if (head > limit - c->offset || c->packed > limit - c->offset - head) {
        return bad_member(err, m->name, "reaches beyond the end (is the file cut short?)");
    }
    l.name = p + LOCAL_BYTES;
    l.extra = l.name + l.name_bytes;
    /* A writer that streams does not know the values yet and leaves all three 0. */
    bool later = (l.flags & 8u) != 0 && l.crc == 0 && l.packed == 0 && l.bytes == 0;
    if (!read_extra64(&l, false) || l.flags != c->flags || l.method != c->method || l.name_bytes != c->name_bytes ||
        memcmp(l.name, c->name, c->name_bytes) != 0 ||
        (!later && (l.crc != c->crc || l.packed != c->packed || l.bytes != c->bytes))) {
        return bad_member(err, m->name, "its local header says something else than the directory");
    }
    m->data = p + head;
    m->header = p;
    m->described = (c->flags & 8u) != 0;
    return MB_OK;
}

/* One entry of the central directory (section 4.3.12) and its local header; *at moves to the next entry. The disk
 * number must be 0. The member owns its name from here on, also after a failure: the caller disposes of it. */
static mb_status read_member(zip_member *m, const uint8_t **at, const uint8_t *data, const directory *d, mb_error *err)
{
    const uint8_t *p = *at, *end = data + d->end;
    if ((size_t)(end - p) < CENTRAL_BYTES || get32(p) != 0x02014b50) {
        return damaged(err, "its directory is malformed");
    }
    entry e = {.flags = get16(p + 8),
               .method = get16(p + 10),
               .crc = get32(p + 16),
               .packed = get32(p + 20),
               .bytes = get32(p + 24),
               .offset = get32(p + 42),
               .name_bytes = get16(p + 28),
               .extra_bytes = get16(p + 30)};
    size_t comment = get16(p + 32), length = CENTRAL_BYTES + e.name_bytes + e.extra_bytes + comment;
    /* 34: number of the disk that the member begins on. */
    if ((size_t)(end - p) < length || get16(p + 34) != 0) {
        return damaged(err, "its directory is malformed");
    }
    e.name = p + CENTRAL_BYTES;
    e.extra = e.name + e.name_bytes;
    if (!safe_name((const char *)e.name, e.name_bytes)) {
        return damaged(err, "a member's name is unsafe");
    }
    if (!read_extra64(&e, true)) {
        return damaged(err, "a ZIP64 field is malformed");
    }
    m->name = mb_alloc(e.name_bytes + 1);
    if (m->name == NULL) {
        return mb_fail_memory(err, e.name_bytes + 1, "a zip directory");
    }
    memcpy(m->name, e.name, e.name_bytes);
    m->name[e.name_bytes] = '\0';
    m->packed = (size_t)e.packed; /* lies in the file: check_local */
    m->bytes = e.bytes < SIZE_MAX ? (size_t)e.bytes : SIZE_MAX - 1;
    m->crc32 = e.crc;
    m->deflated = e.method == 8;
    *at = p + length;
    mb_status status = check_entry(m, &e, err);
    return status != MB_OK ? status : check_local(m, &e, data, d->offset, err);
}

/* ---- the archive */

static int by_place(const void *a, const void *b)
{
    const zip_member *const *x = a, *const *y = b;
    return (*x)->header < (*y)->header ? -1 : (*x)->header > (*y)->header;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const zip_member *)a)->name, ((const zip_member *)b)->name);
}

/* Headers and data in the order of their place, from the first byte to what is behind them (the directory): none reaches
 * into the next, and only data descriptors lie between. Overlapping members are how a small archive unpacks to petabytes, and
 * how one file can be read as two; a gap can hold members that a reader coming from the front would find. */
static mb_status check_places(const zip_member *const *order, size_t n, const uint8_t *data, const uint8_t *behind,
                              mb_error *err)
{
    const uint8_t *end = data;
    size_t room = 0;
    for (size_t i = 0; i <= n; i++) {
        const uint8_t *next = i < n ? order[i]->header : behind;
        if (next < end) {
            return bad_member(err, order[i]->name, "overlaps another"); /* i < n: none reaches into the directory */
        }
        if ((size_t)(next - end) > room) {
            return damaged(err, "something hides before, between or behind its members");
        }
        end = i < n ? order[i]->data + order[i]->packed : next;
        room = i < n && order[i]->described ? DESCRIPTOR_BYTES : 0;
    }
    return MB_OK;
}

/* Sorts by name (for zip_find); names must be unique, and the members must lie apart and fill the file. */
static mb_status check_together(zip_archive *z, const uint8_t *data, const uint8_t *behind, mb_error *err)
{
    if (z->n_members > 1) {
        mb_sort(z->members, z->n_members, sizeof z->members[0], by_name);
    }
    for (size_t i = 1; i < z->n_members; i++) {
        if (strcmp(z->members[i - 1].name, z->members[i].name) == 0) {
            return bad_member(err, z->members[i].name, "occurs twice");
        }
    }
    const zip_member **order = mb_alloc_array(z->n_members, sizeof order[0]);
    if (order == NULL) {
        return mb_fail_memory(err, z->n_members * sizeof order[0], "a zip directory");
    }
    for (size_t i = 0; i < z->n_members; i++) {
        order[i] = &z->members[i];
    }
    if (z->n_members > 1) {
        mb_sort(order, z->n_members, sizeof order[0], by_place);
    }
    mb_status status = check_places(order, z->n_members, data, behind, err);
    mb_free(order);
    return status;
}

/* torch.serialization.set_crc32_options(False) leaves all checksums 0: none to compare then. */
static bool has_no_checksums(const zip_archive *z)
{
    for (size_t i = 0; i < z->n_members; i++) {
        if (z->members[i].crc32 != 0) {
            return false;
        }
    }
    return true;
}

/* Reads and checks the whole directory; the data of members are not touched. The bytes behind the last entry must be
 * the end records. A failure leaves an empty archive. */
mb_status zip_open(zip_archive *z, const uint8_t *data, size_t bytes, mb_error *err)
{
    directory d = {0, 0, 0, 0};
    *z = (zip_archive){0};
    mb_status status = read_end(&d, data, bytes, err);
    if (status != MB_OK) {
        return status;
    }
    z->members = mb_calloc((size_t)d.count, sizeof z->members[0]);
    if (z->members == NULL) {
        return mb_fail_memory(err, (size_t)d.count * sizeof z->members[0], "a zip directory");
    }
    const uint8_t *at = data + d.offset;
    while (z->n_members < d.count && status == MB_OK) {
        status = read_member(&z->members[z->n_members], &at, data, &d, err);
        z->n_members++; /* its name is to be freed in any case */
    }
    if (status == MB_OK && at != data + d.end) {
        status = damaged(err, "something hides behind its directory");
    }
    if (status == MB_OK) {
        status = check_together(z, data, data + d.offset, err);
    }
    if (status != MB_OK) {
        zip_dispose(z);
        return status;
    }
    z->no_checksums = has_no_checksums(z);
    for (size_t i = 0; i < z->n_members; i++) {
        z->members[i].unchecked = z->no_checksums;
    }
    return MB_OK;
}

void zip_dispose(zip_archive *z)
{
    for (size_t i = 0; i < z->n_members; i++) {
        mb_free(z->members[i].name);
    }
    mb_free(z->members);
    *z = (zip_archive){0};
}

/* Binary search: check_together has sorted the members by name. A checkpoint has a member for each storage, and each
 * tensor looks its own up. */
const zip_member *zip_find(const zip_archive *z, const char *name)
{
    size_t low = 0, high = z->n_members;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(z->members[middle].name, name);
        if (order == 0) {
            return &z->members[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* In parts, since zlib takes 32-bit lengths and storages may be larger than 4 GiB. */
static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    while (n > 0) {
        uInt part = n < (1u << 30) ? (uInt)n : 1u << 30;
        crc = crc32(crc, p, part);
        p += part;
        n -= part;
    }
    return (uint32_t)crc;
}

/* `contents` are the m->bytes bytes of the unpacked member. */
static mb_status check_value(const zip_member *m, const uint8_t *contents, mb_error *err)
{
    return m->unchecked || crc_of(contents, m->bytes) == m->crc32
               ? MB_OK
               : bad_member(err, m->name, "is damaged (its checksum differs): get it again");
}

mb_status zip_check_crc(const zip_member *m, mb_error *err)
{
    return check_value(m, m->data, err);
}

/* Through windows of at most 1 GB, as zlib counts in 32 bits. The member must end exactly where its sizes say: with
 * fewer bytes, the rest of the output would be uninitialised. dst has room for m->bytes. Raw deflate without a zlib
 * header, hence the negative window bits. */
static bool inflate_all(const zip_member *m, uint8_t *dst)
{
    const size_t window = (size_t)1 << 30;
    size_t in = 0, out = 0;
    int result = Z_OK;
    z_stream s = {.next_in = NULL};
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK) {
        return false;
    }
    while (result == Z_OK) {
        s.next_in = (Bytef *)(uintptr_t)(m->data + in);
        s.avail_in = (uInt)(m->packed - in < window ? m->packed - in : window);
        s.next_out = dst + out;
        s.avail_out = (uInt)(m->bytes - out < window ? m->bytes - out : window);
        const uInt had_in = s.avail_in, had_out = s.avail_out;
        result = inflate(&s, Z_NO_FLUSH);
        in += had_in - s.avail_in;
        out += had_out - s.avail_out;
    }
    (void)inflateEnd(&s);
    return result == Z_STREAM_END && in == m->packed && out == m->bytes;
}

/* `limit` is what the caller can use at most: 64 bytes for byteorder, 64 MiB for a pickle. It is compared before
 * anything is allocated. */
mb_status zip_extract(const zip_member *m, size_t limit, uint8_t **out, mb_error *err)
{
    *out = NULL;
    if (m->bytes > limit) {
        return bad_member(err, m->name, "is larger than it has any reason to be");
    }
    uint8_t *p = mb_alloc(m->bytes + 1); /* one more: zlib wants somewhere to point even for nothing */
    if (p == NULL) {
        return mb_fail_memory(err, m->bytes, "a member of a zip archive");
    }
    if (!m->deflated) {
        memcpy(p, m->data, m->bytes);
    } else if (!inflate_all(m, p)) {
        mb_free(p);
        return bad_member(err, m->name, "is compressed and cannot be unpacked: it is damaged");
    }
    mb_status status = check_value(m, p, err);
    if (status != MB_OK) {
        mb_free(p);
        return status;
    }
    *out = p;
    return MB_OK;
}
