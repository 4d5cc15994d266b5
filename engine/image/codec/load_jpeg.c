/* JPEG through libjpeg-turbo, with the settings of Pillow: accurate DCT, smooth upsampling, and so the same bytes.
 *
 * Errors leave the library by longjmp to one place; warnings are counted. Memory: the library's own pools, capped by
 * max_memory_to_use and freed by jpeg_destroy. The source gives an end marker when the data runs out; what is missing
 * then is told by the warnings (sequential) or by the coefficients that were never refined (progressive). */
#include "image/codec/codec.h"

#if MB_HAVE_JPEG

#include "core/alloc.h"
#include "image/codec/metadata.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define MAX_SCANS 100

typedef struct session {
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    mb_decode_job *job;
    uint8_t *row;           /* grey or CMYK samples of one row; in the budget */
    uint16_t *wide;         /* of CMYK by its profile: inks of a row, colours behind them; in the budget */
    mb_to_srgb *by_profile; /* NULL: the plain formula */
    bool out_of_data, stopped;
    int64_t first_bad_row; /* output row at the first sign of missing data; -1: none */
    char message[JMSG_LENGTH_MAX];
} session;

static session *session_of(j_common_ptr c)
{
    return c->client_data;
}

static void on_error(j_common_ptr c)
{
    session *s = session_of(c);
    s->errors.format_message(c, s->message);
    longjmp(s->failed, 1);
}

/* Warnings are counted; the first sign of missing data is remembered with its row. */
static void on_message(j_common_ptr c, int level)
{
    session *s = session_of(c);
    if (level >= 0) {
        return;
    }
    s->errors.num_warnings++;
    if (s->out_of_data && s->errors.msg_code == JWRN_HIT_MARKER && s->first_bad_row < 0) {
        s->first_bad_row = s->d.output_scanline;
    }
}

static void on_output(j_common_ptr c)
{
    (void)c; /* the library prints nothing */
}

/* Called for every few rows, read or written. A small file can hold thousands of scans, each of which costs a pass over
 * the picture. */
static void on_progress(j_common_ptr c)
{
    session *s = session_of(c);
    if (mb_should_stop(s->job->task)) {
        s->stopped = true;
        longjmp(s->failed, 1);
    }
    if (s->d.input_scan_number > MAX_SCANS) {
        (void)snprintf(s->message, sizeof s->message, "it has more than %d scans", MAX_SCANS);
        longjmp(s->failed, 1);
    }
}

/* ---- source: all bytes at once, then end markers */

static void source_begin(j_decompress_ptr d)
{
    (void)d;
}

/* The data has run out: an end-of-image marker makes the library finish with what it has. */
static boolean source_fill(j_decompress_ptr d)
{
    static const JOCTET end[2] = {0xFF, JPEG_EOI};
    session_of((j_common_ptr)d)->out_of_data = true;
    d->src->next_input_byte = end;
    d->src->bytes_in_buffer = 2;
    return TRUE;
}

/* Over an application segment; beyond the end like running out of data. */
static void source_skip(j_decompress_ptr d, long n)
{
    if (n > 0 && (size_t)n <= d->src->bytes_in_buffer) {
        d->src->next_input_byte += n;
        d->src->bytes_in_buffer -= (size_t)n;
    } else if (n > 0) {
        (void)source_fill(d);
    }
}

static void source_end(j_decompress_ptr d)
{
    (void)d;
}

/* Hooks of the library; nothing here allocates or can fail. */
static void session_init(session *s, mb_decode_job *job)
{
    *s = (session){.job = job, .first_bad_row = -1};
    s->d.err = jpeg_std_error(&s->errors);
    s->d.client_data = s;
    s->errors.error_exit = on_error;
    s->errors.emit_message = on_message;
    s->errors.output_message = on_output;
    s->progress.progress_monitor = on_progress;
    s->source = (struct jpeg_source_mgr){.next_input_byte = job->bytes,
                                         .bytes_in_buffer = job->n,
                                         .init_source = source_begin,
                                         .fill_input_buffer = source_fill,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_end};
}

