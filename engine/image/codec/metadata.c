/* Reading metadata (see the header). Everything is bounds-checked: files are hostile. */
#include "image/codec/metadata.h"

#include "core/alloc.h"
#include "image/codec/colour_space.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

#define MAX_ICC  ((size_t)16 << 20)
#define MAX_EXIF ((size_t)1 << 20)

void mb_metadata_init(mb_metadata *metadata)
{
    *metadata = (mb_metadata){.size = sizeof *metadata};
}

void mb_metadata_dispose(mb_metadata *metadata)
{
    if (metadata != NULL) {
        mb_free(metadata->icc);
        mb_free(metadata->exif);
        mb_metadata_init(metadata);
    }
}

/* ---- numbers; 0 beyond the end */

static uint32_t number(mb_bytes b, size_t at, size_t size, bool big)
{
    uint32_t value = 0;
    if (at > b.n || size > b.n - at) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | b.v[big ? at + i : at + size - 1 - i];
    }
    return value;
}

static mb_status copy(void **out, size_t *n, mb_bytes b, mb_error *err)
{
    void *v = mb_alloc(b.n);
    if (v == NULL) {
        return mb_fail_memory(err, b.n, "a picture's metadata");
    }
    memcpy(v, b.v, b.n);
    mb_free(*out);
    *out = v;
    *n = b.n;
    return MB_OK;
}

mb_status mb_metadata_copy(mb_metadata *out, const mb_metadata *from, mb_error *err)
{
    mb_status status = MB_OK;
    if (from->icc_bytes > 0) {
        MB_TRY(copy(&out->icc, &out->icc_bytes, (mb_bytes){from->icc, from->icc_bytes}, err));
    }
    if (from->exif_bytes > 0) {
        MB_TRY(copy(&out->exif, &out->exif_bytes, (mb_bytes){from->exif, from->exif_bytes}, err));
    }
    out->dpi_x = from->dpi_x;
    out->dpi_y = from->dpi_y;
done:
    return status;
}

/* ---- colours without a profile of the file */

static void take_profile(mb_metadata *m, const mb_colour_profile *p)
{
    m->icc = p->icc;
    m->icc_bytes = p->bytes;
    if (p->note[0] != '\0') {
        (void)snprintf(m->note, sizeof m->note, "%s", p->note);
    }
}

mb_status mb_metadata_set_code_points(mb_metadata *m, unsigned primaries, unsigned transfer, mb_error *err)
{
    mb_colour_profile p = {0};
    if (m->icc != NULL) {
        return MB_OK;
    }
    mb_status status = mb_colour_profile_of_points(&p, primaries, transfer, err);
    take_profile(m, &p);
    return status;
}

static mb_status set_chromaticities(mb_metadata *m, const char *name, const double xy[8], double gamma, mb_error *err)
{
    mb_colour_profile p = {0};
    if (m->icc != NULL) {
        return MB_OK;
    }
    mb_status status = mb_colour_profile_of_chromaticities(&p, name, xy, gamma, err);
    take_profile(m, &p);
    return status;
}

/* ---- EXIF: a TIFF structure */

/* Visits entry i of the directory at `at`; 0: there is none. */
static size_t entry_at(mb_bytes b, size_t at, uint32_t i, bool big)
{
    const size_t entry = at + 2 + 12 * (size_t)i;
    return i < number(b, at, 2, big) && entry + 12 <= b.n ? entry : 0;
}

static double rational(mb_bytes b, size_t at, bool big)
{
    const uint32_t over = number(b, at, 4, big), under = number(b, at + 4, 4, big);
    return under > 0 ? (double)over / under : 0.0;
}

static bool is_resolution(double dpi)
{
    return dpi >= 1.0 && dpi <= 1e6;
}

static void set_resolution(mb_metadata *m, double x, double y)
{
    if (is_resolution(x) && is_resolution(y)) {
        m->dpi_x = x;
        m->dpi_y = y;
    }
}

