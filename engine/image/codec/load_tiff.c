/* TIFF through libtiff: the first page, or the one that is asked for. 8 and 16 bits of grey, RGB and CMYK, with or
 * without alpha, in strips or tiles, are read sample by sample; palettes, YCbCr, Lab and fewer than 8 bits through the
 * library's own conversion to 8-bit RGBA. Samples that are no whole numbers have no white: they are refused.
 *
 * The library reads from memory; no single block of its own may be larger than the decoder's budget. */
#include "image/codec/codec.h"

#if MB_HAVE_TIFF

#include "core/alloc.h"
#include "core/os_library.h"
#include "image/codec/library.h"
#include "image/codec/metadata.h"
#include "image/codec/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

#define FUNCTIONS(X)                                                                                                   \
    X(TIFFClientOpenExt)                                                                                               \
    X(TIFFClose)                                                                                                       \
    X(TIFFGetField)                                                                                                    \
    X(TIFFGetFieldDefaulted)                                                                                           \
    X(TIFFGetVersion)                                                                                                  \
    X(TIFFIsCODECConfigured)                                                                                           \
    X(TIFFIsTiled)                                                                                                     \
    X(TIFFLastDirectory)                                                                                               \
    X(TIFFOpenOptionsAlloc)                                                                                            \
    X(TIFFOpenOptionsFree)                                                                                             \
    X(TIFFOpenOptionsSetErrorHandlerExtR)                                                                              \
    X(TIFFOpenOptionsSetMaxSingleMemAlloc)                                                                             \
    X(TIFFOpenOptionsSetWarningHandlerExtR)                                                                            \
    X(TIFFRGBAImageOK)                                                                                                 \
    X(TIFFReadDirectory)                                                                                               \
    X(TIFFReadRGBAImageOriented)                                                                                       \
    X(TIFFReadScanline)                                                                                                \
    X(TIFFReadTile)                                                                                                    \
    X(TIFFScanlineSize)                                                                                                \
    X(TIFFReadEncodedStrip) X(TIFFComputeStrip) X(TIFFStripSize) X(TIFFTileSize)
static struct {
    FUNCTIONS(MB_LIBRARY_FIELD)
} api;
#define SYMBOL(f) {#f, offsetof(__typeof__(api), f)},
static const mb_library_symbol symbols[] = {FUNCTIONS(SYMBOL)};
static mb_library library = MB_LIBRARY(MB_OS_LIBRARY("libtiff.so.6", "libtiff-6.dll"), "libtiff6", api, symbols);

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
    TIFFOpenOptions *o = api.TIFFOpenOptionsAlloc();
    if (o == NULL) {
        return NULL;
    }
    api.TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)s->job->budget->limit);
    api.TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, s);
    api.TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, s);
    TIFF *t = api.TIFFClientOpenExt("picture", "rm", s, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
    api.TIFFOpenOptionsFree(o);
    return t;
}

/* The layout of the samples. */
typedef struct layout {
    uint16_t bits, samples, photometric, planar, format, extra; /* extra: what the one that counts is */
    uint16_t compression;
    size_t colours;  /* 1, 3, or 4 of CMYK */
    size_t alpha_at; /* its sample; other extra ones, as the infrared of satellites, may stand before it */
    bool alpha, premultiplied, by_sample, tiled;
    bool lab;               /* L*a*b*, by Little CMS: libtiff's own conversion is off by ten levels */
    mb_to_srgb *by_profile; /* of CMYK and L*a*b*; NULL: without a profile */
} layout;

static void warn(mb_decode_job *job, const char *text)
{
    char *to = job->info->warning;
    const size_t n = strlen(to);
    (void)snprintf(to + n, sizeof job->info->warning - n, "%s%s", n > 0 ? "; " : "", text);
}

/* Whole numbers of 1, 2, 4, 8 or 16 bits. */
static mb_status check_samples(const layout *l, mb_error *err)
{
    if (l->format == SAMPLEFORMAT_IEEEFP || l->format == SAMPLEFORMAT_COMPLEXIEEEFP) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "TIFF of floating-point samples: they have no fixed white\nsave it with 16 bits a sample");
    }
    const bool usual = l->bits > 0 && l->bits <= 16 && (l->bits & (l->bits - 1)) == 0;
    if (l->format == SAMPLEFORMAT_INT || l->format == SAMPLEFORMAT_COMPLEXINT || !usual) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "TIFF of %u-bit%s samples: 1, 2, 4, 8 and 16 bits without sign are read\n"
                       "save it with 16 bits a sample",
                       (unsigned)l->bits, l->format == SAMPLEFORMAT_UINT ? "" : " signed or complex");
    }
    return MB_OK;
}

