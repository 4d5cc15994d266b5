/* PNG through libpng's row functions: raw samples out of the library, our own conversion to RGB (load.h says which).
 *
 * Only IHDR, PLTE, tRNS and IDAT are looked at; every other chunk is dropped unread (text, profiles and gamma never
 * reach a parser), a wrong checksum of a critical chunk is fatal, and all memory, zlib's included, comes from the
 * budget. */
#include "image/codec/codec.h"

#if MB_HAVE_PNG

#include "core/alloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#define MAX_CHUNKS      1000
#define MAX_CHUNK_BYTES (4u << 20)

typedef struct session {
    png_structp png;
    png_infop info;
    mb_decode_job *job;
    size_t at; /* bytes read */
    bool out_of_data, out_of_memory;
    int channels, bits;
    size_t row_bytes;
    bool interlaced;
    uint8_t *raw;          /* one row, or the whole picture when interlaced; in the budget */
    uint8_t table[256][3]; /* grey levels or palette to RGB, for up to 8 bits */
    uint8_t clear[256];    /* their alpha */
    bool keyed;            /* one colour is transparent: */
    uint16_t key[3];       /* its samples */
    int64_t rows;
    char message[128];
} session;

static void on_error(png_structp png, png_const_charp message)
{
    session *s = png_get_error_ptr(png);
    (void)snprintf(s->message, sizeof s->message, "%s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* The source; running out of data is an error of its own. */
static void on_read(png_structp png, png_bytep dst, size_t n)
{
    session *s = png_get_io_ptr(png);
    if (n > s->job->n - s->at) {
        s->out_of_data = true;
        png_error(png, "ends early");
    }
    memcpy(dst, s->job->bytes + s->at, n);
    s->at += n;
}

static png_voidp on_alloc(png_structp png, png_alloc_size_t n)
{
    session *s = png_get_mem_ptr(png);
    void *p = mb_budget_alloc(s->job->budget, n);
    s->out_of_memory = s->out_of_memory || p == NULL;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    session *s = png_get_mem_ptr(png);
    mb_budget_free(s->job->budget, p);
}

/* The library's own limits under ours, and no checksum errors passed over in the picture's data. */
static void set_limits(session *s)
{
    png_structp png = s->png;
    png_set_read_fn(png, s, on_read);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_set_user_limits(png, (png_uint_32)s->job->limits->max_side, (png_uint_32)s->job->limits->max_side);
    png_set_chunk_cache_max(png, MAX_CHUNKS);
    png_set_chunk_malloc_max(png, MAX_CHUNK_BYTES);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* all ancillary ones but tRNS */
}

/* The lookup table for samples of up to 8 bits. Indices beyond the palette are black, as in Pillow. */
static void fill_table(session *s, int colour)
{
    png_colorp palette = NULL;
    int n = 0;
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        (void)png_get_PLTE(s->png, s->info, &palette, &n);
        for (int i = 0; i < n && i < 256; i++) {
            memcpy(s->table[i], (uint8_t[]){palette[i].red, palette[i].green, palette[i].blue}, 3);
        }
        return;
    }
    const int levels = s->bits < 8 ? (1 << s->bits) - 1 : 255;
    for (int i = 0; i <= levels; i++) {
        memset(s->table[i], i * 255 / levels, 3);
    }
}

/* Transparency beside the samples: a palette's, or one colour that is clear. */
static void read_trns(session *s, int colour)
{
    png_bytep alphas = NULL;
    png_color_16p key = NULL;
    int n = 0;
    memset(s->clear, 255, sizeof s->clear);
    if (png_get_tRNS(s->png, s->info, &alphas, &n, &key) == 0) {
        return;
    }
    s->job->info->alpha = true;
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        memcpy(s->clear, alphas, (size_t)(n < 256 ? n : 256));
    } else if (key != NULL) {
        const bool grey = colour == PNG_COLOR_TYPE_GRAY;
        s->keyed = true;
        memcpy(s->key,
               (uint16_t[]){grey ? key->gray : key->red, grey ? key->gray : key->green, grey ? key->gray : key->blue},
               sizeof s->key);
    }
}

