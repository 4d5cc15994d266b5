/* Loading: sniff, check the limits, decode within a budget, turn upright. See load.h for the promises. */
#include "image/codec/load.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/machine.h"
#include "image/codec/codec.h"
#include "image/codec/exif.h"
#include "image/codec/metadata.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_SIDE       65535
#define DEFAULT_MEGAPIXELS 500.0
#define DEFAULT_BYTES      ((size_t)1 << 30)
#define DEFAULT_FRAMES     10000
#define BUDGET_BASE        ((size_t)64 << 20)
#define BUDGET_PER_PIXEL   8
#define SMALL              ((size_t)64 << 20) /* pictures of so many bytes are not worth asking the system for its memory */
#define LARGE_PIXELS       4000000 /* of a picture that a file must be able to hold before memory for it is asked for */
#define MOST_PER_PIXEL     32      /* bytes of any block that is made for a picture */

void mb_load_limits_init(mb_load_limits *limits)
{
    *limits = (mb_load_limits){.max_side = DEFAULT_SIDE,
                               .max_megapixels = DEFAULT_MEGAPIXELS,
                               .max_bytes = DEFAULT_BYTES,
                               .max_frames = DEFAULT_FRAMES};
}

static const mb_decode_fn decoders[MB_FILE_TYPE_COUNT] = {
#if MB_HAVE_JPEG
    [MB_FILE_JPEG] = mb_decode_jpeg,
#else
    [MB_FILE_JPEG] = mb_decode_stb,
#endif
#if MB_HAVE_PNG
    [MB_FILE_PNG] = mb_decode_png,
#else
    [MB_FILE_PNG] = mb_decode_stb,
#endif
#if MB_HAVE_WEBP
    [MB_FILE_WEBP] = mb_decode_webp,
#endif
#if MB_HAVE_TIFF
    [MB_FILE_TIFF] = mb_decode_tiff,
#endif
#if MB_HAVE_HEIF
    [MB_FILE_HEIC] = mb_decode_heif, [MB_FILE_AVIF] = mb_decode_heif,
#endif
#if MB_HAVE_JXL
    [MB_FILE_JXL] = mb_decode_jxl,
#endif
    [MB_FILE_PNM] = mb_decode_pnm,   [MB_FILE_GIF] = mb_decode_gif,   [MB_FILE_BMP] = mb_decode_bmp,
    [MB_FILE_TGA] = mb_decode_stb,   [MB_FILE_PSD] = mb_decode_psd,   [MB_FILE_HDR] = mb_decode_hdr,
};

/* For `mattebox version --verbose`: which library reads what in this build. */
void mb_load_formats(char *text, size_t n)
{
    const char *jpeg = "stb_image", *png = "stb_image";
    char webp[40] = "not in this build", tiff[128] = "not in this build", heif[128] = "not in this build",
         jxl[128] = "not in this build";
#if MB_HAVE_JPEG
    jpeg = mb_jpeg_version();
#endif
#if MB_HAVE_PNG
    png = mb_png_version();
#endif
#if MB_HAVE_WEBP
    mb_webp_version(webp, sizeof webp);
#endif
#if MB_HAVE_TIFF
    mb_tiff_version(tiff, sizeof tiff);
#endif
#if MB_HAVE_HEIF
    mb_heif_version(heif, sizeof heif);
#endif
#if MB_HAVE_JXL
    mb_jxl_version(jxl, sizeof jxl);
#endif
    (void)snprintf(text, n,
                   "JPEG (%s), PNG (%s), WebP (%s), TIFF (%s), HEIC and AVIF (%s), JPEG XL (%s), BMP, TGA "
                   "(stb_image), GIF, PSD, HDR, PNM",
                   jpeg, png, webp, tiff, heif, jxl);
}

/* ---- text */

