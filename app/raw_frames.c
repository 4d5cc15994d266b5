/* Raw pixels and YUV4MPEG2 to pictures, and results to raw pixels. Chroma of fewer samples is interpolated linearly between
 * the places where the format puts them, since the edge of the subject is where it shows. */
#include "raw_frames.h"
#include "message.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- formats */

static const struct {
    mb_pixels pixels;
    mb_depth depth;
    size_t bytes; /* of a pixel */
} raw_layout[] = {{MB_PIXELS_RGB, MB_DEPTH_U8, 3},  {MB_PIXELS_BGR, MB_DEPTH_U8, 3},  {MB_PIXELS_RGBA, MB_DEPTH_U8, 4},
                  {MB_PIXELS_BGRA, MB_DEPTH_U8, 4}, {MB_PIXELS_GRAY, MB_DEPTH_U8, 1}, {MB_PIXELS_RGB, MB_DEPTH_U16, 6},
                  {MB_PIXELS_RGBA, MB_DEPTH_U16, 8}};

static mb_status check_size(int width, int height, mb_error *err)
{
    if (width < 1 || height < 1 || width > 65535 || height > 65535) {
        return own_error(err, MB_E_ARGUMENT, "frames of %dx%d: 1 to 65535 each", width, height);
    }
    if ((size_t)width > SIZE_MAX / 16 / (size_t)height) { /* of 8 bytes a pixel at most */
        return own_error(err, MB_E_MEMORY, "frames of %dx%d: more than this machine can hold", width, height);
    }
    return MB_OK;
}

mb_status frame_format_raw(frame_format *out, int width, int height, raw_pixels pixels, mb_error *err)
{
    *out = (frame_format){.width = width, .height = height, .pixels = pixels, .full_range = 0};
    out->matrix = height >= 720 ? MATRIX_BT709 : MATRIX_BT601; /* for yuva444p */
    out->bytes = (size_t)width * (size_t)height * raw_layout[pixels].bytes;
    return check_size(width, height, err);
}

/* The C parameter: "420jpeg", "422p10", "mono" ... 1: understood. */
static int read_chroma(frame_format *f, const char *text, size_t n)
{
    static const struct {
        const char *name;
        int shift_x, shift_y, mono, left, bits; /* bits 0: they follow */
    } kinds[] = {{"420jpeg", 1, 1, 0, 0, 8}, {"420mpeg2", 1, 1, 0, 1, 8}, {"420paldv", 1, 1, 0, 1, 8},
                 {"420", 1, 1, 0, 0, 8},     {"422", 1, 0, 0, 1, 8},      {"444", 0, 0, 0, 0, 8},
                 {"411", 2, 0, 0, 1, 8},     {"mono", 0, 0, 1, 0, 8},     {"420p", 1, 1, 0, 1, 0},
                 {"422p", 1, 0, 0, 1, 0},    {"444p", 0, 0, 0, 0, 0},     {"mono", 0, 0, 1, 0, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].name);
        int bits = kinds[i].bits;
        if (n < length || strncmp(text, kinds[i].name, length) != 0 || (bits == 8) != (n == length)) {
            continue;
        }
        if (bits == 0) {
            char *end;
            bits = (int)strtol(text + length, &end, 10);
            if (end != text + n || bits < 9 || bits > 16) {
                continue;
            }
        }
        f->shift_x = kinds[i].shift_x;
        f->shift_y = kinds[i].shift_y;
        f->mono = kinds[i].mono;
        f->left = kinds[i].left;
        f->bits = bits;
        return 1;
    }
    return 0;
}

static size_t chroma_width(const frame_format *f)
{
    return ((size_t)f->width + (1u << f->shift_x) - 1) >> f->shift_x;
}

static size_t chroma_height(const frame_format *f)
{
    return ((size_t)f->height + (1u << f->shift_y) - 1) >> f->shift_y;
}