/* Zeroes the thumbnail of the second directory and the link to it: a picture of what was cut away must not stay. */
static void drop_thumbnail(uint8_t *v, mb_bytes b, size_t link, bool big)
{
    const size_t second = number(b, link, 4, big);
    size_t from = 0, bytes = 0, entry;
    for (uint32_t i = 0; second > 0 && (entry = entry_at(b, second, i, big)) > 0; i++) {
        const uint32_t tag = number(b, entry, 2, big);
        const uint32_t value = number(b, entry + 8, 4, big);
        from = tag == 0x0201 || tag == 0x0111 ? value : from; /* a JPEG, or plain pixels in one strip */
        bytes = tag == 0x0202 || tag == 0x0117 ? value : bytes;
    }
    if (from >= 8 && from < b.n) {
        memset(v + from, 0, bytes < b.n - from ? bytes : b.n - from);
    }
    if (link + 4 <= b.n) {
        memset(v + link, 0, 4);
    }
}

/* Cameras that are set to Adobe RGB have no profile: their EXIF says "R03" in the directory for interoperability. */
static mb_status set_camera_colours(mb_metadata *m, mb_bytes b, size_t exif_directory, bool big, mb_error *err)
{
    static const double adobe[8] = {0.3127, 0.3290, 0.640, 0.330, 0.210, 0.710, 0.150, 0.060};
    size_t entry, interoperability = 0;
    for (uint32_t i = 0; exif_directory > 0 && (entry = entry_at(b, exif_directory, i, big)) > 0; i++) {
        interoperability = number(b, entry, 2, big) == 0xA005 ? number(b, entry + 8, 4, big) : interoperability;
    }
    for (uint32_t i = 0; interoperability > 0 && (entry = entry_at(b, interoperability, i, big)) > 0; i++) {
        if (number(b, entry, 2, big) == 0x0001 && memcmp(b.v + entry + 8, "R03", 4) == 0) {
            return set_chromaticities(m, "Adobe RGB (1998)", adobe, 563.0 / 256.0, err);
        }
    }
    return MB_OK;
}

mb_status mb_metadata_set_exif(mb_metadata *m, mb_bytes exif, mb_error *err)
{
    if (exif.n < 14 || exif.n > MAX_EXIF || (memcmp(exif.v, "II*\0", 4) != 0 && memcmp(exif.v, "MM\0*", 4) != 0)) {
        return MB_OK;
    }
    mb_status status = copy(&m->exif, &m->exif_bytes, exif, err);
    if (status != MB_OK) {
        return status;
    }
    uint8_t *v = m->exif;
    const mb_bytes b = {v, m->exif_bytes};
    const bool big = v[0] == 'M';
    const size_t first = number(b, 4, 4, big);
    double x = 0, y = 0, unit = 1; /* inches */
    size_t entry, last = 0, details = 0;
    for (uint32_t i = 0; (entry = entry_at(b, first, i, big)) > 0; i++) {
        const uint32_t tag = number(b, entry, 2, big), type = number(b, entry + 2, 2, big);
        last = entry;
        if (tag == 0x0112) {
            memset(v + entry + 8, 0, 4);
            v[entry + 8 + (big ? (type == 3 ? 1 : 3) : 0)] = 1;
        } else if (tag == 0x011A) {
            x = rational(b, number(b, entry + 8, 4, big), big);
        } else if (tag == 0x011B) {
            y = rational(b, number(b, entry + 8, 4, big), big);
        } else if (tag == 0x0128) {
            unit = number(b, entry + 8, 2, big) == 3 ? 2.54 : 1;
        } else if (tag == 0x8769) {
            details = number(b, entry + 8, 4, big);
        }
    }
    if (last > 0) {
        drop_thumbnail(v, b, last + 12, big);
    }
    if (m->dpi_x == 0) {
        set_resolution(m, x * unit, y * unit);
    }
    return set_camera_colours(m, b, details, big, err);
}

/* ---- ICC */