/* ---- colours: the library gives grey, RGB, or CMYK as stored (Adobe's files store it inverted, and so does everybody)
 */

static uint8_t mul_div_255(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return (uint8_t)((t + (t >> 8)) >> 8);
}

/* CMYK as stored (inverted) to RGB, as Pillow converts it. */
static void cmyk_row(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++, src += 4, dst += 3) {
        const unsigned light = src[3]; /* 255 - K */
        for (int c = 0; c < 3; c++) {
            int v = (int)light - (int)mul_div_255(255u - src[c], light);
            dst[c] = (uint8_t)(v > 0 ? v : 0);
        }
    }
}

/* The same by the picture's profile, the row lies in s->row. */
static void cmyk_row_by_profile(const session *s, uint8_t *dst, size_t n)
{
    uint16_t *ink = s->wide, *rgb = s->wide + 4 * n;
    for (size_t i = 0; i < 4 * n; i++) {
        ink[i] = (uint16_t)((255u - s->row[i]) * 257u);
    }
    mb_to_srgb_run(s->by_profile, rgb, ink, n);
    for (size_t i = 0; i < 3 * n; i++) {
        dst[i] = (uint8_t)((rgb[i] + 128u) / 257u);
    }
}

/* Up to four rows at once where they need no conversion: the library decodes in groups of rows anyway. */
static void read_rows(session *s)
{
    struct jpeg_decompress_struct *d = &s->d;
    const size_t width = d->output_width;
    while (d->output_scanline < d->output_height) {
        uint8_t *dst = s->job->out->v + (size_t)d->output_scanline * width * 3;
        if (d->out_color_space == JCS_RGB) {
            JSAMPROW rows[4] = {dst, dst + 3 * width, dst + 6 * width, dst + 9 * width};
            JDIMENSION left = d->output_height - d->output_scanline;
            (void)jpeg_read_scanlines(d, rows, left < 4 ? left : 4);
            continue;
        }
        JSAMPROW row = s->row;
        (void)jpeg_read_scanlines(d, &row, 1);
        if (d->out_color_space == JCS_CMYK && s->by_profile != NULL) {
            cmyk_row_by_profile(s, dst, width);
        } else if (d->out_color_space == JCS_CMYK) {
            cmyk_row(dst, s->row, width);
        } else {
            mb_spread_gray(dst, s->row, width);
        }
    }
}

/* Progressive: every coefficient of every component refined to its last bit? */
static bool fully_refined(const struct jpeg_decompress_struct *d)
{
    if (d->coef_bits == NULL) {
        return true;
    }
    for (int c = 0; c < d->num_components; c++) {
        for (int k = 0; k < DCTSIZE2; k++) {
            if (d->coef_bits[c][k] != 0) {
                return false;
            }
        }
    }
    return true;
}

/* What the warnings mean: rows that are missing, or faults in the middle. */
static void note_damage(session *s, bool refined)
{
    mb_decode_job *job = s->job;
    if (s->first_bad_row >= 0 || (s->out_of_data && !refined)) {
        job->ended_early = true;
        job->rows = s->d.progressive_mode || s->d.buffered_image || s->first_bad_row < 0 ? -1 : s->first_bad_row;
    } else if (s->errors.num_warnings > 0 && job->info->warning[0] == '\0') {
        (void)snprintf(job->info->warning, sizeof job->info->warning,
                       "damaged: %ld faults in the JPEG data, parts may be wrong", s->errors.num_warnings);
    }
}

/* What the longjmp was about, as a status. */
static mb_status fail(session *s)
{
    mb_decode_job *job = s->job;
    if (s->stopped) {
        return mb_fail(job->err, MB_E_CANCELLED, "cancelled");
    }
    if (s->errors.msg_code == JERR_NO_BACKING_STORE || s->errors.msg_code == JERR_OUT_OF_MEMORY) {
        return mb_fail(job->err, MB_E_MEMORY, "JPEG: decoding it needs more than %.1f MB of memory",
                       (double)job->budget->limit * 1e-6);
    }
    if (s->out_of_data) {
        job->ended_early = true;
        job->rows = 0;
        return MB_OK; /* load.c has the message */
    }
    return mb_fail(job->err, MB_E_FORMAT, "damaged JPEG: %s\ncopy or download it again", s->message);
}