/* 31204 -> "31,204" */
static const char *grouped(char text[32], uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value), at = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) {
            text[at++] = ',';
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

/* So many digits that a picture just above the limit does not look like one that keeps to it. */
static const char *megapixels_text(char text[32], double value, double limit)
{
    char most[32];
    if (value >= 1000) {
        return grouped(text, (uint64_t)value);
    }
    int digits = 3;
    (void)snprintf(most, sizeof most, "%g", limit);
    do {
        (void)snprintf(text, 32, "%.*g", digits, value);
    } while (strcmp(text, most) == 0 && digits++ < 9);
    return text;
}

/* A name from outside may hold line feeds or escape sequences: they never reach a terminal. */
static void printable(char *dst, size_t size, const char *name)
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++) {
        unsigned char c = (unsigned char)name[i];
        dst[i] = c < 32 || c == 127 ? '?' : name[i];
    }
    while (name[i] != '\0' && i > 0 && ((unsigned char)dst[i - 1] & 0x80) != 0) {
        bool lead = ((unsigned char)dst[i - 1] & 0x40) != 0; /* cut: drop the last, perhaps broken, character */
        i--;
        if (lead) {
            break;
        }
    }
    dst[i] = '\0';
}

/* No format of ours: the message says what the file looks like instead. */
static mb_status unknown_type(const uint8_t *bytes, size_t n, mb_error *err)
{
    const char *guess = mb_sniff_guess(bytes, n);
    if (n == 0) {
        return mb_fail(err, MB_E_FORMAT, "not a picture (the file is empty)");
    }
    if (guess == NULL) {
        return mb_fail(err, MB_E_FORMAT, "not a picture (its first bytes are of no known format)");
    }
    return mb_fail(err, MB_E_FORMAT, "not a picture (it starts like %s)", guess);
}

/* A format that is known and not read: the message names a tool that converts it. */
static mb_status not_built_in(mb_file_type type, mb_error *err)
{
    const char *how = "convert it to PNG or JPEG";
    switch (type) {
    case MB_FILE_WEBP:
        how = "install libwebp-dev and rebuild, or convert it with dwebp";
        break;
    case MB_FILE_HEIC:
        how = "install libheif-dev and rebuild, or convert it with heif-convert";
        break;
    case MB_FILE_AVIF:
        how = "install libheif-dev and rebuild, or convert it with avifdec";
        break;
    case MB_FILE_TIFF:
        how = "install libtiff-dev and rebuild, or convert it with tiff2png";
        break;
    case MB_FILE_JXL:
        how = "install libjxl-dev and rebuild, or convert it with djxl";
        break;
    default:
        break;
    }
    return mb_fail(err, MB_E_UNSUPPORTED, "%s is not in this build\n%s", mb_file_type_name(type), how);
}

/* ---- limits */

/* Everything that can be refused by the header alone, before a decoder allocates or reads anything. */
static mb_status check_size(const mb_sniffed *s, const mb_load_limits *limits, mb_error *err)
{
    char w[32], h[32], mp[32], need_text[32];
    if (s->width < 1 || s->height < 1) {
        return mb_fail(err, MB_E_FORMAT,
                       "%s: the header is damaged or cut off: it gives no size\n"
                       "copy or download it again",
                       mb_file_type_name(s->type));
    }
    (void)grouped(w, (uint64_t)s->width);
    (void)grouped(h, (uint64_t)s->height);
    double megapixels = (double)s->width * (double)s->height * 1e-6;
    const double sayable = megapixels < 1e18 ? megapixels : 1e18; /* a header may claim more than 64 bits hold */
    const bool unsayable = megapixels * 1e6 > (double)(SIZE_MAX / MOST_PER_PIXEL); /* so that no size below overflows */
    if (megapixels > limits->max_megapixels || unsayable) {
        const double gb = megapixels * 12e-3;
        (void)snprintf(need_text, sizeof need_text, gb < 0.1 ? "%.3g MB" : "%.1f GB", gb < 0.1 ? gb * 1e3 : gb);
        return mb_fail(err, MB_E_ARGUMENT,
                       "%s×%s is %s megapixels; the limit is %g\n"
                       "mb_load_options.max_megapixels raises it; it would need %s",
                       w, h, megapixels_text(mp, sayable, limits->max_megapixels), limits->max_megapixels, need_text);
    }
    if (s->width > limits->max_side || s->height > limits->max_side) {
        return mb_fail(err, MB_E_ARGUMENT, "%s×%s: a side is longer than %s pixels\nscale it down first", w, h,
                       grouped(mp, (uint64_t)limits->max_side));
    }
    const size_t samples = limits->keep_alpha && s->alpha ? 4 : 3, bytes = limits->keep_depth && s->bits > 8 ? 3 : 1;
    const size_t need = (size_t)s->width * (size_t)s->height * samples * bytes;
    if (need > SMALL) {
        const size_t most = limits->max_memory > 0 ? limits->max_memory : mb_machine_memory();
        if (need > most) {
            return mb_fail(err, MB_E_MEMORY,
                           "%s×%s pixels take %.1f GB of memory; %.1f GB are %s\nscale it down first%s", w, h,
                           (double)need * 1e-9, (double)most * 1e-9, limits->max_memory > 0 ? "allowed" : "free",
                           limits->max_memory > 0 ? ", or raise max_memory" : "");
        }
    }
    return MB_OK;
}