/* The first of the extra samples that is alpha; without one, what the first is. */
static void find_alpha(layout *l, const uint16_t *extra, size_t n)
{
    size_t at = 0;
    while (at < n && extra[at] != EXTRASAMPLE_ASSOCALPHA && extra[at] != EXTRASAMPLE_UNASSALPHA) {
        at++;
    }
    l->extra = at < n ? extra[at] : EXTRASAMPLE_UNSPECIFIED;
    l->alpha_at = l->colours + (at < n ? at : 0);
    l->premultiplied = l->extra == EXTRASAMPLE_ASSOCALPHA;
    l->alpha = l->samples > l->alpha_at && l->extra != EXTRASAMPLE_UNSPECIFIED;
}

static mb_status read_layout(layout *l, TIFF *t, mb_decode_job *job)
{
    uint16_t n_extra = 0, *extra = NULL, inks = INKSET_CMYK;
    uint32_t width = 0, height = 0;
    *l = (layout){.bits = 1, .samples = 1, .planar = PLANARCONFIG_CONTIG, .format = SAMPLEFORMAT_UINT};
    (void)api.TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width);
    (void)api.TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &l->bits);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &l->samples);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &l->planar);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &l->format);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &l->compression);
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_INKSET, &inks);
    (void)api.TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &l->photometric);
    const bool rgba = l->photometric == PHOTOMETRIC_RGB && l->samples == 4;
    const bool tagged = api.TIFFGetField(t, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) != 0;
    if (job->limits->frame > 1) { /* the head of the file was that of the first page */
        mb_status status = mb_decode_set_size(job, width, height);
        if (status != MB_OK) {
            return status;
        }
    } else if (width != job->head.width || height != job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: two headers that disagree about its size");
    }
    const bool grey = l->photometric == PHOTOMETRIC_MINISBLACK || l->photometric == PHOTOMETRIC_MINISWHITE;
    const bool cmyk = l->photometric == PHOTOMETRIC_SEPARATED && inks == INKSET_CMYK;
    l->colours = grey ? 1 : cmyk ? 4 : 3;
    l->tiled = api.TIFFIsTiled(t) != 0;
    l->lab = (l->photometric == PHOTOMETRIC_CIELAB || l->photometric == PHOTOMETRIC_ICCLAB) && l->samples >= 3 &&
             (l->bits == 8 || l->bits == 16);
    l->by_sample = (grey || cmyk || l->lab || l->photometric == PHOTOMETRIC_RGB) && (l->bits == 8 || l->bits == 16) &&
                   l->samples >= l->colours && l->compression != COMPRESSION_OJPEG;
    if (tagged) {
        find_alpha(l, extra, n_extra);
    } else if (rgba) { /* without the tag: so OpenCV writes alpha */
        find_alpha(l, &(const uint16_t){EXTRASAMPLE_UNASSALPHA}, 1);
    }
    if ((grey || l->photometric == PHOTOMETRIC_PALETTE) && l->samples == 2 && !l->alpha) {
        warn(job, "its second channel is not read as alpha and is left out (save it as RGB with unassociated alpha)");
    }
    if (rgba && !l->alpha) { /* may be GraphicsMagick's alpha, or the infrared of a drone */
        warn(job,
             "its fourth channel is not marked as alpha and is left out (save it with unassociated alpha to use it)");
    }
    return check_samples(l, job->err);
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

/* L*a*b* to light. CIELAB: a and b have signs; ICCLAB: 128 in the upper byte is 0. */
static void lab_to_rgb(const layout *l, unsigned v[5])
{
    uint16_t lab[3], rgb[3];
    for (size_t k = 0; k < 3; k++) {
        const bool is_signed = k > 0 && l->photometric == PHOTOMETRIC_CIELAB;
        const unsigned x = is_signed ? v[k] ^ (l->bits == 16 ? 0x8000u : 0x80u) : v[k];
        const unsigned wide = l->bits == 8 ? x * 257u : k == 0 ? x : (unsigned)((uint64_t)x * 257 / 256);
        lab[k] = (uint16_t)(wide < 65535 ? wide : 65535);
    }
    mb_to_srgb_run(l->by_profile, rgb, lab, 1);
    for (size_t k = 0; k < 3; k++) {
        v[k] = l->bits == 8 ? (rgb[k] + 128u) / 257u : rgb[k];
    }
}

