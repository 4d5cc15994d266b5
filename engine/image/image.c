/* Pictures of the caller (mb_image) to and from our pictures and planes, and the public functions around them. Samples
 * are read and written with memcpy, so that neither alignment nor aliasing of foreign memory matters. Five pixel
 * orders and three depths meet in one table of layouts, so a conversion is two table rows and a loop. The layouts of
 * the library's own pictures are packed; a caller's rows may be longer (row_bytes), as in a window of a larger
 * picture. */
#include "image/convert.h"

#include "core/alloc.h"

#include <string.h>

#define N_LAYOUTS 5
#define N_DEPTHS  3

/* Where red, green, blue and alpha stand in a pixel; alpha -1: none. */
typedef struct layout {
    int n, r, g, b, a;
} layout;

static const layout layouts[N_LAYOUTS] = {
    [MB_PIXELS_GRAY] = {1, 0, 0, 0, -1}, [MB_PIXELS_RGB] = {3, 0, 1, 2, -1}, [MB_PIXELS_BGR] = {3, 2, 1, 0, -1},
    [MB_PIXELS_RGBA] = {4, 0, 1, 2, 3},  [MB_PIXELS_BGRA] = {4, 2, 1, 0, 3},
};
static const size_t sample_bytes[N_DEPTHS] = {1, 2, 4};

/* Also used for a picture that is only planned: `data` must not be NULL, but is not read. */
mb_status mb_image_check(const mb_image *r, mb_error *err)
{
    if ((unsigned)r->pixels >= N_LAYOUTS || (unsigned)r->depth >= N_DEPTHS) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture with an unknown pixel order or depth (%d, %d)", (int)r->pixels,
                       (int)r->depth);
    }
    if (r->data == NULL || r->width < 1 || r->height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d x %d pixels%s: both sides must be at least 1", r->width,
                       r->height, r->data == NULL ? " without data" : "");
    }
    size_t row = (size_t)r->width * (size_t)layouts[r->pixels].n * sample_bytes[r->depth]; /* <= 2^31 * 16 */
    if (r->row_bytes != 0 && r->row_bytes < row) {
        return mb_fail(err, MB_E_ARGUMENT, "rows of %zu bytes are too short: %d pixels need %zu", r->row_bytes,
                       r->width, row);
    }
    return MB_OK;
}

double mb_image_bytes(const mb_image *image)
{
    const size_t pixel = (size_t)layouts[image->pixels].n * sample_bytes[image->depth];
    return (double)image->width * (double)image->height * (double)pixel;
}

/* Bytes from one row to the next. */
static size_t stride_of(const mb_image *r)
{
    size_t row = (size_t)r->width * (size_t)layouts[r->pixels].n * sample_bytes[r->depth];
    return r->row_bytes != 0 ? r->row_bytes : row;
}

static const uint8_t *row_of(const mb_image *r, int y)
{
    return (const uint8_t *)r->data + (size_t)y * stride_of(r);
}

/* One sample at p as 8 bits: the upper byte of 16, to8 of f32. p need not be aligned. */
static uint8_t sample_u8(const uint8_t *p, mb_depth type)
{
    if (type == MB_DEPTH_U8) {
        return *p;
    }
    if (type == MB_DEPTH_U16) {
        uint16_t v;
        memcpy(&v, p, sizeof v);
        return (uint8_t)(v >> 8);
    }
    float f;
    memcpy(&f, p, sizeof f);
    return mb_to8(f);
}

/* One sample at p in [0,1]. p need not be aligned. */
static float sample_f32(const uint8_t *p, mb_depth type)
{
    if (type == MB_DEPTH_U8) {
        return mb_from8(*p);
    }
    if (type == MB_DEPTH_U16) {
        uint16_t v;
        memcpy(&v, p, sizeof v);
        return (float)v / 65535.0f;
    }
    float f;
    memcpy(&f, p, sizeof f);
    f = f > 0.0f ? f : 0.0f; /* a NaN becomes 0 here */
    return f < 1.0f ? f : 1.0f;
}

/* One sample of 8 bits to p, in the type there: 255 becomes the largest value exactly. */
static void put_u8(uint8_t *p, mb_depth type, uint8_t v)
{
    if (type == MB_DEPTH_U8) {
        *p = v;
    } else if (type == MB_DEPTH_U16) {
        uint16_t u16 = (uint16_t)(v * 257u);
        memcpy(p, &u16, sizeof u16);
    } else {
        float f = mb_from8(v);
        memcpy(p, &f, sizeof f);
    }
}

