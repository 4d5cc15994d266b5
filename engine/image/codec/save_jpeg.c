/* Baseline JPEG through libjpeg-turbo, into memory of our own (jpeg_mem_dest grows by doubling; errors must not exit).
 */
#include "image/codec/save.h"

#if MB_HAVE_JPEG

#include "core/alloc.h"
#include "image/convert.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#define FIRST_BYTES      ((size_t)1 << 16)
#define STANDARD_QUALITY 92
#define FULL_CHROMA      90 /* from this quality on colours are not halved */

typedef struct session {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    struct jpeg_destination_mgr target;
    uint8_t *bytes;
    size_t capacity, n;
    const mb_metadata *metadata;
} session;

static void on_error(j_common_ptr c)
{
    session *s = c->client_data;
    c->err->format_message(c, s->message);
    longjmp(s->failed, 1);
}

static void on_message(j_common_ptr c)
{
    (void)c;
}

/* Room for more output, half as much again; fails by longjmp like everything in the library. */
static void grow(session *s, size_t used)
{
    size_t capacity = s->capacity + s->capacity / 2 + FIRST_BYTES;
    uint8_t *bytes = mb_realloc_array(s->bytes, capacity, 1);
    if (bytes == NULL) {
        (void)snprintf(s->message, sizeof s->message, "not enough memory to encode");
        longjmp(s->failed, 1);
    }
    s->bytes = bytes;
    s->capacity = capacity;
    s->target.next_output_byte = bytes + used;
    s->target.free_in_buffer = capacity - used;
}

static void on_start(j_compress_ptr c)
{
    grow(c->client_data, 0);
}

/* The library counts the buffer as full, whatever free_in_buffer says. */
static boolean on_full(j_compress_ptr c)
{
    session *s = c->client_data;
    grow(s, s->capacity);
    return TRUE;
}

static void on_end(j_compress_ptr c)
{
    session *s = c->client_data;
    s->n = s->capacity - s->target.free_in_buffer;
}

#define ICC_PIECE ((size_t)65519) /* of a segment, after its own header */

/* Resolution before the start, the rest after it. */
static void set_density(struct jpeg_compress_struct *c, const mb_metadata *m)
{
    if (m->dpi_x >= 0.5 && m->dpi_y >= 0.5 && m->dpi_x < 65535 && m->dpi_y < 65535) {
        c->density_unit = 1;
        c->X_density = (UINT16)(m->dpi_x + 0.5);
        c->Y_density = (UINT16)(m->dpi_y + 0.5);
    }
}

static void write_segment(struct jpeg_compress_struct *c, int marker, const uint8_t *head, size_t n_head,
                          const uint8_t *v, size_t n)
{
    jpeg_write_m_header(c, marker, (unsigned)(n_head + n));
    for (size_t i = 0; i < n_head + n; i++) {
        jpeg_write_m_byte(c, i < n_head ? head[i] : v[i - n_head]);
    }
}

static void write_metadata(struct jpeg_compress_struct *c, const mb_metadata *m, bool colours)
{
    if (m->exif != NULL && m->exif_bytes <= 65527) {
        write_segment(c, JPEG_APP0 + 1, (const uint8_t *)"Exif\0", 6, m->exif, m->exif_bytes);
    }
    const size_t pieces = m->icc != NULL && colours ? (m->icc_bytes + ICC_PIECE - 1) / ICC_PIECE : 0;
    for (size_t i = 0; i < pieces && pieces <= 255; i++) {
        uint8_t head[14] = "ICC_PROFILE";
        const size_t from = i * ICC_PIECE, rest = m->icc_bytes - from;
        head[12] = (uint8_t)(i + 1);
        head[13] = (uint8_t)pieces;
        write_segment(c, JPEG_APP0 + 2, head, sizeof head, (const uint8_t *)m->icc + from,
                      rest < ICC_PIECE ? rest : ICC_PIECE);
    }
}