/* Ink to light; without a profile as the library's own conversion has it. */
static void cmyk_to_rgb(const layout *l, unsigned v[5], unsigned top)
{
    if (l->by_profile == NULL) {
        for (size_t k = 0; k < 3; k++) {
            v[k] = (unsigned)((uint64_t)(top - v[k]) * (top - v[3]) / top);
        }
        return;
    }
    uint16_t ink[4], rgb[3];
    for (size_t k = 0; k < 4; k++) {
        ink[k] = (uint16_t)(top == 255 ? v[k] * 257 : v[k]);
    }
    mb_to_srgb_run(l->by_profile, rgb, ink, 1);
    for (size_t k = 0; k < 3; k++) {
        v[k] = top == 255 ? (rgb[k] + 128u) / 257u : rgb[k];
    }
}

/* One pixel of the result; v: its colours, and its alpha behind them. */
static void put(const mb_decode_job *job, const layout *l, size_t i, unsigned v[5])
{
    const mb_load_info *info = job->info;
    const unsigned top = l->bits == 16 ? 65535 : 255, shift = l->bits == 16 ? 8 : 0;
    for (size_t k = 0; l->alpha && l->premultiplied && k < l->colours; k++) {
        const bool light = l->photometric != PHOTOMETRIC_MINISWHITE;
        v[k] = light ? straighten(v[k], v[l->colours], top) : top - straighten(top - v[k], v[l->colours], top);
    }
    if (l->colours == 4) {
        cmyk_to_rgb(l, v, top);
    } else if (l->lab) {
        lab_to_rgb(l, v);
    }
    for (size_t k = 0; k < 3; k++) {
        unsigned c = v[l->colours >= 3 ? k : 0];
        c = l->photometric == PHOTOMETRIC_MINISWHITE ? top - c : c;
        job->out->v[3 * i + k] = (uint8_t)(c >> shift);
        if (info->u16 != NULL) {
            info->u16[3 * i + k] = (uint16_t)c;
        }
    }
    if (info->alpha_plane.v != NULL) {
        info->alpha_plane.v[i] = (uint8_t)(v[l->colours] >> shift);
    }
    if (info->u16_alpha != NULL) {
        info->u16_alpha[i] = (uint16_t)v[l->colours];
    }
}

/* Pixels side by side, from pixel `at` of the result on. samples: of all planes together, or of the first plane, with
 * the next one `plane_bytes` behind. */
static void put_span(const mb_decode_job *job, const layout *l, size_t at, size_t n, const uint8_t *samples,
                     size_t plane_bytes)
{
    const size_t used = l->colours + (l->alpha ? 1 : 0);
    for (size_t x = 0; x < n; x++) {
        unsigned v[5] = {0};
        for (size_t k = 0; k < used; k++) {
            const size_t sample = k < l->colours ? k : l->alpha_at;
            v[k] = l->planar == PLANARCONFIG_SEPARATE ? sample_at(samples + k * plane_bytes, x, l->bits)
                                                      : sample_at(samples, x * l->samples + sample, l->bits);
        }
        put(job, l, at + x, v);
    }
}

/* Bytes of a row of `width` pixels, of one plane where they are apart. */
static size_t row_bytes(const layout *l, size_t width)
{
    return width * (l->planar == PLANARCONFIG_SEPARATE ? 1u : l->samples) * (l->bits / 8u);
}

/* Rows of samples side by side. */
static mb_status read_rows(TIFF *t, const layout *l, mb_decode_job *job)
{
    const size_t width = (size_t)job->head.width;
    const tmsize_t line = api.TIFFScanlineSize(t);
    mb_status status = MB_OK;
    if (line < 0 || (size_t)line < row_bytes(l, width)) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: its rows are too short");
    }
    uint8_t *row = mb_budget_alloc(job->budget, (size_t)line);
    if (row == NULL) {
        return mb_fail_memory(job->err, (size_t)line, "a row of a TIFF");
    }
    for (uint32_t y = 0; status == MB_OK && y < (uint32_t)job->head.height; y++, status = mb_decode_check(job)) {
        if (api.TIFFReadScanline(t, row, y, 0) < 0) {
            job->ended_early = true;
            job->rows = y;
            return MB_OK;
        }
        put_span(job, l, (size_t)y * width, width, row, 0);
    }
    return status;
}

