/* A PNG writer made for speed: rows are filtered and compressed in strips, side by side.
 *
 * Each strip is a raw deflate stream of its own that ends on a byte boundary (Z_SYNC_FLUSH) and starts with the 32 KiB
 * before it as dictionary, so the strips simply follow one another in one zlib stream; their checksums are combined
 * (adler32_combine). Strips are cut by size, not by threads: the bytes are the same for any pool. Filters are chosen
 * per row by the smallest sum of absolute differences among Sub, Up and Paeth, which on photos is within 1 % of all
 * five.
 *
 * What the filters leave of a photo is noise, in which repeated texts are found by chance only: run lengths alone (Z_RLE)
 * give a smaller file there in less than half of the time. Drawings and masks do repeat. So each strip is compressed in
 * the way that is smaller on a piece of it. */
#include "image/codec/save.h"

#include "core/alloc.h"
#include "core/cpu.h"
#include "image/convert.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define STRIP_BYTES ((size_t)512 << 10)
#define WINDOW      ((size_t)32 << 10)
#define SAMPLE      ((size_t)32 << 10) /* of a strip, to choose how it is compressed */

#define INLINE static inline __attribute__((always_inline))

typedef struct strip {
    uint8_t *data; /* compressed */
    size_t bytes, raw_bytes;
    uLong adler;
    bool failed;
} strip;

typedef struct writer {
    mb_image image; /* samples as the file has them: big-endian, RGB order; or the source when it is so already */
    const mb_save_spec *spec;
    size_t row_bytes, pixel_bytes;
    size_t rows_per_strip, n_strips;
    strip *strips;
    uint8_t *icc; /* compressed profile, or NULL */
    size_t icc_bytes;
} writer;

static const char ICC_NAME[] = "ICC profile";

/* ---- filters: dst gets the filter's number and the row */