/* Settings and rows. */
static void compress(session *s, const mb_image *p, int quality)
{
    struct jpeg_compress_struct *c = &s->c;
    const bool gray = p->pixels == MB_PIXELS_GRAY;
    s->target.init_destination = on_start;
    s->target.empty_output_buffer = on_full;
    s->target.term_destination = on_end;
    c->dest = &s->target;
    c->image_width = (JDIMENSION)p->width;
    c->image_height = (JDIMENSION)p->height;
    c->input_components = gray ? 1 : 3;
    c->in_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    c->optimize_coding = TRUE;
    if (!gray && quality >= FULL_CHROMA) {
        c->comp_info[0].h_samp_factor = c->comp_info[0].v_samp_factor = 1;
    }
    if (s->metadata != NULL) {
        set_density(c, s->metadata);
    }
    jpeg_start_compress(c, TRUE);
    if (s->metadata != NULL) {
        write_metadata(c, s->metadata, !gray);
    }
    const size_t row = (size_t)p->width * (gray ? 1 : 3);
    while (c->next_scanline < c->image_height) {
        JSAMPROW line = (JSAMPROW)p->data + row * c->next_scanline;
        (void)jpeg_write_scanlines(c, &line, 1);
    }
    jpeg_finish_compress(c);
}

/* The one place that errors jump to. */
static mb_status encode(void **out, size_t *n, const mb_image *p, const mb_save_spec *spec, mb_error *err)
{
    const int quality = spec != NULL && spec->quality > 0 ? spec->quality : STANDARD_QUALITY;
    session *s = mb_calloc(1, sizeof *s); /* on the heap: longjmp must not meet it in registers */
    mb_status status = MB_OK;
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "a JPEG encoder");
    }
    s->metadata = spec != NULL ? spec->metadata : NULL;
    s->c.err = jpeg_std_error(&s->errors);
    s->errors.error_exit = on_error;
    s->errors.output_message = on_message;
    s->c.client_data = s;
    if (setjmp(s->failed) != 0) {
        status = mb_fail(err, MB_E_MEMORY, "JPEG: %s", s->message);
    } else {
        jpeg_create_compress(&s->c);
        s->c.client_data = s;
        compress(s, p, quality);
        *out = s->bytes;
        *n = s->n;
        s->bytes = NULL;
    }
    jpeg_destroy_compress(&s->c);
    mb_free(s->bytes);
    mb_free(s);
    return status;
}

/* JPEG takes no alpha; other orders and depths become 8-bit grey or RGB first. */
mb_status mb_jpeg_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec, mb_error *err)
{
    mb_image plain = {0};
    mb_status status;
    *out = NULL;
    *n = 0;
    MB_TRY(mb_image_check(image, err));
    if (image->pixels == MB_PIXELS_RGBA || image->pixels == MB_PIXELS_BGRA) {
        return mb_fail(err, MB_E_ARGUMENT, "JPEG has no transparency\nset an opaque background, or write a PNG");
    }
    if (image->width > JPEG_MAX_DIMENSION || image->height > JPEG_MAX_DIMENSION) {
        return mb_fail(err, MB_E_ARGUMENT, "JPEG pictures are limited to %ld pixels a side\nwrite a PNG",
                       (long)JPEG_MAX_DIMENSION);
    }
    mb_pixels order = image->pixels == MB_PIXELS_GRAY ? MB_PIXELS_GRAY : MB_PIXELS_RGB;
    MB_TRY(mb_image_create(&plain, image->width, image->height, order, MB_DEPTH_U8, err));
    MB_TRY(mb_image_convert(&plain, image, err));
    MB_TRY(encode(out, n, &plain, spec, err));
done:
    mb_image_dispose(&plain);
    return status;
}

#else

mb_status mb_jpeg_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec, mb_error *err)
{
    (void)image;
    (void)spec;
    *out = NULL;
    *n = 0;
    return mb_fail(err, MB_E_UNSUPPORTED, "writing JPEG is not in this build\nwrite a PNG");
}

#endif