/* What the header says; the decoder may add to it (alpha, warnings, 16 bits). */
static void fill_info(mb_load_info *info, const mb_sniffed *s)
{
    *info = (mb_load_info){.width = (int)s->width, .height = (int)s->height, .channels = s->channels, .bits = s->bits};
    const char *name = mb_file_type_name(s->type);
    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof info->format; i++) {
        info->format[i] = (char)tolower((unsigned char)name[i]);
    }
    info->orientation = 1;
    info->alpha = s->alpha;
    if (s->animated) {
        info->frames_ignored = true;
        (void)snprintf(info->warning, sizeof info->warning, "animated: only the first frame is used");
    }
}

/* ---- decoding */

bool mb_decode_may_fit(mb_decode_job *job, size_t row, size_t rows, size_t left)
{
    const size_t pixels = (size_t)job->head.width * (size_t)job->head.height;
    if (pixels < LARGE_PIXELS || job->limits->accept_partial || row == 0 || left / row >= rows) {
        return true;
    }
    job->ended_early = true;
    job->rows = -1;
    return false;
}

/* Black first: data that ends early leaves the rest so. */
mb_status mb_decode_begin(mb_decode_job *job)
{
    mb_status status = mb_image_u8_create(job->out, (int)job->head.width, (int)job->head.height, 3, job->err);
    if (status == MB_OK) {
        memset(job->out->v, 0, (size_t)job->head.width * (size_t)job->head.height * 3);
    }
    return status;
}

/* The 16-bit twin of the picture, only if the caller wants it. */
mb_status mb_decode_begin_u16(mb_decode_job *job)
{
    size_t bytes = (size_t)job->head.width * (size_t)job->head.height * 3 * sizeof(uint16_t); /* within the limits */
    if (!job->limits->keep_depth) {
        return MB_OK;
    }
    job->info->u16 = mb_alloc_aligned(bytes);
    if (job->info->u16 == NULL) {
        return mb_fail_memory(job->err, bytes, "a 16-bit picture");
    }
    memset(job->info->u16, 0, bytes);
    return MB_OK;
}

mb_status mb_decode_begin_alpha(mb_decode_job *job)
{
    mb_load_info *info = job->info;
    const size_t n = (size_t)job->head.width * (size_t)job->head.height, bytes = n * sizeof(uint16_t);
    if (!job->limits->keep_alpha) {
        return MB_OK;
    }
    mb_status status = mb_image_u8_create(&info->alpha_plane, (int)job->head.width, (int)job->head.height, 1, job->err);
    if (status != MB_OK) {
        return status;
    }
    memset(info->alpha_plane.v, 255, n);
    if (info->u16 != NULL) {
        info->u16_alpha = mb_alloc_aligned(bytes);
        if (info->u16_alpha == NULL) {
            return mb_fail_memory(job->err, bytes, "a 16-bit alpha");
        }
        memset(info->u16_alpha, 255, bytes);
    }
    return MB_OK;
}

mb_status mb_decode_set_size(mb_decode_job *job, int64_t width, int64_t height)
{
    job->head.width = width;
    job->head.height = height;
    mb_status status = check_size(&job->head, job->limits, job->err);
    if (status == MB_OK) {
        job->info->width = (int)width;
        job->info->height = (int)height;
        job->budget->limit = (size_t)width * (size_t)height * BUDGET_PER_PIXEL + BUDGET_BASE;
    }
    return status;
}