INLINE int paeth(int a, int b, int c)
{
    int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

INLINE unsigned cost(uint8_t v)
{
    return v < 128 ? v : 256u - v;
}

/* One filter over a row; `up` NULL stands for a row of zeros. Returns the sum of absolute differences. */
INLINE uint64_t filter_row(uint8_t *dst, const uint8_t *row, const uint8_t *up, size_t n, size_t bpp, int kind)
{
    uint64_t sum = 0;
    dst[0] = (uint8_t)kind;
    dst++;
    for (size_t i = 0; i < bpp && i < n; i++) { /* no left neighbour */
        dst[i] = (uint8_t)(row[i] - (kind == 1 ? 0 : up[i]));
        sum += cost(dst[i]);
    }
    for (size_t from = bpp; from < n; from += 1024) { /* 32-bit sums inside: they vectorise well */
        size_t to = n - from < 1024 ? n : from + 1024;
        unsigned part = 0;
        for (size_t i = from; i < to; i++) {
            int left = row[i - bpp];
            int guess = kind == 1 ? left : kind == 2 ? up[i] : paeth(left, up[i], up[i - bpp]);
            dst[i] = (uint8_t)(row[i] - guess);
            part += cost(dst[i]);
        }
        sum += part;
    }
    return sum;
}

INLINE const uint8_t *best_filter_body(uint8_t *tries, const uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    uint8_t *sub = tries, *above = tries + n + 1, *both = above + n + 1;
    uint64_t s = filter_row(sub, row, up, n, bpp, 1), u = filter_row(above, row, up, n, bpp, 2),
             p = filter_row(both, row, up, n, bpp, 4);
    return u <= s && u <= p ? above : s <= p ? sub : both;
}

static const uint8_t *best_filter_generic(uint8_t *tries, const uint8_t *row, const uint8_t *up, size_t n, size_t bpp)
{
    return best_filter_body(tries, row, up, n, bpp);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static const uint8_t *best_filter_avx2(uint8_t *tries, const uint8_t *row,
                                                                       const uint8_t *up, size_t n, size_t bpp)
{
    return best_filter_body(tries, row, up, n, bpp);
}
#endif

typedef const uint8_t *(*filter_fn)(uint8_t *, const uint8_t *, const uint8_t *, size_t, size_t);

/* The AVX2 copy of the same source gives the same bytes. */
static filter_fn choose_filter(void)
{
#if defined(__x86_64__)
    mb_isa isa;
    if (mb_cpu_choose_isa(&isa, NULL) == MB_OK && isa >= MB_ISA_AVX2) {
        return best_filter_avx2;
    }
#endif
    return best_filter_generic;
}

/* ---- strips */

static const uint8_t *source_row(const writer *w, size_t y)
{
    return (const uint8_t *)w->image.data + y * w->image.row_bytes;
}

/* Filters rows [from, to) into dst (row_bytes + 1 each). */
static bool filter_rows(const writer *w, uint8_t *dst, size_t from, size_t to)
{
    const size_t n = w->row_bytes;
    uint8_t *tries = mb_alloc_array(4, n + 1);
    if (tries == NULL) {
        return false;
    }
    uint8_t *zeros = tries + 3 * (n + 1);
    filter_fn best = choose_filter();
    memset(zeros, 0, n);
    for (size_t y = from; y < to; y++, dst += n + 1) {
        const uint8_t *up = y > 0 ? source_row(w, y - 1) : zeros;
        if (w->spec->level == 0) { /* stored: filtering would gain nothing */
            dst[0] = 0;
            memcpy(dst + 1, source_row(w, y), n);
        } else {
            memcpy(dst, best(tries, source_row(w, y), up, n, w->pixel_bytes), n + 1);
        }
    }
    mb_free(tries);
    return true;
}

/* Rows that are one after the other, filtered: what a stretch of the stream is made of. */
typedef struct stretch {
    const uint8_t *raw;
    size_t bytes, n_before; /* n_before: that many bytes before `raw` may be referred to */
    bool last;              /* it ends the stream */
} stretch;

/* A stretch as a piece of one raw deflate stream: it may refer back to the bytes before it (its dictionary) and ends
 * on a byte, the last one with the end mark. *out: the caller's, also on failure. */
static bool deflate_stretch(uint8_t **out, size_t *bytes, int level, int strategy, const stretch *t)
{
    z_stream z = {0};
    *out = NULL;
    if (deflateInit2(&z, level, Z_DEFLATED, -15, 9, strategy) != Z_OK) {
        return false;
    }
    const size_t bound = (size_t)deflateBound(&z, (uLong)t->bytes) + 64;
    *out = mb_alloc(bound);
    bool ok = *out != NULL;
    if (ok && t->n_before > 0) {
        ok = deflateSetDictionary(&z, t->raw - t->n_before, (uInt)t->n_before) == Z_OK;
    }
    z.next_in = (Bytef *)(uintptr_t)t->raw;
    z.avail_in = (uInt)t->bytes;
    z.next_out = *out;
    z.avail_out = (uInt)bound;
    int code = ok ? deflate(&z, t->last ? Z_FINISH : Z_SYNC_FLUSH) : Z_MEM_ERROR;
    ok = ok && z.avail_in == 0 && code == (t->last ? Z_STREAM_END : Z_OK);
    *bytes = bound - z.avail_out;
    (void)deflateEnd(&z);
    return ok;
}

/* Which ways to compress a strip: by a piece from its middle. Where that says little, high levels try both in full,
 * and level 9 always does. */
static bool choose_ways(bool *runs, bool *repeats, int level, const uint8_t *raw, size_t bytes)
{
    const size_t n = bytes < SAMPLE ? bytes : SAMPLE;
    const stretch sample = {.raw = raw + (bytes - n) / 2, .bytes = n, .last = true};
    uint8_t *out;
    size_t by_runs = 0, by_repeats = 0;
    *runs = level == 9;
    *repeats = level == 0 || level == 9;
    if (*runs || *repeats) {
        return true;
    }
    bool ok = deflate_stretch(&out, &by_runs, level, Z_RLE, &sample);
    mb_free(out);
    if (ok) {
        ok = deflate_stretch(&out, &by_repeats, level, Z_DEFAULT_STRATEGY, &sample);
        mb_free(out);
    }
    const bool close = by_runs - by_runs / 16 < by_repeats && by_repeats - by_repeats / 16 < by_runs;
    *runs = by_runs <= by_repeats || (close && level > 5);
    *repeats = by_repeats < by_runs || (close && level > 5);
    return ok;
}

/* Keeps the result where it is smaller than what the strip has. */
static bool compress_strip(strip *s, int level, int strategy, const stretch *t)
{
    uint8_t *data;
    size_t bytes;
    bool ok = deflate_stretch(&data, &bytes, level, strategy, t);
    if (ok && (s->data == NULL || bytes < s->bytes)) {
        mb_free(s->data);
        s->data = data;
        s->bytes = bytes;
        return true;
    }
    mb_free(data);
    return ok;
}

/* Filters and compresses one strip. Only repeats look at what stands before it: those rows are filtered again. */
static void do_strip(const writer *w, size_t index)
{
    strip *s = &w->strips[index];
    const size_t line = w->row_bytes + 1, height = (size_t)w->image.height;
    const int level = w->spec->level;
    size_t from = index * w->rows_per_strip, to = from + w->rows_per_strip;
    to = to < height ? to : height;
    size_t overlap = index > 0 ? (WINDOW + line - 1) / line : 0; /* rows before it: its dictionary */
    overlap = overlap < from ? overlap : from;
    uint8_t *raw = mb_alloc_array(to - from + overlap, line);
    uint8_t *start = raw != NULL ? raw + overlap * line : NULL;
    stretch t = {.raw = start, .bytes = (to - from) * line, .last = index + 1 == w->n_strips};
    bool runs = false, repeats = false;
    bool ok = raw != NULL && filter_rows(w, start, from, to) && choose_ways(&runs, &repeats, level, start, t.bytes);
    if (ok && runs) {
        ok = compress_strip(s, level, Z_RLE, &t);
    }
    if (ok && repeats) {
        t.n_before = overlap * line < WINDOW ? overlap * line : WINDOW;
        ok = filter_rows(w, raw, from - overlap, from) && compress_strip(s, level, Z_DEFAULT_STRATEGY, &t);
    }
    if (ok) {
        s->raw_bytes = t.bytes;
        s->adler = adler32_z(adler32(0, NULL, 0), start, t.bytes);
    }
    s->failed = !ok;
    mb_free(raw);
}

static void do_strips(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        do_strip(arg, i);
    }
}

/* ---- the file */

/* PNG is big-endian. */
static uint8_t *put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

/* Closes the chunk that starts at `start` (length, name, data up to `end`). */
static uint8_t *end_chunk(uint8_t *start, uint8_t *end)
{
    (void)put32(start, (uint32_t)(end - start - 8));
    return put32(end, (uint32_t)crc32_z(0, start + 4, (size_t)(end - start - 4)));
}

static uint8_t *begin_chunk(uint8_t *p, const char *name)
{
    memcpy(p + 4, name, 4);
    return p + 8;
}

/* Signature and IHDR: size, bits, colour type, and three zeros (deflate, the five filters, not interlaced). */
static uint8_t *put_header(uint8_t *p, const mb_image *image)
{
    static const uint8_t colour[5] = {0, 2, 2, 6, 6};
    memcpy(p, "\x89PNG\r\n\x1A\n", 8);
    uint8_t *start = p + 8, *q = begin_chunk(start, "IHDR");
    q = put32(put32(q, (uint32_t)image->width), (uint32_t)image->height);
    memcpy(q, (uint8_t[]){image->depth == MB_DEPTH_U16 ? 16 : 8, colour[image->pixels], 0, 0, 0}, 5);
    return end_chunk(start, q + 5);
}

/* One tEXt chunk, if the spec has a text. */
static uint8_t *put_text(uint8_t *p, const mb_save_spec *spec)
{
    if (spec->text_key == NULL || spec->text == NULL) {
        return p;
    }
    size_t key = strlen(spec->text_key), text = strlen(spec->text);
    uint8_t *q = begin_chunk(p, "tEXt");
    memcpy(q, spec->text_key, key + 1);
    memcpy(q + key + 1, spec->text, text);
    return end_chunk(p, q + key + 1 + text);
}

/* Profile, resolution and EXIF, which stand before the pixels. icc: compressed. */
static uint8_t *put_metadata(uint8_t *p, const writer *w)
{
    const mb_metadata *m = w->spec->metadata;
    if (m == NULL) {
        return p;
    }
    if (w->icc != NULL) {
        uint8_t *q = begin_chunk(p, "iCCP");
        memcpy(q, ICC_NAME, sizeof ICC_NAME); /* with its zero, then the method: 0 */
        q[sizeof ICC_NAME] = 0;
        memcpy(q + sizeof ICC_NAME + 1, w->icc, w->icc_bytes);
        p = end_chunk(p, q + sizeof ICC_NAME + 1 + w->icc_bytes);
    }
    if (m->dpi_x > 0 && m->dpi_y > 0 && m->dpi_x < 1e8 && m->dpi_y < 1e8) {
        uint8_t *q = begin_chunk(p, "pHYs");
        q = put32(q, (uint32_t)(m->dpi_x / 0.0254 + 0.5));
        q = put32(q, (uint32_t)(m->dpi_y / 0.0254 + 0.5));
        *q++ = 1; /* a metre */
        p = end_chunk(p, q);
    }
    if (m->exif != NULL) {
        uint8_t *q = begin_chunk(p, "eXIf");
        memcpy(q, m->exif, m->exif_bytes);
        p = end_chunk(p, q + m->exif_bytes);
    }
    return p;
}

/* The profile, compressed, for pictures in colours. */
static mb_status compress_icc(writer *w, mb_error *err)
{
    const mb_metadata *m = w->spec->metadata;
    if (m == NULL || m->icc == NULL || w->image.pixels == MB_PIXELS_GRAY) {
        return MB_OK;
    }
    uLongf n = compressBound((uLong)m->icc_bytes);
    w->icc = mb_alloc(n);
    if (w->icc == NULL || compress2(w->icc, &n, m->icc, (uLong)m->icc_bytes, 9) != Z_OK) {
        return mb_fail_memory(err, n, "a colour profile");
    }
    w->icc_bytes = n;
    return MB_OK;
}

/* One IDAT chunk a strip; the zlib header stands in the first, the checksum in the last. */
static uint8_t *put_strips(uint8_t *p, const writer *w)
{
    uLong adler = adler32(0, NULL, 0);
    for (size_t i = 0; i < w->n_strips; i++) {
        const strip *s = &w->strips[i];
        uint8_t *q = begin_chunk(p, "IDAT");
        if (i == 0) {
            *q++ = 0x78;
            *q++ = 0x01; /* 32 KiB window, check bits of "fast" */
        }
        memcpy(q, s->data, s->bytes);
        q += s->bytes;
        adler = i == 0 ? s->adler : adler32_combine(adler, s->adler, (z_off_t)s->raw_bytes);
        if (i + 1 == w->n_strips) {
            q = put32(q, (uint32_t)adler);
        }
        p = end_chunk(p, q);
    }
    return p;
}

/* Header, text, strips and end in one block. */
static mb_status assemble(void **out, size_t *n, const writer *w, mb_error *err)
{
    size_t total = 256;
    for (size_t i = 0; i < w->n_strips; i++) {
        if (w->strips[i].failed) {
            return mb_fail_memory(err, w->rows_per_strip * w->row_bytes, "compressing a PNG");
        }
        total += w->strips[i].bytes + 32;
    }
    if (w->spec->text_key != NULL && w->spec->text != NULL) {
        total += strlen(w->spec->text_key) + strlen(w->spec->text);
    }
    total += w->icc_bytes + (w->spec->metadata != NULL ? w->spec->metadata->exif_bytes : 0);
    uint8_t *file = mb_alloc(total);
    if (file == NULL) {
        return mb_fail_memory(err, total, "a PNG");
    }
    uint8_t *p = put_strips(put_text(put_metadata(put_header(file, &w->image), w), w->spec), w);
    p = end_chunk(p, begin_chunk(p, "IEND"));
    *out = file;
    *n = (size_t)(p - file);
    return MB_OK;
}

/* PNG has big-endian samples. */
static void swap_bytes(mb_image *image)
{
    const uint16_t probe = 1;
    uint8_t *v = image->data;
    if (*(const uint8_t *)&probe == 0) {
        return; /* a big-endian machine has PNG's order */
    }
    for (size_t i = 0; i < image->row_bytes * (size_t)image->height; i += 2) {
        uint8_t t = v[i];
        v[i] = v[i + 1];
        v[i + 1] = t;
    }
}

/* The samples as the file has them: the caller's own memory where it is so already, else a copy (owned by `copy`). */
static mb_status arrange(writer *w, mb_image *copy, const mb_image *image, mb_error *err)
{
    static const uint8_t channels[5] = {1, 3, 3, 4, 4};
    const bool turned = image->pixels == MB_PIXELS_BGR || image->pixels == MB_PIXELS_BGRA;
    mb_status status = mb_image_check(image, err);
    if (status != MB_OK) {
        return status;
    }
    w->image = *image;
    w->pixel_bytes = (size_t)channels[image->pixels] * (image->depth == MB_DEPTH_U16 ? 2u : 1u);
    w->row_bytes = (size_t)image->width * w->pixel_bytes;
    if (turned || image->depth != MB_DEPTH_U8) {
        mb_pixels order = image->pixels == MB_PIXELS_BGR    ? MB_PIXELS_RGB
                          : image->pixels == MB_PIXELS_BGRA ? MB_PIXELS_RGBA
                                                            : image->pixels;
        mb_depth depth = image->depth == MB_DEPTH_U16 ? MB_DEPTH_U16 : MB_DEPTH_U8;
        MB_TRY(mb_image_create(copy, image->width, image->height, order, depth, err));
        MB_TRY(mb_image_convert(copy, image, err));
        copy->row_bytes = w->row_bytes;
        if (depth == MB_DEPTH_U16) {
            swap_bytes(copy);
        }
        w->image = *copy;
    }
    if (w->image.row_bytes == 0) {
        w->image.row_bytes = w->row_bytes;
    }
done:
    return status;
}

/* What the file format limits. */
static mb_status check_spec(const mb_save_spec *spec, mb_error *err)
{
    if (spec->level < 0 || spec->level > 9) {
        return mb_fail(err, MB_E_ARGUMENT, "mb_save_options.level %d: 0 to 9", spec->level);
    }
    size_t key = spec->text_key != NULL ? strlen(spec->text_key) : 1;
    if (key < 1 || key > 79) {
        return mb_fail(err, MB_E_ARGUMENT, "the keyword of a PNG comment has %zu characters: 1 to 79", key);
    }
    return MB_OK;
}

/* Strips depend on the picture alone, so the file does not depend on the number of threads. */
mb_status mb_png_encode(const mb_task *task, void **out, size_t *n, const mb_image *image, const mb_save_spec *spec,
                        mb_error *err)
{
    mb_status status;
    mb_save_spec standard;
    mb_image copy = {0};
    writer w = {0};
    *out = NULL;
    *n = 0;
    mb_save_spec_init(&standard);
    w.spec = spec != NULL ? spec : &standard;
    MB_TRY(check_spec(w.spec, err));
    MB_TRY(arrange(&w, &copy, image, err));
    w.rows_per_strip = STRIP_BYTES / (w.row_bytes + 1) + 1;
    w.n_strips = ((size_t)image->height + w.rows_per_strip - 1) / w.rows_per_strip;
    w.strips = mb_calloc(w.n_strips, sizeof *w.strips);
    if (w.strips == NULL) {
        MB_TRY(mb_fail_memory(err, w.n_strips * sizeof *w.strips, "a PNG"));
    }
    if (w.row_bytes > (size_t)1 << 30) { /* zlib counts in 32 bits */
        MB_TRY(mb_fail(err, MB_E_ARGUMENT, "a PNG row of %zu bytes is too long", w.row_bytes));
    }
    MB_TRY(mb_task_for(task, w.n_strips, 1, do_strips, &w, err));
    MB_TRY(compress_icc(&w, err));
    MB_TRY(assemble(out, n, &w, err));
done:
    mb_free(w.icc);
    if (w.strips != NULL) {
        for (size_t i = 0; i < w.n_strips; i++) {
            mb_free(w.strips[i].data);
        }
        mb_free(w.strips);
    }
    mb_image_dispose(&copy);
    return status;
}