mb_status frame_format_yuv(frame_format *out, const char **warning, const char *line, yuv_matrix matrix, mb_error *err)
{
    *warning = NULL;
    *out = (frame_format){.is_yuv = 1, .bits = 8, .shift_x = 1, .shift_y = 1}; /* without C: 420jpeg */
    if (strncmp(line, "YUV4MPEG2", 9) != 0) {
        return own_error(err, MB_E_FORMAT, "stdin is no YUV4MPEG2 stream");
    }
    for (const char *p = line + 9; *p != '\0';) {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        if (*p == 'W' || *p == 'H') {
            long v = strtol(p + 1, NULL, 10);
            if (v < 1 || v > 65535) {
                return own_error(err, MB_E_FORMAT, "stdin: YUV4MPEG2 with \"%.*s\": 1 to 65535 is possible",
                                 (int)(n < 40 ? n : 40), p);
            }
            *(*p == 'W' ? &out->width : &out->height) = (int)v;
        } else if (*p == 'C' && !read_chroma(out, p + 1, n - 1)) {
            return own_error(err, MB_E_UNSUPPORTED,
                             "stdin: YUV4MPEG2 with samples \"%.*s\" is not read\n"
                             "ffmpeg: -pix_fmt yuv420p, yuv422p or yuv444p, or -f rawvideo -pix_fmt rgb24 and --size",
                             (int)(n < 40 ? n : 40), p);
        } else if (*p == 'I' && n == 2 && strchr("tbm", p[1]) != NULL) {
            *warning = "the video is interlaced and taken as it is: ffmpeg -vf bwdif makes frames of fields";
        } else if (strncmp(p, "XCOLORRANGE=FULL", 16) == 0) {
            out->full_range = 1;
        }
        p += n;
    }
    if (out->width == 0 || out->height == 0) {
        return own_error(err, MB_E_FORMAT, "stdin: YUV4MPEG2 without %s", out->width == 0 ? "a width" : "a height");
    }
    if (check_size(out->width, out->height, err) != MB_OK) {
        return MB_E_FORMAT;
    }
    out->matrix = matrix != MATRIX_AUTO ? matrix : out->height >= 720 ? MATRIX_BT709 : MATRIX_BT601;
    size_t samples = (size_t)out->width * (size_t)out->height;
    samples += out->mono ? 0 : 2 * chroma_width(out) * chroma_height(out);
    out->bytes = samples * (out->bits > 8 ? 2 : 1);
    return MB_OK;
}

/* ---- YUV to RGB */

/* Between which two samples of n a pixel lies, and how far from the first, in parts of 2 << shift. */
typedef struct place {
    size_t a, b;
    float wb;
} place;

static place place_of(size_t pixel, int shift, int left, size_t n)
{
    const long den = 2L << shift;
    long at = left ? 2 * (long)pixel : 2 * (long)pixel + 1 - (1L << shift);
    long first = at >= 0 ? at / den : -1, rest = at - first * den;
    place p = {first < 0 ? 0 : (size_t)first, (size_t)(first + 1), (float)rest / (float)den};
    p.a = p.a < n ? p.a : n - 1;
    p.b = p.b < n ? p.b : n - 1;
    return p;
}

static float sample(const unsigned char *plane, size_t i, int wide)
{
    return wide ? (float)(plane[2 * i] | plane[2 * i + 1] << 8) : (float)plane[i];
}

/* One row of chroma at every pixel's place; `columns` has their places. */
static void chroma_row(float *dst, const frame_format *f, const unsigned char *plane, int y, const place *columns)
{
    const size_t cw = chroma_width(f);
    const int wide = f->bits > 8;
    const place row = place_of((size_t)y, f->shift_y, 0, chroma_height(f));
    for (int x = 0; x < f->width; x++) {
        const place c = columns[x];
        float upper = sample(plane, row.a * cw + c.a, wide) * (1 - c.wb) + sample(plane, row.a * cw + c.b, wide) * c.wb;
        float lower = sample(plane, row.b * cw + c.a, wide) * (1 - c.wb) + sample(plane, row.b * cw + c.b, wide) * c.wb;
        dst[x] = upper * (1 - row.wb) + lower * row.wb;
    }
}