/* One sample in [0,1] to p, in the type there. */
static void put_f32(uint8_t *p, mb_depth type, float v)
{
    if (type == MB_DEPTH_U8) {
        *p = mb_to8(v);
    } else if (type == MB_DEPTH_U16) {
        uint16_t u16 = mb_to16(v);
        memcpy(p, &u16, sizeof u16);
    } else {
        memcpy(p, &v, sizeof v);
    }
}

/* Packed RGB rows are copied, everything else goes sample by sample. `out` gets three channels in the order R, G, B;
 * grey is repeated. `alpha` may be NULL, and stays empty where the picture has none. */
mb_status mb_image_u8_from_image(mb_image_u8 *out, mb_image_u8 *alpha, const mb_image *r, mb_error *err)
{
    *out = (mb_image_u8){0};
    if (alpha != NULL) {
        *alpha = (mb_image_u8){0};
    }
    mb_status status;
    MB_TRY(mb_image_check(r, err));
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth], width = (size_t)r->width;
    MB_TRY(mb_image_u8_create(out, r->width, r->height, 3, err));
    if (alpha != NULL && l.a >= 0) {
        MB_TRY(mb_image_u8_create(alpha, r->width, r->height, 1, err));
    }
    for (int y = 0; y < r->height; y++) {
        const uint8_t *p = row_of(r, y);
        uint8_t *q = out->v + (size_t)y * width * 3;
        uint8_t *a = alpha != NULL && alpha->v != NULL ? alpha->v + (size_t)y * width : NULL;
        if (r->pixels == MB_PIXELS_RGB && r->depth == MB_DEPTH_U8) {
            memcpy(q, p, width * 3);
            continue;
        }
        for (size_t x = 0; x < width; x++, p += (size_t)l.n * s, q += 3) {
            q[0] = sample_u8(p + (size_t)l.r * s, r->depth);
            q[1] = sample_u8(p + (size_t)l.g * s, r->depth);
            q[2] = sample_u8(p + (size_t)l.b * s, r->depth);
            if (a != NULL) {
                a[x] = sample_u8(p + (size_t)l.a * s, r->depth);
            }
        }
    }
done:
    if (status != MB_OK) {
        mb_image_u8_dispose(out);
    }
    return status;
}

/* For functions that write into memory of the caller. */
static mb_status same_size(const mb_image *r, int width, int height, mb_error *err)
{
    mb_status status = mb_image_check(r, err);
    if (status == MB_OK && (r->width != width || r->height != height)) {
        status = mb_fail(err, MB_E_ARGUMENT, "the picture to write to has %d x %d pixels, the source %d x %d", r->width,
                         r->height, width, height);
    }
    return status;
}

/* src has 1, 3 or 4 channels; the order and depth of `dst` decide what is written. */
mb_status mb_image_u8_to_image(const mb_image *r, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = same_size(r, src->width, src->height, err);
    if (status != MB_OK) {
        return status;
    }
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth], c = (size_t)src->channels, width = (size_t)src->width;
    for (int y = 0; y < r->height; y++) {
        uint8_t *p = (uint8_t *)r->data + (size_t)y * stride_of(r);
        const uint8_t *q = src->v + (size_t)y * width * c;
        /* The same bytes in the same order: a copy of the row. */
        if (r->depth == MB_DEPTH_U8 && c == (size_t)l.n && r->pixels != MB_PIXELS_BGR && r->pixels != MB_PIXELS_BGRA) {
            memcpy(p, q, width * c);
            continue;
        }
        for (size_t x = 0; x < width; x++, p += (size_t)l.n * s, q += c) {
            if (l.n == 1) {
                put_u8(p, r->depth, c == 1 ? q[0] : mb_luma8(q[0], q[1], q[2]));
                continue;
            }
            put_u8(p + (size_t)l.r * s, r->depth, q[0]);
            put_u8(p + (size_t)l.g * s, r->depth, c == 1 ? q[0] : q[1]);
            put_u8(p + (size_t)l.b * s, r->depth, c == 1 ? q[0] : q[2]);
            if (l.a >= 0) {
                put_u8(p + (size_t)l.a * s, r->depth, c == 4 ? q[3] : 255);
            }
        }
    }
    return MB_OK;
}