/* Header, palette and transformations. Interlaced pictures need all rows at once, others one. */
static mb_status start(session *s)
{
    mb_decode_job *job = s->job;
    png_read_info(s->png, s->info);
    if (png_get_image_width(s->png, s->info) != (png_uint_32)job->head.width ||
        png_get_image_height(s->png, s->info) != (png_uint_32)job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged PNG: two headers give different sizes");
    }
    s->bits = png_get_bit_depth(s->png, s->info);
    s->channels = png_get_channels(s->png, s->info);
    s->interlaced = png_get_interlace_type(s->png, s->info) != PNG_INTERLACE_NONE;
    fill_table(s, png_get_color_type(s->png, s->info));
    read_trns(s, png_get_color_type(s->png, s->info));
    png_set_packing(s->png); /* 1, 2, 4 bits to a byte each, values unchanged */
    (void)png_set_interlace_handling(s->png);
    png_read_update_info(s->png, s->info);
    s->row_bytes = png_get_rowbytes(s->png, s->info);
    size_t rows = s->interlaced ? (size_t)job->head.height : 1, bytes;
    if (!mb_mul_size(&bytes, s->row_bytes, rows) || (s->raw = mb_budget_alloc(job->budget, bytes)) == NULL) {
        return mb_fail(job->err, MB_E_MEMORY, "PNG: decoding it needs more than %.1f MB of memory",
                       (double)job->budget->limit * 1e-6);
    }
    mb_status status = mb_decode_begin(job);
    if (status == MB_OK && s->bits == 16) {
        status = mb_decode_begin_u16(job);
    }
    return status == MB_OK && job->info->alpha ? mb_decode_begin_alpha(job) : status;
}

static unsigned sample_at(const session *s, const uint8_t *p)
{
    return s->bits == 16 ? (unsigned)p[0] << 8 | p[1] : p[0];
}

/* Alpha of a row, where it is wanted. */
static void convert_alpha(const session *s, int64_t y, const uint8_t *src)
{
    const size_t n = (size_t)s->job->head.width, c = (size_t)s->channels, step = s->bits == 16 ? 2 : 1;
    const mb_load_info *info = s->job->info;
    uint8_t *dst = info->alpha_plane.v != NULL ? info->alpha_plane.v + (size_t)y * n : NULL;
    uint16_t *wide = info->u16_alpha != NULL ? info->u16_alpha + (size_t)y * n : NULL;
    for (size_t i = 0; dst != NULL && i < n; i++, src += c * step) {
        unsigned v = s->bits == 16 ? 65535 : 255;
        if (c == 2 || c == 4) {
            v = sample_at(s, src + (c - 1) * step);
        } else if (s->keyed) {
            const size_t last = c == 3 ? 2 * step : 0, middle = c == 3 ? step : 0;
            v = sample_at(s, src) == s->key[0] && sample_at(s, src + middle) == s->key[1] &&
                        sample_at(s, src + last) == s->key[2]
                    ? 0
                    : v;
        } else if (c == 1 && s->bits <= 8) {
            v = s->clear[src[0]];
        }
        dst[i] = (uint8_t)(s->bits == 16 ? v >> 8 : v);
        if (wide != NULL) {
            wide[i] = (uint16_t)v;
        }
    }
}

/* Both bytes of each sample, where they are wanted. */
static void convert_u16(const session *s, int64_t y, const uint8_t *src)
{
    const size_t n = (size_t)s->job->head.width, c = (size_t)s->channels, colours = c >= 3 ? 2 : 0;
    if (s->job->info->u16 == NULL) {
        return;
    }
    uint16_t *dst = s->job->info->u16 + (size_t)y * n * 3;
    for (size_t i = 0; i < n; i++, src += c * 2, dst += 3) {
        for (size_t k = 0; k < 3; k++) {
            const uint8_t *p = src + k * colours;
            dst[k] = (uint16_t)(p[0] << 8 | p[1]);
        }
    }
}

