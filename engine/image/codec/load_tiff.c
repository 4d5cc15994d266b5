/* TIFF through libtiff: the first page. 8 and 16 bits grey and RGB, with or without alpha, in strips are read sample by
 * sample; tiles, palettes, CMYK, YCbCr, Lab and fewer than 8 bits through the library's own conversion to 8-bit RGBA.
 * Samples that are no whole numbers have no white: they are refused.
 *
 * The library reads from memory; no single block of its own may be larger than the decoder's budget. */
#include "image/codec/codec.h"

#if MB_HAVE_TIFF

#include "core/alloc.h"
#include "image/codec/metadata.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

typedef struct session {
    mb_decode_job *job;
    uint64_t at;
    char message[128]; /* the library's first error */
} session;

static tmsize_t on_read(thandle_t user, void *dst, tmsize_t n)
{
    session *s = user;
    const uint64_t rest = s->at < s->job->n ? s->job->n - s->at : 0, take = (uint64_t)n < rest ? (uint64_t)n : rest;
    memcpy(dst, s->job->bytes + (take > 0 ? s->at : 0), take);
    s->at += take;
    return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t user, void *src, tmsize_t n)
{
    (void)user;
    (void)src;
    (void)n;
    return 0;
}

static toff_t on_seek(thandle_t user, toff_t to, int from)
{
    session *s = user;
    s->at = from == SEEK_SET ? to : from == SEEK_CUR ? s->at + to : s->job->n + to;
    return s->at;
}

static int on_close(thandle_t user)
{
    (void)user;
    return 0;
}

static toff_t on_size(thandle_t user)
{
    session *s = user;
    return s->job->n;
}

static int on_error(TIFF *t, void *user, const char *module, const char *format, va_list args)
{
    session *s = user;
    (void)t;
    (void)module;
    if (s->message[0] == '\0') {
        (void)vsnprintf(s->message, sizeof s->message, format, args);
    }
    return 1;
}

static int on_warning(TIFF *t, void *user, const char *module, const char *format, va_list args)
{
    (void)t;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFF *open_tiff(session *s)
{
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (o == NULL) {
        return NULL;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)s->job->budget->limit);
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, s);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, s);
    TIFF *t = TIFFClientOpenExt("picture", "rm", s, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return t;
}

/* The layout of the samples. */
typedef struct layout {
    uint16_t bits, samples, photometric, planar, format, extra; /* extra: what the first extra sample is */
    size_t colours;                                             /* 1 or 3 */
    bool alpha, premultiplied, by_sample;
} layout;

static mb_status read_layout(layout *l, TIFF *t, mb_decode_job *job)
{
    uint16_t n_extra = 0, *extra = NULL, compression = 0;
    uint32_t width = 0, height = 0;
    *l = (layout){.bits = 1, .samples = 1, .planar = PLANARCONFIG_CONTIG, .format = SAMPLEFORMAT_UINT};
    (void)TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width);
    (void)TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height);
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &l->bits);
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &l->samples);
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &l->planar);
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &l->format);
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &compression);
    (void)TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &l->photometric);
    if (TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) && n_extra > 0) {
        l->extra = extra[0];
    }
    if (width != (uint32_t)job->head.width || height != (uint32_t)job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: two headers that disagree about its size");
    }
    if (l->format == SAMPLEFORMAT_IEEEFP || l->format == SAMPLEFORMAT_COMPLEXIEEEFP) {
        return mb_fail(job->err, MB_E_UNSUPPORTED,
                       "TIFF of floating-point samples: they have no fixed white\nsave it with 16 bits a sample");
    }
    if (l->format == SAMPLEFORMAT_INT || l->format == SAMPLEFORMAT_COMPLEXINT || l->bits > 16) {
        return mb_fail(job->err, MB_E_UNSUPPORTED,
                       "TIFF of %u-bit%s samples: 1 to 16 bits without sign are read\nsave it with 16 bits a sample",
                       (unsigned)l->bits, l->format == SAMPLEFORMAT_UINT ? "" : " signed or complex");
    }
    const bool grey = l->photometric == PHOTOMETRIC_MINISBLACK || l->photometric == PHOTOMETRIC_MINISWHITE;
    l->colours = grey ? 1 : 3;
    l->by_sample = (grey || l->photometric == PHOTOMETRIC_RGB) && (l->bits == 8 || l->bits == 16) &&
                   l->samples >= l->colours && !TIFFIsTiled(t) && compression != COMPRESSION_OJPEG;
    l->premultiplied = l->extra == EXTRASAMPLE_ASSOCALPHA;
    l->alpha = l->samples > l->colours && (l->premultiplied || l->extra == EXTRASAMPLE_UNASSALPHA);
    return MB_OK;
}