/* Luma keeps the precision of the sample: weights of the 8-bit rule, in f32. */
static float luma_f32(float r, float g, float b)
{
    return (19595.0f * r + 38470.0f * g + 7471.0f * b) * (1.0f / 65536.0f);
}

/* Grey as it is, colour by its luma; 8-bit colour by the 8-bit rule, so that both paths of a mask agree. */
mb_status mb_image_f32_from_image(mb_image_f32 *out, const mb_image *r, mb_error *err)
{
    *out = (mb_image_f32){0};
    mb_status status = mb_image_check(r, err);
    if (status == MB_OK) {
        status = mb_image_f32_create(out, r->width, r->height, err);
    }
    if (status != MB_OK) {
        return status;
    }
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth], width = (size_t)r->width;
    for (int y = 0; y < r->height; y++) {
        const uint8_t *p = row_of(r, y);
        float *q = out->v + (size_t)y * width;
        for (size_t x = 0; x < width; x++, p += (size_t)l.n * s) {
            if (l.n == 1) {
                q[x] = sample_f32(p, r->depth);
            } else if (r->depth == MB_DEPTH_U8) { /* exactly the 8-bit rule */
                q[x] = mb_from8(mb_luma8(p[l.r], p[l.g], p[l.b]));
            } else {
                q[x] = luma_f32(sample_f32(p + (size_t)l.r * s, r->depth), sample_f32(p + (size_t)l.g * s, r->depth),
                                sample_f32(p + (size_t)l.b * s, r->depth));
            }
        }
    }
    return MB_OK;
}

/* The value goes to every channel, 1 to alpha. */
mb_status mb_image_f32_to_image(const mb_image *r, const mb_image_f32 *src, mb_error *err)
{
    mb_status status = same_size(r, src->width, src->height, err);
    if (status != MB_OK) {
        return status;
    }
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth], width = (size_t)src->width;
    for (int y = 0; y < r->height; y++) {
        uint8_t *p = (uint8_t *)r->data + (size_t)y * stride_of(r);
        const float *q = src->v + (size_t)y * width;
        for (size_t x = 0; x < width; x++, p += (size_t)l.n * s) {
            for (int c = 0; c < l.n; c++) {
                put_f32(p + (size_t)c * s, r->depth, c == l.a ? 1.0f : q[x]);
            }
        }
    }
    return MB_OK;
}

/* Row y in f32 into out[4 x .. 4 x + 2]. With `alpha`, only pixels that are wholly foreground: elsewhere an estimated
 * colour stands already and must not be overwritten. */
void mb_image_row_rgb(float *out, const mb_image *r, int y, const float *alpha)
{
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth], places[3] = {(size_t)l.r, (size_t)l.g, (size_t)l.b};
    const uint8_t *p = row_of(r, y);
    for (size_t x = 0; x < (size_t)r->width; x++, p += (size_t)l.n * s) {
        if (alpha != NULL && alpha[x] < 1.0f) {
            continue; /* an estimate stands there */
        }
        for (size_t c = 0; c < 3; c++) {
            out[4 * x + c] = sample_f32(p + places[c] * s, r->depth);
        }
    }
}

void mb_image_row_alpha(float *out, const mb_image *r, int y)
{
    const layout l = layouts[r->pixels];
    const size_t s = sample_bytes[r->depth];
    const uint8_t *p = row_of(r, y);
    for (size_t x = 0; x < (size_t)r->width; x++, p += (size_t)l.n * s) {
        out[x] = l.a >= 0 ? sample_f32(p + (size_t)l.a * s, r->depth) : 1.0f;
    }
}

/* The channels say which order it is; owned memory changes hands. `src` is empty afterwards; mb_image_dispose frees
 * the memory. */
void mb_image_take(mb_image *out, mb_image_u8 *src)
{
    *out = (mb_image){0};
    if (src->v != NULL) {
        out->data = out->owned = src->v;
        out->width = src->width;
        out->height = src->height;
        out->pixels = src->channels == 1 ? MB_PIXELS_GRAY : src->channels == 3 ? MB_PIXELS_RGB : MB_PIXELS_RGBA;
        out->depth = MB_DEPTH_U8;
    }
    *src = (mb_image_u8){0};
}

/* ---- public */