mb_status mb_metadata_set_icc(mb_metadata *m, mb_bytes icc, mb_error *err)
{
    if (icc.n < 132 || icc.n > MAX_ICC || memcmp(icc.v + 36, "acsp", 4) != 0 || number(icc, 0, 4, true) > icc.n) {
        return MB_OK;
    }
    icc.n = number(icc, 0, 4, true) >= 132 ? number(icc, 0, 4, true) : icc.n;
    return copy(&m->icc, &m->icc_bytes, icc, err);
}

mb_icc_colours mb_metadata_icc_colours(const mb_metadata *m)
{
    const char *space = m->icc != NULL ? (const char *)m->icc + 16 : "RGB ";
    return memcmp(space, "RGB ", 4) == 0   ? MB_ICC_RGB
           : memcmp(space, "GRAY", 4) == 0 ? MB_ICC_GRAY
           : memcmp(space, "CMYK", 4) == 0 ? MB_ICC_CMYK
                                           : MB_ICC_OTHER;
}

void mb_metadata_drop_icc(mb_metadata *m, const char *note)
{
    mb_free(m->icc);
    m->icc = NULL;
    m->icc_bytes = 0;
    (void)snprintf(m->note, sizeof m->note, "%s", note);
}

/* The profile of an iCCP chunk: a name, a zero, the method 0, and zlib data. */
static mb_status read_iccp(mb_metadata *m, mb_bytes chunk, mb_error *err)
{
    const uint8_t *end = chunk.v != NULL ? memchr(chunk.v, 0, chunk.n < 80 ? chunk.n : 80) : NULL;
    const size_t from = end != NULL ? (size_t)(end - chunk.v) + 2 : 0;
    if (from == 0 || from >= chunk.n || chunk.v[from - 1] != 0) {
        return MB_OK;
    }
    uint8_t head[132] = {0};
    z_stream z = {.next_in = (Bytef *)(chunk.v + from), .avail_in = (uInt)(chunk.n - from)};
    if (inflateInit(&z) != Z_OK) {
        return mb_fail_memory(err, 65536, "a colour profile");
    }
    z.next_out = head;
    z.avail_out = sizeof head;
    int code = inflate(&z, Z_SYNC_FLUSH);
    const size_t size = number((mb_bytes){head, sizeof head}, 0, 4, true);
    uint8_t *v = NULL;
    mb_status status = MB_OK;
    if (z.avail_out == 0 && size >= sizeof head && size <= MAX_ICC) { /* its own header says how long it is */
        v = mb_alloc(size);
        status = v != NULL ? MB_OK : mb_fail_memory(err, size, "a colour profile");
        if (v != NULL) {
            memcpy(v, head, sizeof head);
            z.next_out = v + sizeof head;
            z.avail_out = (uInt)(size - sizeof head);
            code = z.avail_out > 0 ? inflate(&z, Z_FINISH) : code;
            if (z.avail_out == 0 && (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)) {
                status = mb_metadata_set_icc(m, (mb_bytes){v, size}, err);
            }
        }
    }
    (void)inflateEnd(&z);
    mb_free(v);
    return status;
}

/* ---- containers */

mb_bytes mb_find_chunk(mb_bytes b, size_t at, const char *name, bool riff)
{
    while (at + 8 <= b.n) {
        size_t length = number(b, riff ? at + 4 : at, 4, !riff), rest = b.n - at - 8;
        if (memcmp(b.v + at + (riff ? 0 : 4), name, 4) == 0) {
            return (mb_bytes){b.v + at + 8, length < rest ? length : rest};
        }
        if (length > rest) {
            break;
        }
        at += 8 + length + (riff ? length & 1 : 4);
    }
    return (mb_bytes){NULL, 0};
}

mb_bytes mb_find_box(mb_bytes b, const char *name)
{
    for (size_t at = 0; at + 8 <= b.n;) {
        uint64_t length = number(b, at, 4, true);
        size_t head = 8;
        if (length == 1 && at + 16 <= b.n) { /* 64 bits follow */
            length = (uint64_t)number(b, at + 8, 4, true) << 32 | number(b, at + 12, 4, true);
            head = 16;
        }
        length = length == 0 || length > b.n - at ? b.n - at : length; /* 0: up to the end */
        if (length < head) {
            break;
        }
        if (memcmp(b.v + at + 4, name, 4) == 0) {
            return (mb_bytes){b.v + at + head, (size_t)length - head};
        }
        at += (size_t)length;
    }
    return (mb_bytes){NULL, 0};
}