mb_to_srgb *mb_decode_cmyk_profile(mb_decode_job *job)
{
    const mb_metadata *m = job->limits->metadata;
    if (m == NULL || m->icc == NULL || job->limits->plain_colours) {
        return NULL;
    }
    mb_to_srgb *t = mb_to_srgb_create((mb_bytes){m->icc, m->icc_bytes}, 4, job->budget);
    job->by_profile = t != NULL;
    return t;
}

void mb_load_info_dispose(mb_load_info *info)
{
    mb_free_aligned(info->u16);
    mb_free_aligned(info->u16_alpha);
    mb_image_u8_dispose(&info->alpha_plane);
    info->u16 = info->u16_alpha = NULL;
}

/* *samples of `channels` 16-bit values a pixel, turned upright. NULL: nothing to do. */
static mb_status orient_wide(uint16_t **samples, const mb_image_u8 *stored, int channels, int orientation,
                             mb_error *err)
{
    size_t bytes = (size_t)stored->width * (size_t)stored->height * (size_t)channels * sizeof(uint16_t);
    uint16_t *turned = *samples != NULL ? mb_alloc_aligned(bytes) : NULL;
    if (*samples == NULL) {
        return MB_OK;
    }
    if (turned == NULL) {
        return mb_fail_memory(err, bytes, "a 16-bit picture");
    }
    const mb_pixel_block size = {stored->width, stored->height, channels * (int)sizeof(uint16_t)};
    mb_orient_pixels((uint8_t *)turned, (const uint8_t *)*samples, size, orientation);
    mb_free_aligned(*samples);
    *samples = turned;
    return MB_OK;
}

/* Colours, 16-bit samples and alpha as the EXIF orientation wants them. */
static mb_status orient_all(mb_image_u8 *out, mb_load_info *info, mb_image_u8 *stored, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 turned = {0};
    if (info->orientation == 1) {
        *out = *stored;
        *stored = (mb_image_u8){0};
        return MB_OK;
    }
    MB_TRY(mb_image_u8_orient(out, stored, info->orientation, err));
    MB_TRY(orient_wide(&info->u16, stored, 3, info->orientation, err));
    MB_TRY(orient_wide(&info->u16_alpha, stored, 1, info->orientation, err));
    if (info->alpha_plane.v != NULL) {
        MB_TRY(mb_image_u8_orient(&turned, &info->alpha_plane, info->orientation, err));
        mb_image_u8_dispose(&info->alpha_plane);
        info->alpha_plane = turned;
    }
done:
    return status;
}

/* An alpha that is opaque everywhere says nothing. */
static void drop_opaque_alpha(mb_load_info *info)
{
    const size_t n = (size_t)info->alpha_plane.width * (size_t)info->alpha_plane.height;
    for (size_t i = 0; i < n; i++) {
        if (info->alpha_plane.v[i] != 255 || (info->u16_alpha != NULL && info->u16_alpha[i] != 65535)) {
            return;
        }
    }
    mb_image_u8_dispose(&info->alpha_plane);
    mb_free_aligned(info->u16_alpha);
    info->u16_alpha = NULL;
}

void mb_spread_gray(uint8_t *dst, const uint8_t *gray, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[3 * i] = dst[3 * i + 1] = dst[3 * i + 2] = gray[i];
    }
}

/* What is missing is said in the error, or in the warning where partial pictures are welcome. */
static mb_status ended_early(const mb_decode_job *job)
{
    char bytes[32], row[32], rows[32], what[128];
    (void)grouped(bytes, job->n);
    if (job->rows >= 0) {
        (void)snprintf(what, sizeof what, "ends early: %s bytes, row %s of %s", bytes,
                       grouped(row, (uint64_t)job->rows), grouped(rows, (uint64_t)job->head.height));
    } else {
        (void)snprintf(what, sizeof what, "ends early: %s bytes", bytes);
    }
    if (!job->limits->accept_partial || job->rows == 0) {
        return mb_fail(job->err, MB_E_FORMAT, "%s\ncopy or download it again%s", what,
                       job->rows != 0 ? "; accept_partial=1 uses what is there" : "");
    }
    job->info->partial = true;
    (void)snprintf(job->info->warning, sizeof job->info->warning, "%s", what);
    return MB_OK;
}