/* Colour that was multiplied by alpha, straight again. */
static unsigned straighten(unsigned v, unsigned a, unsigned top)
{
    const unsigned long long x = a > 0 ? ((unsigned long long)v * top + a / 2) / a : 0;
    return x < top ? (unsigned)x : top;
}

static unsigned sample_at(const uint8_t *row, size_t i, unsigned bits)
{
    uint16_t wide;
    if (bits == 8) {
        return row[i];
    }
    memcpy(&wide, row + 2 * i, sizeof wide);
    return wide;
}

/* One pixel of the result; v: its colours and its alpha. */
static void put(const mb_decode_job *job, const layout *l, size_t i, const unsigned v[4])
{
    const mb_load_info *info = job->info;
    const unsigned top = l->bits == 16 ? 65535 : 255, shift = l->bits == 16 ? 8 : 0;
    for (size_t k = 0; k < 3; k++) {
        unsigned c = v[l->colours == 3 ? k : 0];
        c = l->photometric == PHOTOMETRIC_MINISWHITE ? top - c : c;
        c = l->alpha && l->premultiplied ? straighten(c, v[3], top) : c;
        job->out->v[3 * i + k] = (uint8_t)(c >> shift);
        if (info->u16 != NULL) {
            info->u16[3 * i + k] = (uint16_t)c;
        }
    }
    if (info->alpha_plane.v != NULL) {
        info->alpha_plane.v[i] = (uint8_t)(v[3] >> shift);
    }
    if (info->u16_alpha != NULL) {
        info->u16_alpha[i] = (uint16_t)v[3];
    }
}

/* Rows of samples side by side, or one row of each plane. */
static mb_status read_samples(TIFF *t, const layout *l, mb_decode_job *job)
{
    const size_t width = (size_t)job->head.width, used = l->colours + (l->alpha ? 1 : 0);
    const bool planes = l->planar == PLANARCONFIG_SEPARATE;
    const tmsize_t line = TIFFScanlineSize(t);
    const size_t need = width * (planes ? 1 : l->samples) * (l->bits / 8u), rows = planes ? used : 1;
    mb_status status = MB_OK;
    if (line < 0 || (size_t)line < need) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: its rows are too short");
    }
    uint8_t *row = mb_budget_alloc(job->budget, (size_t)line * rows);
    if (row == NULL) {
        return mb_fail_memory(job->err, (size_t)line * rows, "rows of a TIFF");
    }
    for (uint32_t y = 0; status == MB_OK && y < (uint32_t)job->head.height; y++, status = mb_decode_check(job)) {
        bool sound = true;
        for (size_t p = 0; sound && p < rows; p++) {
            sound = TIFFReadScanline(t, row + p * (size_t)line, y, (uint16_t)p) >= 0;
        }
        if (!sound) {
            job->ended_early = true;
            job->rows = y;
            return MB_OK;
        }
        for (size_t x = 0; x < width; x++) {
            unsigned v[4] = {0};
            for (size_t k = 0; k < used; k++) {
                const size_t to = k < l->colours ? k : 3;
                v[to] = planes ? sample_at(row + k * (size_t)line, x, l->bits)
                               : sample_at(row, x * l->samples + k, l->bits);
            }
            put(job, l, (size_t)y * width + x, v);
        }
    }
    return status;
}