/* What of a tile or strip lies inside the picture. */
static void put_block(const mb_decode_job *job, const layout *l, const uint8_t *block, size_t plane_bytes,
                      const uint32_t at[2], const uint32_t size[2])
{
    const uint32_t right = (uint32_t)job->head.width - at[0], below = (uint32_t)job->head.height - at[1];
    const uint32_t width = size[0] < right ? size[0] : right, height = size[1] < below ? size[1] : below;
    for (uint32_t y = 0; y < height; y++) {
        put_span(job, l, ((size_t)at[1] + y) * (size_t)job->head.width + at[0], width,
                 block + y * row_bytes(l, size[0]), plane_bytes);
    }
}

/* One tile, or one strip of one plane. */
static bool read_block(TIFF *t, const layout *l, uint8_t *block, tmsize_t bytes, const uint32_t at[2], size_t plane)
{
    return l->tiled ? api.TIFFReadTile(t, block, at[0], at[1], 0, (uint16_t)plane) >= 0
                    : api.TIFFReadEncodedStrip(t, api.TIFFComputeStrip(t, at[1], (uint16_t)plane), block, bytes) >= 0;
}

/* Tiles; and strips of planes, of which compressed ones cannot be read row by row in turn. */
static mb_status read_blocks(TIFF *t, const layout *l, mb_decode_job *job)
{
    const size_t used = l->colours + (l->alpha ? 1 : 0), planes = l->planar == PLANARCONFIG_SEPARATE ? used : 1;
    const tmsize_t bytes = l->tiled ? api.TIFFTileSize(t) : api.TIFFStripSize(t);
    uint32_t size[2] = {(uint32_t)job->head.width, 0};
    size_t need;
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_ROWSPERSTRIP, &size[1]);
    if (l->tiled) {
        (void)api.TIFFGetField(t, TIFFTAG_TILEWIDTH, &size[0]);
        (void)api.TIFFGetField(t, TIFFTAG_TILELENGTH, &size[1]);
    } else if (size[1] > (uint32_t)job->head.height) { /* also its default: all rows */
        size[1] = (uint32_t)job->head.height;
    }
    if (bytes <= 0 || size[0] < 1 || size[1] < 1 || size[0] > 1u << 20 ||
        !mb_mul_size(&need, row_bytes(l, size[0]), size[1]) || (size_t)bytes < need) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: its tiles or strips are too small");
    }
    uint8_t *block = mb_mul_size(&need, (size_t)bytes, planes) ? mb_budget_alloc(job->budget, need) : NULL;
    if (block == NULL) {
        return mb_fail(job->err, MB_E_MEMORY, "TIFF: decoding it needs more than %.1f MB of memory",
                       (double)job->budget->limit * 1e-6);
    }
    for (uint32_t y = 0; y < (uint32_t)job->head.height; y += size[1]) {
        for (uint32_t x = 0; x < (uint32_t)job->head.width; x += size[0]) {
            for (size_t p = 0; p < planes; p++) {
                const size_t plane = p < l->colours ? p : l->alpha_at;
                if (!read_block(t, l, block + p * (size_t)bytes, bytes, (const uint32_t[]){x, y}, plane)) {
                    job->ended_early = true;
                    job->rows = y;
                    return MB_OK;
                }
            }
            put_block(job, l, block, (size_t)bytes, (const uint32_t[]){x, y}, size);
        }
        mb_status status = mb_decode_check(job);
        if (status != MB_OK) {
            return status;
        }
    }
    return MB_OK;
}

/* By the library's conversion, whose alpha is multiplied into the colours. */
static mb_status read_rgba(TIFF *t, session *s)
{
    mb_decode_job *job = s->job;
    const size_t width = (size_t)job->head.width, n = width * (size_t)job->head.height;
    uint16_t orientation = ORIENTATION_TOPLEFT;
    char reason[1024] = "";
    if (!api.TIFFRGBAImageOK(t, reason)) {
        return mb_fail(job->err, MB_E_UNSUPPORTED, "TIFF of a kind that is not read: %.100s\nsave it as RGB", reason);
    }
    uint32_t *rgba = mb_budget_alloc(job->budget, 4 * n);
    if (rgba == NULL) {
        return mb_fail_memory(job->err, 4 * n, "a TIFF picture");
    }
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_ORIENTATION, &orientation);
    if (!api.TIFFReadRGBAImageOriented(t, (uint32_t)width, (uint32_t)job->head.height, rgba, orientation, 1)) {
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
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (unit != RESUNIT_NONE && api.TIFFGetField(t, TIFFTAG_XRESOLUTION, &x) &&
        api.TIFFGetField(t, TIFFTAG_YRESOLUTION, &y) && x >= 1 && y >= 1 && x < 1e6f && y < 1e6f) {
        m->dpi_x = (double)x * (unit == RESUNIT_CENTIMETER ? 2.54 : 1);
        m->dpi_y = (double)y * (unit == RESUNIT_CENTIMETER ? 2.54 : 1);
    }
    if (api.TIFFGetField(t, TIFFTAG_ICCPROFILE, &n, &icc) && icc != NULL) {
        return mb_metadata_set_icc(m, (mb_bytes){icc, n}, job->err);
    }
    return MB_OK;
}