/* One raw row to RGB: through the table (palette, grey of up to 8 bits), by copying, or sample by sample. */
static void convert_row(const session *s, int64_t y, const uint8_t *src)
{
    uint8_t *dst = s->job->out->v + (size_t)y * (size_t)s->job->head.width * 3;
    convert_alpha(s, y, src);
    if (s->bits == 16) {
        convert_u16(s, y, src);
    }
    const size_t n = (size_t)s->job->head.width, c = (size_t)s->channels, step = s->bits == 16 ? 2 : 1;
    if (s->bits <= 8 && c == 1) {
        for (size_t i = 0; i < n; i++) {
            memcpy(dst + 3 * i, s->table[src[i]], 3);
        }
        return;
    }
    if (c == 3 && step == 1) {
        memcpy(dst, src, 3 * n);
        return;
    }
    const size_t g = c >= 3 ? step : 0, b = 2 * g; /* 16 bits: the upper byte comes first */
    for (size_t i = 0; i < n; i++, src += c * step, dst += 3) {
        dst[0] = src[0];
        dst[1] = src[g];
        dst[2] = src[b];
    }
}

static void convert_raw(const session *s)
{
    for (int64_t y = 0; y < s->job->head.height; y++) {
        convert_row(s, y, s->raw + (size_t)y * s->row_bytes);
    }
}

/* Seven passes over the raw picture where it is interlaced, else row by row. */
static mb_status read_rows(session *s)
{
    const int64_t height = s->job->head.height;
    mb_status status = MB_OK;
    if (s->interlaced) {
        for (int64_t i = 0; status == MB_OK && i < 7 * height; i++) {
            png_read_row(s->png, s->raw + (size_t)(i % height) * s->row_bytes, NULL);
            status = mb_decode_check(s->job);
        }
        convert_raw(s);
        return status;
    }
    for (; status == MB_OK && s->rows < height; s->rows++) {
        png_read_row(s->png, s->raw, NULL);
        convert_row(s, s->rows, s->raw);
        status = mb_decode_check(s->job);
    }
    return status;
}

/* What the longjmp was about, as a status. Interlaced data that ends early leaves a coarse picture. */
static mb_status fail(session *s)
{
    mb_decode_job *job = s->job;
    if (s->out_of_memory) {
        return mb_fail(job->err, MB_E_MEMORY, "PNG: decoding it needs more than %.1f MB of memory",
                       (double)job->budget->limit * 1e-6);
    }
    if (s->out_of_data) {
        job->ended_early = true;
        job->rows = s->interlaced && job->out->v != NULL ? -1 : s->rows;
        if (s->interlaced && job->out->v != NULL) {
            convert_raw(s);
        }
        return MB_OK; /* load.c has the message */
    }
    return mb_fail(job->err, MB_E_FORMAT, "damaged PNG: %s%s\ncopy or download it again", s->message,
                   s->rows > 0 ? " (in the picture data)" : "");
}

/* The one place that errors jump to. The library allocates from the budget, so nothing can leak. */
mb_status mb_decode_png(mb_decode_job *job)
{
    session *s = mb_budget_alloc(job->budget, sizeof *s); /* on the heap: longjmp must not meet it in registers */
    if (s == NULL) {
        return mb_fail_memory(job->err, sizeof *s, "a PNG decoder");
    }
    s->job = job;
    s->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, s, on_error, on_warning, s, on_alloc, on_free);
    s->info = s->png != NULL ? png_create_info_struct(s->png) : NULL;
    if (s->info == NULL) {
        png_destroy_read_struct(&s->png, NULL, NULL);
        return mb_fail_memory(job->err, sizeof *s, "a PNG decoder");
    }
    if (setjmp(png_jmpbuf(s->png)) != 0) {
        mb_status failed = fail(s);
        png_destroy_read_struct(&s->png, &s->info, NULL);
        return failed;
    }
    set_limits(s);
    mb_status status = start(s);
    if (status == MB_OK) {
        status = read_rows(s);
    }
    png_destroy_read_struct(&s->png, &s->info, NULL);
    return status;
}

const char *mb_png_version(void)
{
    return "libpng " PNG_LIBPNG_VER_STRING;
}

#else
typedef int mb_no_png; /* an empty file is not C */
#endif