/* The next segment of a JPEG's head at *at: its marker and contents; 0 after the last. */
static int next_segment(mb_bytes *out, mb_bytes b, size_t *at)
{
    while (*at + 4 <= b.n && b.v[*at] == 0xFF && b.v[*at + 1] != 0xDA && b.v[*at + 1] != 0xD9) {
        const size_t length = number(b, *at + 2, 2, true);
        const int marker = b.v[*at + 1];
        if (marker == 0xFF) { /* fill byte */
            (*at)++;
            continue;
        }
        if (length < 2 || length > b.n - *at - 2) {
            break;
        }
        *out = (mb_bytes){b.v + *at + 4, length - 2};
        *at += 2 + length;
        return marker;
    }
    return 0;
}

static bool starts_with(mb_bytes b, const char *text, size_t n)
{
    return b.n >= n && memcmp(b.v, text, n) == 0;
}

mb_bytes mb_find_exif(mb_file_type type, mb_bytes file)
{
    mb_bytes found = {NULL, 0}, part;
    size_t at = 2;
    int marker;
    switch (type) {
    case MB_FILE_JPEG:
        while ((marker = next_segment(&part, file, &at)) != 0) {
            if (marker == 0xE1 && starts_with(part, "Exif\0\0", 6)) {
                return (mb_bytes){part.v + 6, part.n - 6};
            }
        }
        return found;
    case MB_FILE_PNG:
        found = mb_find_chunk(file, 8, "eXIf", false);
        break;
    case MB_FILE_WEBP:
        found = mb_find_chunk(file, 12, "EXIF", true);
        break;
    default:
        return found;
    }
    const size_t skip = found.v != NULL && starts_with(found, "Exif\0\0", 6) ? 6 : 0; /* not allowed, but seen */
    return (mb_bytes){found.v != NULL ? found.v + skip : NULL, found.n - skip};
}

/* JFIF's resolution, and the profile from its numbered pieces. */
static mb_status read_jpeg(mb_metadata *m, mb_bytes file, mb_error *err)
{
    mb_bytes part, pieces[256] = {{NULL, 0}};
    size_t at = 2, total = 0;
    int marker, count = 0;
    while ((marker = next_segment(&part, file, &at)) != 0) {
        if (marker == 0xE0 && starts_with(part, "JFIF\0", 5) && part.n >= 12 && (part.v[7] == 1 || part.v[7] == 2)) {
            const double unit = part.v[7] == 2 ? 2.54 : 1;
            set_resolution(m, number(part, 8, 2, true) * unit, number(part, 10, 2, true) * unit);
        } else if (marker == 0xE2 && starts_with(part, "ICC_PROFILE", 12) && part.n > 14) {
            pieces[part.v[12]] = (mb_bytes){part.v + 14, part.n - 14};
            count = part.v[13];
        }
    }
    for (int i = 1; i <= count; i++) {
        total = pieces[i].v != NULL ? total + pieces[i].n : MAX_ICC + 1;
    }
    if (count == 0 || total > MAX_ICC) { /* none, or pieces are missing */
        return MB_OK;
    }
    uint8_t *v = mb_alloc(total);
    if (v == NULL) {
        return mb_fail_memory(err, total, "a colour profile");
    }
    total = 0;
    for (int i = 1; i <= count; i++) {
        memcpy(v + total, pieces[i].v, pieces[i].n);
        total += pieces[i].n;
    }
    mb_status status = mb_metadata_set_icc(m, (mb_bytes){v, total}, err);
    mb_free(v);
    return status;
}