/* The profile is needed before the rows. */
static mb_status start_cmyk(session *s)
{
    mb_decode_job *job = s->job;
    const size_t width = (size_t)job->head.width;
    mb_status status = mb_decode_begin(job);
    if (status == MB_OK && job->limits->metadata != NULL) {
        status = mb_metadata_read(job->limits->metadata, MB_FILE_JPEG, (mb_bytes){job->bytes, job->n}, job->err);
    }
    s->by_profile = status == MB_OK ? mb_decode_cmyk_profile(job) : NULL;
    if (s->by_profile != NULL) {
        s->wide = mb_budget_alloc(job->budget, 7 * width * sizeof *s->wide);
        status = s->wide != NULL ? MB_OK : mb_fail_memory(job->err, 7 * width * sizeof *s->wide, "a row");
    }
    return status;
}

/* The header: its size must be the one that was checked against the limits, its colours one of three kinds. */
static mb_status start(session *s)
{
    mb_decode_job *job = s->job;
    struct jpeg_decompress_struct *d = &s->d;
    (void)jpeg_read_header(d, TRUE);
    if (d->image_width != (JDIMENSION)job->head.width || d->image_height != (JDIMENSION)job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged JPEG: two headers give different sizes");
    }
    switch (d->num_components) {
    case 1:
        d->out_color_space = JCS_GRAYSCALE;
        break;
    case 3:
        d->out_color_space = JCS_RGB;
        break;
    case 4:
        d->out_color_space = JCS_CMYK;
        break;
    default:
        return mb_fail(job->err, MB_E_UNSUPPORTED, "JPEG with %d components: 1, 3 or 4", d->num_components);
    }
    if (job->budget->limit < LONG_MAX) {
        d->mem->max_memory_to_use = (long)job->budget->limit;
    }
    s->row = mb_budget_alloc(job->budget, (size_t)job->head.width * 4);
    if (s->row == NULL) {
        return mb_fail_memory(job->err, (size_t)job->head.width * 4, "a row");
    }
    return d->out_color_space == JCS_CMYK ? start_cmyk(s) : mb_decode_begin(job);
}

/* The one place that errors jump to. Whatever happens, the library frees its pools here. */
mb_status mb_decode_jpeg(mb_decode_job *job)
{
    session *s = mb_budget_alloc(job->budget, sizeof *s); /* on the heap: longjmp must not meet it in registers */
    if (s == NULL) {
        return mb_fail_memory(job->err, sizeof *s, "a JPEG decoder");
    }
    session_init(s, job);
    if (setjmp(s->failed) != 0) {
        jpeg_destroy_decompress(&s->d);
        mb_to_srgb_free(s->by_profile);
        return fail(s);
    }
    jpeg_create_decompress(&s->d);
    s->d.err = &s->errors; /* creation clears the rest of the struct */
    s->d.client_data = s;
    s->d.src = &s->source;
    s->d.progress = &s->progress;
    mb_status status = start(s);
    if (status == MB_OK) {
        (void)jpeg_start_decompress(&s->d);
        read_rows(s);
        note_damage(s, fully_refined(&s->d));
    }
    jpeg_destroy_decompress(&s->d);
    mb_to_srgb_free(s->by_profile);
    return status;
}

#define QUOTE(x)       #x
#define QUOTE_VALUE(x) QUOTE(x)

const char *mb_jpeg_version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " QUOTE_VALUE(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " QUOTE_VALUE(JPEG_LIB_VERSION);
#endif
}

#else
typedef int mb_no_jpeg; /* an empty file is not C */
#endif