/* Red and blue weights of luma. */
static void luma_weights(yuv_matrix matrix, float *kr, float *kb)
{
    *kr = matrix == MATRIX_BT709 ? 0.2126f : 0.299f;
    *kb = matrix == MATRIX_BT709 ? 0.0722f : 0.114f;
}

static void put_sample(unsigned char *row, size_t i, float v, int wide)
{
    float most = wide ? 65535.0f : 255.0f;
    v = v * most + 0.5f;
    v = v < 0.0f ? 0.0f : v > most ? most : v;
    if (wide) {
        ((uint16_t *)(void *)row)[i] = (uint16_t)v;
    } else {
        row[i] = (unsigned char)v;
    }
}

static mb_status read_yuv(mb_image *out, const frame_format *f, const unsigned char *bytes, mb_error *err)
{
    const int wide = f->bits > 8;
    const size_t width = (size_t)f->width, luma = width * (size_t)f->height * (wide ? 2 : 1);
    const size_t chroma = chroma_width(f) * chroma_height(f) * (wide ? 2 : 1);
    const float unit = (float)(1 << (f->bits - 8)), most = (float)((1 << f->bits) - 1);
    const float black = f->full_range ? 0.0f : 16.0f * unit,
                scale = f->full_range ? 1.0f / most : 1.0f / (219.0f * unit);
    const float middle = 128.0f * unit, chroma_scale = f->full_range ? 1.0f / most : 1.0f / (224.0f * unit);
    float kr, kb, *u = malloc(2 * width * sizeof *u);
    place *columns = malloc(width * sizeof *columns);
    mb_status status = mb_image_create(out, f->width, f->height, MB_PIXELS_RGB, wide ? MB_DEPTH_U16 : MB_DEPTH_U8, err);
    if (u == NULL || columns == NULL || status != MB_OK) {
        free(u);
        free(columns);
        mb_image_dispose(out);
        return status != MB_OK ? status : own_error(err, MB_E_MEMORY, "out of memory");
    }
    luma_weights(f->matrix, &kr, &kb);
    for (size_t x = 0; x < width; x++) {
        columns[x] = place_of(x, f->shift_x, f->left, chroma_width(f));
    }
    float *v = u + width;
    for (int y = 0; y < f->height; y++) {
        unsigned char *row = (unsigned char *)out->data + (size_t)y * 3 * width * (wide ? 2 : 1);
        if (f->mono) {
            for (size_t x = 0; x < 2 * width; x++) {
                u[x] = middle;
            }
        } else {
            chroma_row(u, f, bytes + luma, y, columns);
            chroma_row(v, f, bytes + luma + chroma, y, columns);
        }
        for (size_t x = 0; x < width; x++) {
            float l = (sample(bytes, (size_t)y * width + x, wide) - black) * scale;
            float cb = (u[x] - middle) * chroma_scale, cr = (v[x] - middle) * chroma_scale;
            float r = l + 2.0f * (1.0f - kr) * cr, b = l + 2.0f * (1.0f - kb) * cb;
            put_sample(row, 3 * x, r, wide);
            put_sample(row, 3 * x + 1, (l - kr * r - kb * b) / (1.0f - kr - kb), wide);
            put_sample(row, 3 * x + 2, b, wide);
        }
    }
    free(u);
    free(columns);
    return MB_OK;
}

/* Little-endian samples into the machine's order, or back: the same exchange. */
static void swap_where_big(void *samples, size_t n)
{
    const uint16_t one = 1;
    if (*(const unsigned char *)&one == 0) {
        uint16_t *v = samples;
        for (size_t i = 0; i < n; i++) {
            v[i] = (uint16_t)(v[i] << 8 | v[i] >> 8);
        }
    }
}