/* Code points come before a profile, which comes before "sRGB", and that before chromaticities and gamma. */
static mb_status read_png_colours(mb_metadata *m, mb_bytes file, mb_error *err)
{
    const mb_bytes points = mb_find_chunk(file, 8, "cICP", false), profile = mb_find_chunk(file, 8, "iCCP", false),
                   white = mb_find_chunk(file, 8, "cHRM", false), gamma = mb_find_chunk(file, 8, "gAMA", false);
    double xy[8] = {0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060};
    if (points.n == 4 && points.v[2] == 0) { /* of RGB */
        return mb_metadata_set_code_points(m, points.v[0], points.v[1], err);
    }
    if (profile.v != NULL) {
        return read_iccp(m, profile, err);
    }
    if (mb_find_chunk(file, 8, "sRGB", false).v != NULL || (white.n != 32 && gamma.n != 4)) {
        return MB_OK;
    }
    for (size_t i = 0; white.n == 32 && i < 8; i++) {
        xy[i] = number(white, 4 * i, 4, true) / 1e5;
    }
    const uint32_t encoding = gamma.n == 4 ? number(gamma, 0, 4, true) : 45455;
    return set_chromaticities(m, "PNG's cHRM and gAMA", xy, encoding > 0 ? 1e5 / encoding : 0.0, err);
}

static mb_status read_png(mb_metadata *m, mb_bytes file, mb_error *err)
{
    const mb_bytes size = mb_find_chunk(file, 8, "pHYs", false);
    if (size.n >= 9 && size.v[8] == 1) { /* pixels a metre */
        set_resolution(m, number(size, 0, 4, true) * 0.0254, number(size, 4, 4, true) * 0.0254);
    }
    return read_png_colours(m, file, err);
}

/* Photoshop's image resources: "8BIM", number, name padded to even, length, data padded to even. */
mb_bytes mb_find_psd_resource(mb_bytes file, unsigned id)
{
    size_t at = 26 + 4 + (size_t)number(file, 26, 4, true), end;
    const size_t length = number(file, at, 4, true);
    at += 4;
    end = at <= file.n && length <= file.n - at ? at + length : 0;
    while (at + 12 <= end && memcmp(file.v + at, "8BIM", 4) == 0) {
        const uint32_t found = number(file, at + 4, 2, true);
        at += 6 + (((size_t)file.v[at + 6] + 2) & ~(size_t)1);
        const size_t n = number(file, at, 4, true);
        at += 4;
        if (at > end || n > end - at) {
            break;
        }
        if (found == id) {
            return (mb_bytes){file.v + at, n};
        }
        at += n + (n & 1);
    }
    return (mb_bytes){NULL, 0};
}

static mb_status read_psd(mb_metadata *m, mb_bytes file, mb_error *err)
{
    const mb_bytes size = mb_find_psd_resource(file, 1005), icc = mb_find_psd_resource(file, 1039),
                   exif = mb_find_psd_resource(file, 1058);
    mb_status status = MB_OK;
    if (size.n >= 16) { /* 16.16 fixed point; 1: an inch, 2: a centimetre, is how it is shown only */
        set_resolution(m, number(size, 0, 4, true) / 65536.0, number(size, 8, 4, true) / 65536.0);
    }
    if (icc.v != NULL) {
        status = mb_metadata_set_icc(m, icc, err);
    }
    return status == MB_OK && exif.v != NULL ? mb_metadata_set_exif(m, exif, err) : status;
}

mb_status mb_metadata_read(mb_metadata *out, mb_file_type type, mb_bytes file, mb_error *err)
{
    mb_status status = MB_OK;
    switch (type) {
    case MB_FILE_JPEG:
        MB_TRY(read_jpeg(out, file, err));
        break;
    case MB_FILE_PNG:
        MB_TRY(read_png(out, file, err));
        break;
    case MB_FILE_WEBP: {
        const mb_bytes icc = mb_find_chunk(file, 12, "ICCP", true);
        MB_TRY(icc.v != NULL ? mb_metadata_set_icc(out, icc, err) : MB_OK);
        break;
    }
    case MB_FILE_PSD:
        MB_TRY(read_psd(out, file, err));
        break;
    default:
        break;
    }
    const mb_bytes exif = mb_find_exif(type, file);
    MB_TRY(exif.v != NULL ? mb_metadata_set_exif(out, exif, err) : MB_OK);
done:
    return status;
}