/* By the library's conversion, whose alpha is multiplied into the colours. */
static mb_status read_rgba(TIFF *t, session *s)
{
    mb_decode_job *job = s->job;
    const size_t width = (size_t)job->head.width, n = width * (size_t)job->head.height;
    uint16_t orientation = ORIENTATION_TOPLEFT;
    char reason[1024] = "";
    if (!TIFFRGBAImageOK(t, reason)) {
        return mb_fail(job->err, MB_E_UNSUPPORTED, "TIFF of a kind that is not read: %.100s\nsave it as RGB", reason);
    }
    uint32_t *rgba = mb_budget_alloc(job->budget, 4 * n);
    if (rgba == NULL) {
        return mb_fail_memory(job->err, 4 * n, "a TIFF picture");
    }
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_ORIENTATION, &orientation);
    if (!TIFFReadRGBAImageOriented(t, (uint32_t)width, (uint32_t)job->head.height, rgba, orientation, 1)) {
        job->ended_early = true;
        job->rows = -1;
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned a = TIFFGetA(rgba[i]);
        const unsigned v[3] = {TIFFGetR(rgba[i]), TIFFGetG(rgba[i]), TIFFGetB(rgba[i])};
        for (size_t k = 0; k < 3; k++) {
            job->out->v[3 * i + k] = (uint8_t)straighten(v[k], a, 255);
        }
        if (job->info->alpha_plane.v != NULL) {
            job->info->alpha_plane.v[i] = (uint8_t)a;
        }
    }
    mb_budget_free(job->budget, rgba);
    return mb_decode_check(job);
}

static mb_status read_metadata(TIFF *t, mb_decode_job *job)
{
    mb_metadata *m = job->limits->metadata;
    float x = 0, y = 0;
    uint16_t unit = RESUNIT_INCH;
    uint32_t n = 0;
    void *icc = NULL;
    if (m == NULL) {
        return MB_OK;
    }
    (void)TIFFGetFieldDefaulted(t, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (unit != RESUNIT_NONE && TIFFGetField(t, TIFFTAG_XRESOLUTION, &x) && TIFFGetField(t, TIFFTAG_YRESOLUTION, &y) &&
        x >= 1 && y >= 1 && x < 1e6f && y < 1e6f) {
        m->dpi_x = (double)x * (unit == RESUNIT_CENTIMETER ? 2.54 : 1);
        m->dpi_y = (double)y * (unit == RESUNIT_CENTIMETER ? 2.54 : 1);
    }
    if (TIFFGetField(t, TIFFTAG_ICCPROFILE, &n, &icc) && icc != NULL) {
        return mb_metadata_set_icc(m, (mb_bytes){icc, n}, job->err);
    }
    return MB_OK;
}

static mb_status decode(TIFF *t, session *s)
{
    mb_decode_job *job = s->job;
    mb_status status = MB_OK;
    layout l;
    MB_TRY(read_layout(&l, t, job));
    job->info->channels = l.samples < 4 ? l.samples : 4;
    job->info->bits = l.bits;
    if (!TIFFLastDirectory(t)) {
        job->info->frames_ignored = true;
        (void)snprintf(job->info->warning, sizeof job->info->warning, "several pages: only the first is used");
    }
    MB_TRY(mb_decode_begin(job));
    if (l.by_sample && l.bits == 16) {
        MB_TRY(mb_decode_begin_u16(job));
    }
    if (l.alpha) {
        job->info->alpha = true;
        MB_TRY(mb_decode_begin_alpha(job));
    }
    MB_TRY(read_metadata(t, job));
    MB_TRY(l.by_sample ? read_samples(t, &l, job) : read_rgba(t, s));
done:
    return status;
}

mb_status mb_decode_tiff(mb_decode_job *job)
{
    session s = {.job = job};
    TIFF *t = open_tiff(&s);
    if (t == NULL) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: %s\ncopy or download it again",
                       s.message[0] != '\0' ? s.message : "it cannot be opened");
    }
    mb_status status = decode(t, &s);
    TIFFClose(t);
    return status;
}

void mb_tiff_version(char *text, size_t n)
{
    const char *all = TIFFGetVersion(); /* "LIBTIFF, Version 4.5.0\nCopyright ..." */
    const char *from = strstr(all, "Version ");
    from = from != NULL ? from + 8 : all;
    (void)snprintf(text, n, "libtiff %.*s", (int)strcspn(from, "\n"), from);
}

#else
typedef int mb_no_tiff; /* an empty file is not C */
#endif