/* Pages, without the small copies and masks that belong to one. */
static bool is_page(TIFF *t)
{
    uint32_t kind = 0;
    (void)api.TIFFGetFieldDefaulted(t, TIFFTAG_SUBFILETYPE, &kind);
    return (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0;
}

/* The next page after the current directory. */
static bool next_page(TIFF *t)
{
    while (!api.TIFFLastDirectory(t) && api.TIFFReadDirectory(t)) {
        if (is_page(t)) {
            return true;
        }
    }
    return false;
}

static mb_status decode(TIFF *t, session *s)
{
    mb_decode_job *job = s->job;
    mb_status status = MB_OK;
    layout l = {0};
    for (int page = 1; page < job->limits->frame; page++) {
        if (!next_page(t)) {
            MB_TRY(mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: page %d cannot be read", page + 1));
        }
    }
    MB_TRY(read_layout(&l, t, job));
    if (!api.TIFFIsCODECConfigured(l.compression)) { /* as JPEG 2000 and JPEG XL: it would end before its first row */
        MB_TRY(mb_fail(job->err, MB_E_UNSUPPORTED,
                       "TIFF whose compression (%u) this libtiff does not read\nsave it with LZW or uncompressed",
                       (unsigned)l.compression));
    }
    job->info->channels = l.samples < 4 ? l.samples : 4;
    job->info->bits = l.bits;
    if (l.lab) {
        l.by_profile = mb_to_srgb_create_lab(job->budget);
        l.lab = l.by_sample = l.by_profile != NULL;
        warn(job,
             l.lab ? "converted to sRGB from L*a*b*" : "its L*a*b* is converted roughly: this build has no Little CMS");
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
    if (l.by_sample && l.colours == 4) {
        l.by_profile = mb_decode_cmyk_profile(job);
    }
    MB_TRY(!l.by_sample                                   ? read_rgba(t, s)
           : l.tiled || l.planar == PLANARCONFIG_SEPARATE ? read_blocks(t, &l, job)
                                                          : read_rows(t, &l, job));
    if (job->limits->frame == 0 && next_page(t)) { /* looked for last: it leaves the first page */
        job->info->frames_ignored = true;
        warn(job, "several pages: only the first is used");
    }
done:
    mb_to_srgb_free(l.by_profile);
    return status;
}

mb_status mb_decode_tiff(mb_decode_job *job)
{
    if (!mb_library_open(&library)) {
        return mb_library_missing(&library, "TIFF", job->err);
    }
    session s = {.job = job};
    TIFF *t = open_tiff(&s);
    if (t == NULL) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged TIFF: %s\ncopy or download it again",
                       s.message[0] != '\0' ? s.message : "it cannot be opened");
    }
    mb_status status = decode(t, &s);
    api.TIFFClose(t);
    return status;
}

int mb_tiff_count(mb_decode_job *job)
{
    session s = {.job = job};
    TIFF *t = mb_library_open(&library) ? open_tiff(&s) : NULL;
    int n = t != NULL ? 1 : 0;
    while (t != NULL && n <= job->limits->max_frames && next_page(t)) {
        n++;
    }
    if (t != NULL) {
        api.TIFFClose(t);
    }
    return n;
}

void mb_tiff_version(char *text, size_t n)
{
    if (!mb_library_open(&library)) {
        (void)snprintf(text, n, "not found: %s", library.reason);
        return;
    }
    const char *all = api.TIFFGetVersion(); /* "LIBTIFF, Version 4.5.0\nCopyright ..." */
    const char *from = strstr(all, "Version ");
    from = from != NULL ? from + 8 : all;
    (void)snprintf(text, n, "libtiff %.*s", (int)strcspn(from, "\n"), from);
}

#else
typedef int mb_no_tiff; /* an empty file is not C */
#endif