/* A grey picture through the curve of its profile; false: it is not grey, or there is no such curve. */
static bool grey_by_profile(const mb_decode_job *job)
{
    const mb_metadata *m = job->limits->metadata;
    const size_t n = (size_t)job->out->width * (size_t)job->out->height, levels = 65536;
    uint16_t *table = NULL, *ramp = NULL;
    uint8_t *v = job->out->v;
    uint16_t *wide = job->info->u16;
    for (size_t i = 0; i < n; i++) {
        if (v[3 * i] != v[3 * i + 1] || v[3 * i] != v[3 * i + 2]) {
            return false;
        }
    }
    mb_to_srgb *t = mb_to_srgb_create((mb_bytes){m->icc, m->icc_bytes}, 1, job->budget);
    if (t != NULL) {
        ramp = mb_budget_alloc(job->budget, levels * sizeof *ramp);
        table = mb_budget_alloc(job->budget, levels * 3 * sizeof *table);
    }
    const bool ready = ramp != NULL && table != NULL;
    if (ready) {
        for (size_t i = 0; i < levels; i++) {
            ramp[i] = (uint16_t)i;
        }
        mb_to_srgb_run(t, table, ramp, levels);
        for (size_t i = 0; i < n; i++) {
            memset(v + 3 * i, (table[3 * (size_t)v[3 * i] * 257 + 1] + 128) / 257, 3);
        }
        for (size_t i = 0; wide != NULL && i < 3 * n; i++) {
            wide[i] = table[3 * (size_t)wide[i] + 1];
            v[i] = (uint8_t)(wide[i] >> 8);
        }
    }
    mb_to_srgb_free(t);
    mb_budget_free(job->budget, ramp);
    mb_budget_free(job->budget, table);
    return ready;
}

/* Results are RGB: what the profile of other colours says goes into the pixels, and the profile goes. */
static void settle_profile(const mb_decode_job *job)
{
    mb_metadata *m = job->limits->metadata;
    const mb_icc_colours colours = mb_metadata_icc_colours(m);
    if (colours == MB_ICC_RGB) {
        return;
    }
    const bool grey = colours == MB_ICC_GRAY, cmyk = colours == MB_ICC_CMYK;
    if ((grey && !job->limits->plain_colours && grey_by_profile(job)) || (cmyk && job->by_profile)) {
        mb_metadata_drop_icc(m, grey ? "converted to sRGB from its grey colour profile"
                                     : "converted to sRGB from its CMYK colour profile");
        return;
    }
    mb_metadata_drop_icc(m, grey   ? "its colour profile is for grey pictures: dropped"
                            : cmyk ? "its colour profile is for CMYK: dropped"
                                   : "its colour profile is for other colours: dropped");
}

/* Runs the decoder within its budget, decides what data that ended early is worth, and turns the picture upright. */
static mb_status decode(mb_image_u8 *out, mb_load_info *info, const mb_load_way *by, const mb_decode_job *facts)
{
    const mb_decode_fn decoder = by->decoder != NULL ? by->decoder : decoders[facts->head.type];
    mb_status status;
    mb_budget budget;
    mb_image_u8 stored = {0};
    mb_decode_job job = *facts;
    job.budget = &budget;
    job.out = &stored;
    size_t area = (size_t)job.head.width * (size_t)job.head.height;
    mb_budget_init(&budget, area * BUDGET_PER_PIXEL + BUDGET_BASE);
    MB_TRY(decoder(&job));
    if (job.ended_early) {
        MB_TRY(ended_early(&job));
    }
    drop_opaque_alpha(info);
    if (job.limits->metadata != NULL) {
        const mb_bytes file = {job.bytes, job.n};
        MB_TRY(by->decoder != NULL ? mb_metadata_copy(job.limits->metadata, by->metadata, job.err)
                                   : mb_metadata_read(job.limits->metadata, job.head.type, file, job.err));
        settle_profile(&job);
    }
    info->orientation = by->decoder != NULL ? by->orientation : mb_exif_orientation(job.head.type, job.bytes, job.n);
    MB_TRY(orient_all(out, info, &stored, job.err));
done:
    if (budget.starved && status != MB_E_MEMORY && status != MB_E_CANCELLED) {
        /* A decoder or a profile that went without: neither "damaged" nor other colours are the truth. */
        *job.err = (mb_error){0};
        status = mb_fail(job.err, MB_E_MEMORY, "out of memory while it was decoded");
    }
    mb_budget_release(&budget);
    mb_image_u8_dispose(&stored);
    return status;
}