mb_status frame_read(mb_image *out, const frame_format *f, const unsigned char *bytes, mb_error *err)
{
    *out = (mb_image){0};
    if (f->is_yuv) {
        return read_yuv(out, f, bytes, err);
    }
    mb_pixels pixels = raw_layout[f->pixels].pixels;
    mb_depth depth = raw_layout[f->pixels].depth;
    mb_status status = mb_image_create(out, f->width, f->height, pixels, depth, err);
    const size_t row_bytes = f->bytes / (size_t)f->height;
    for (int y = 0; status == MB_OK && y < f->height; y++) {
        unsigned char *row = (unsigned char *)out->data + (size_t)y * row_bytes; /* packed, as ours are */
        memcpy(row, bytes + (size_t)y * row_bytes, row_bytes);
        if (depth == MB_DEPTH_U16) {
            swap_where_big(row, row_bytes / 2);
        }
    }
    return status;
}

/* ---- what is written */

static const struct {
    mb_pixels pixels;
    mb_depth depth;
    size_t bytes;
} out_layout[OUT_FORMATS] = {
    [OUT_RGBA] = {MB_PIXELS_RGBA, MB_DEPTH_U8, 4},      [OUT_BGRA] = {MB_PIXELS_BGRA, MB_DEPTH_U8, 4},
    [OUT_RGBA64LE] = {MB_PIXELS_RGBA, MB_DEPTH_U16, 8}, [OUT_RGB24] = {MB_PIXELS_RGB, MB_DEPTH_U8, 3},
    [OUT_GRAY] = {MB_PIXELS_GRAY, MB_DEPTH_U8, 1},      [OUT_GRAY16LE] = {MB_PIXELS_GRAY, MB_DEPTH_U16, 2},
    [OUT_YUVA444P] = {MB_PIXELS_RGBA, MB_DEPTH_U8, 4}};

size_t frame_out_bytes(raw_output output, const frame_format *f)
{
    return (size_t)f->width * (size_t)f->height * out_layout[output].bytes;
}

int frame_out_depth(raw_output output)
{
    return out_layout[output].depth == MB_DEPTH_U16 ? 16 : 8;
}

int frame_out_has_colours(raw_output output)
{
    return output != OUT_GRAY && output != OUT_GRAY16LE;
}

/* Planes Y, U, V, A of packed RGBA. */
static void planes_of(unsigned char *out, const unsigned char *rgba, size_t n, const frame_format *f)
{
    float kr, kb;
    luma_weights(f->matrix, &kr, &kb);
    const float black = f->full_range ? 0.0f : 16.0f, scale = f->full_range ? 1.0f : 219.0f / 255.0f;
    const float chroma = f->full_range ? 1.0f : 224.0f / 255.0f;
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = rgba + 4 * i;
        float r = p[0], g = p[1], b = p[2], l = kr * r + (1.0f - kr - kb) * g + kb * b;
        float u = 128.0f + (b - l) / (2.0f * (1.0f - kb)) * chroma,
              v = 128.0f + (r - l) / (2.0f * (1.0f - kr)) * chroma;
        out[i] = (unsigned char)(black + l * scale + 0.5f);
        out[n + i] = (unsigned char)(u + 0.5f > 255.0f ? 255.0f : u + 0.5f);
        out[2 * n + i] = (unsigned char)(v + 0.5f > 255.0f ? 255.0f : v + 0.5f);
        out[3 * n + i] = p[3];
    }
}

mb_status frame_write(unsigned char *out, raw_output output, const frame_format *f, const mb_result *result,
                      mb_error *err)
{
    const mb_image *image = frame_out_has_colours(output) ? &result->cutout : &result->alpha;
    const size_t n = (size_t)f->width * (size_t)f->height;
    unsigned char *packed = output == OUT_YUVA444P ? malloc(4 * n) : out;
    if (packed == NULL) {
        return own_error(err, MB_E_MEMORY, "out of memory");
    }
    const mb_image to = {.data = packed,
                         .width = f->width,
                         .height = f->height,
                         .pixels = out_layout[output].pixels,
                         .depth = out_layout[output].depth};
    mb_status status = mb_image_convert(&to, image, err);
    if (output == OUT_YUVA444P) {
        if (status == MB_OK) {
            planes_of(out, packed, n, f);
        }
        free(packed);
    } else if (out_layout[output].depth == MB_DEPTH_U16) {
        swap_where_big(out, frame_out_bytes(output, f) / 2);
    }
    return status;
}
