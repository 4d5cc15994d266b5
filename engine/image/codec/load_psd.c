/* Photoshop documents: the flattened picture that lies after the layers. Our own reader: stb_image takes a white matte
 * out of pictures with alpha, which Pillow does not, and converts what falls below 0 in a way that C does not define.
 *
 * Header of 26 bytes, three sections with their lengths in front, the kind of compression, then the planes one after
 * the other: rows as they are, or a table of row lengths and rows of runs (PackBits). RGB and grey, 8 and 16 bits (of
 * which the upper 8 are taken). The plane after the colours is the picture's transparency where the number of layers is
 * negative; other planes (saved selections) are left out. */
#include "image/codec/codec.h"
#include "image/codec/metadata.h"

#include <string.h>

#define HEADER     26
#define MAX_PLANES 56 /* of the format */

typedef struct psd {
    const uint8_t *v;
    size_t n, at;
    size_t row;                 /* bytes of an unpacked row */
    const uint8_t *row_lengths; /* NULL: rows are not packed */
    bool transparent;           /* the first plane after the colours is alpha */
} psd;

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Past a section: its length in front, then that many bytes. */
static bool skip_section(psd *d)
{
    if (d->n - d->at < 4) {
        return false;
    }
    const uint8_t *p = d->v + d->at;
    const size_t length = (size_t)be16(p) << 16 | be16(p + 2);
    d->at += 4;
    if (length > d->n - d->at) {
        return false;
    }
    d->at += length;
    return true;
}

/* A row of runs in `n` bytes. A count of 0 to 127: one more bytes as they are; 129 to 255: the next byte 257 - count
 * times; 128: nothing. */
static bool unpack(uint8_t *row, size_t bytes, const uint8_t *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; at < bytes && i < n;) {
        unsigned count = p[i++];
        if (count == 128) {
            continue;
        }
        const bool run = count > 128;
        const size_t length = run ? 257 - count : count + 1, from = run ? 1 : length;
        if (length > bytes - at || from > n - i) {
            return false;
        }
        if (run) {
            memset(row + at, p[i], length);
        } else {
            memcpy(row + at, p + i, length);
        }
        at += length;
        i += from;
    }
    return at == bytes;
}

/* The next row, `index` counted over all planes. */
static bool read_row(psd *d, uint8_t *row, size_t index)
{
    const size_t length = d->row_lengths != NULL ? be16(d->row_lengths + 2 * index) : d->row;
    const uint8_t *p = d->v + d->at;
    if (length > d->n - d->at) {
        return false;
    }
    d->at += length;
    if (d->row_lengths == NULL) {
        memcpy(row, p, length);
        return true;
    }
    return unpack(row, d->row, p, length);
}

/* Up to the first row. */
static mb_status begin(psd *d, const mb_decode_job *job)
{
    const char *problem = "damaged PSD: its header is invalid\ncopy or download it again";
    d->at = HEADER;
    if (d->n < HEADER) {
        return mb_fail(job->err, MB_E_FORMAT, "%s", problem);
    }
    const unsigned mode = be16(d->v + 24), bits = be16(d->v + 22), planes = be16(d->v + 12);
    if ((mode != 3 && mode != 1) || (bits != 8 && bits != 16) || planes < mode || planes > MAX_PLANES) {
        return mb_fail(job->err, MB_E_FORMAT,
                       "PSD of mode %u with %u bits and %u planes: RGB and grey of 8 or 16 bits are read\n"
                       "open it in an image editor and save it as PNG",
                       mode, bits, planes);
    }
    const mb_bytes version = mb_find_psd_resource((mb_bytes){d->v, d->n}, 1057);
    if (version.n >= 5 && version.v[4] == 0) { /* what stands there instead says so in many languages, as a picture */
        return mb_fail(job->err, MB_E_UNSUPPORTED,
                       "PSD without a flattened picture: layers alone are not read\n"
                       "save it with \"Maximize Compatibility\", or as PNG");
    }
    for (int i = 0; i < 3; i++) {
        const size_t from = d->at; /* layers: two lengths, then their number */
        if (i == 2 && d->n - from >= 10 && planes > mode && (be16(d->v + from) > 0 || be16(d->v + from + 2) >= 6)) {
            d->transparent = be16(d->v + from + 8) >= 0x8000;
        }
        if (!skip_section(d)) {
            return mb_fail(job->err, MB_E_FORMAT,
                           "ends early: %zu bytes, before its picture\ncopy or download it again", d->n);
        }
    }
    const unsigned kind = d->n - d->at >= 2 ? be16(d->v + d->at) : 0;
    const size_t table = (size_t)planes * (size_t)job->head.height * 2; /* 56 planes: far from overflow */
    d->at += d->n - d->at >= 2 ? 2 : 0;
    d->row = (size_t)job->head.width * (bits / 8); /* mode 3: RGB, 1: grey: as many colours as its number */
    if (kind > 1) {
        return mb_fail(job->err, MB_E_FORMAT, "PSD compression method %u is not supported\nsave it as PNG", kind);
    }
    if (kind == 1) {
        if (table > d->n - d->at) {
            return mb_fail(job->err, MB_E_FORMAT,
                           "ends early: %zu bytes, before its picture\ncopy or download it again", d->n);
        }
        d->row_lengths = d->v + d->at;
        d->at += table;
    }
    return MB_OK;
}

/* The flattened picture at the end of the file, one plane after the other; layers are ignored. */
mb_status mb_decode_psd(mb_decode_job *job)
{
    psd d = {.v = job->bytes, .n = job->n};
    mb_status status = begin(&d, job);
    if (status != MB_OK) {
        return status;
    }
    const size_t width = (size_t)job->head.width, height = (size_t)job->head.height;
    const size_t step = d.row / width, planes = be16(d.v + 24);
    /* Two bytes stand for 128 at most. */
    if (!mb_decode_may_fit(job, (d.row_lengths != NULL ? d.row / 64 : d.row) * planes, height, d.n - d.at)) {
        return MB_OK;
    }
    uint8_t *row = mb_budget_alloc(job->budget, d.row);
    if (row == NULL) {
        return mb_fail_memory(job->err, d.row, "a row");
    }
    status = mb_decode_begin(job);
    if (status == MB_OK && d.transparent) {
        job->info->alpha = true;
        status = mb_decode_begin_alpha(job);
    }
    const size_t read = planes + (job->info->alpha_plane.v != NULL ? 1 : 0);
    for (size_t i = 0; status == MB_OK && i < read * height; i++, status = mb_decode_check(job)) {
        if (!read_row(&d, row, i)) {
            job->ended_early = true; /* or runs that do not fit: the rest is not to be trusted either way */
            job->rows = -1;          /* the planes that are whole stay */
            break;
        }
        for (size_t x = 0; i >= planes * height && x < width; x++) {
            job->info->alpha_plane.v[i % height * width + x] = row[x * step];
        }
        if (i >= planes * height) {
            continue;
        }
        uint8_t *dst = job->out->v + i % height * width * 3 + i / height;
        for (size_t x = 0; x < width; x++, dst += 3) {
            dst[0] = row[x * step];
            if (planes == 1) {
                dst[1] = dst[2] = dst[0];
            }
        }
    }
    return status;
}