bool mb_load_within_limits(const mb_sniffed *head, const mb_load_limits *limits)
{
    return head->width > 0 && check_size(head, limits, NULL) == MB_OK;
}

/* From bytes to an upright picture; messages do not name the file yet. */
static mb_status load(const mb_load_way *by, const mb_task *task, mb_image_u8 *out, mb_load_info *info,
                      const uint8_t *bytes, size_t n, const mb_load_limits *limits, mb_error *err)
{
    const mb_sniffed head = by->decoder != NULL ? *by->head : mb_sniff(bytes, n);
    if (head.type == MB_FILE_UNKNOWN) {
        return unknown_type(bytes, n, err);
    }
    if (decoders[head.type] == NULL) {
        return not_built_in(head.type, err);
    }
    mb_status status = check_size(&head, limits, err);
    if (status != MB_OK) {
        return status;
    }
    fill_info(info, &head);
    mb_decode_job job = {.task = task,
                         .bytes = bytes,
                         .n = n,
                         .head = head,
                         .limits = limits,
                         .info = info,
                         .rows = -1,
                         .user = by->user,
                         .err = err};
    return decode(out, info, by, &job);
}

static void prefix_name(mb_error *err, const char *name)
{
    char safe[256];
    printable(safe, sizeof safe, name != NULL ? name : "picture");
    mb_error_prefix(err, "%s", safe);
}

/* All messages get the name in front; after an error nothing is left to free. */
mb_status mb_load_by(const mb_load_way *by, const mb_task *task, mb_image_u8 *out, mb_load_info *info,
                     const void *bytes, size_t n, const char *name, const mb_load_limits *limits, mb_error *err)
{
    mb_load_limits standard;
    mb_load_info spare;
    mb_error local = {0};
    *out = (mb_image_u8){0};
    info = info != NULL ? info : &spare;
    *info = (mb_load_info){.orientation = 1};
    if (limits == NULL) {
        mb_load_limits_init(&standard);
        limits = &standard;
    }
    mb_status status = load(by, task, out, info, bytes, n, limits, &local);
    if (status != MB_OK) {
        prefix_name(&local, name);
        mb_image_u8_dispose(out);
        mb_load_info_dispose(info);
        return mb_fail(err, status, "%s", local.message);
    }
    if (info == &spare) {
        mb_load_info_dispose(info);
    }
    return MB_OK;
}

mb_status mb_load_memory(const mb_task *task, mb_image_u8 *out, mb_load_info *info, const void *bytes, size_t n,
                         const char *name, const mb_load_limits *limits, mb_error *err)
{
    const mb_load_way plain = {.decoder = NULL};
    return mb_load_by(&plain, task, out, info, bytes, n, name, limits, err);
}

/* The whole file is read at once, up to max_bytes: decoders work on memory. */
mb_status mb_load_file(const mb_task *task, mb_image_u8 *out, mb_load_info *info, const char *path,
                       const mb_load_limits *limits, mb_error *err)
{
    mb_load_limits standard;
    void *bytes = NULL;
    size_t n = 0;
    *out = (mb_image_u8){0};
    if (limits == NULL) {
        mb_load_limits_init(&standard);
        limits = &standard;
    }
    mb_status status = mb_read_file(&bytes, &n, path, limits->max_bytes, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_load_memory(task, out, info, bytes, n, strcmp(path, "-") == 0 ? "standard input" : path, limits, err);
    mb_free(bytes);
    return status;
}