/* The size is checked as that of a picture with rows of its own. The contents are undefined. Free with
 * mb_image_dispose. */
mb_status mb_image_create(mb_image *out, int width, int height, mb_pixels pixels, mb_depth depth, mb_error *err)
{
    *out = (mb_image){0};
    mb_image wish = {.data = out, .width = width, .height = height, .pixels = pixels, .depth = depth};
    mb_status status = mb_image_check(&wish, err); /* data is only a stand-in there */
    if (status != MB_OK) {
        return status;
    }
    size_t bytes;
    if (!mb_mul_size(&bytes, stride_of(&wish), (size_t)height)) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    wish.data = wish.owned = mb_alloc_aligned(bytes);
    if (wish.data == NULL) {
        return mb_fail_memory(err, bytes, "a picture");
    }
    *out = wish;
    return MB_OK;
}

/* Frees only what the library has allocated (`owned`): a caller's own memory stays. */
void mb_image_dispose(mb_image *image)
{
    if (image != NULL) {
        mb_free_aligned(image->owned);
        *image = (mb_image){0};
    }
}

/* Colour and alpha of one pixel, in 8 bits where neither side has more, so that no rounding creeps in, else in f32. */
static void convert_pixel(uint8_t *p, const mb_image *dst, const uint8_t *q, const mb_image *src)
{
    const layout to = layouts[dst->pixels], from = layouts[src->pixels];
    const size_t t = sample_bytes[dst->depth], f = sample_bytes[src->depth];
    const uint8_t *r = q + (size_t)from.r * f, *g = q + (size_t)from.g * f, *b = q + (size_t)from.b * f;
    /* 16 bits to 8 take the upper byte; by way of f32 another value could come out. */
    const bool in_8bit = src->depth == MB_DEPTH_U8 || (dst->depth == MB_DEPTH_U8 && src->depth == MB_DEPTH_U16);
    if (to.a >= 0) {
        if (from.a < 0) {
            put_f32(p + (size_t)to.a * t, dst->depth, 1.0f);
        } else if (in_8bit) {
            put_u8(p + (size_t)to.a * t, dst->depth, sample_u8(q + (size_t)from.a * f, src->depth));
        } else {
            put_f32(p + (size_t)to.a * t, dst->depth, sample_f32(q + (size_t)from.a * f, src->depth));
        }
    }
    if (in_8bit) {
        uint8_t v[3] = {sample_u8(r, src->depth), sample_u8(g, src->depth), sample_u8(b, src->depth)};
        if (to.n == 1) {
            put_u8(p, dst->depth, from.n == 1 ? v[0] : mb_luma8(v[0], v[1], v[2]));
            return;
        }
        put_u8(p + (size_t)to.r * t, dst->depth, v[0]);
        put_u8(p + (size_t)to.g * t, dst->depth, v[1]);
        put_u8(p + (size_t)to.b * t, dst->depth, v[2]);
        return;
    }
    float v[3] = {sample_f32(r, src->depth), sample_f32(g, src->depth), sample_f32(b, src->depth)};
    if (to.n == 1) {
        put_f32(p, dst->depth, from.n == 1 ? v[0] : luma_f32(v[0], v[1], v[2]));
        return;
    }
    put_f32(p + (size_t)to.r * t, dst->depth, v[0]);
    put_f32(p + (size_t)to.g * t, dst->depth, v[1]);
    put_f32(p + (size_t)to.b * t, dst->depth, v[2]);
}

/* Pixel by pixel: any order and depth to any other. */
mb_status mb_image_convert(const mb_image *dst, const mb_image *src, mb_error *err)
{
    mb_status status = mb_image_check(src, err);
    if (status == MB_OK) {
        status = same_size(dst, src->width, src->height, err);
    }
    if (status != MB_OK) {
        return status;
    }
    const size_t t = sample_bytes[dst->depth] * (size_t)layouts[dst->pixels].n;
    const size_t f = sample_bytes[src->depth] * (size_t)layouts[src->pixels].n;
    for (int y = 0; y < dst->height; y++) {
        uint8_t *p = (uint8_t *)dst->data + (size_t)y * stride_of(dst);
        const uint8_t *q = row_of(src, y);
        for (int x = 0; x < dst->width; x++, p += t, q += f) {
            convert_pixel(p, dst, q, src);
        }
    }
    return MB_OK;
}
