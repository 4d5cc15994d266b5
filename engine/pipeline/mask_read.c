/* Masks and trimaps as people have them: in an alpha channel, as labels 0 and 1, of another size, of the photo as it
 * was stored. docs/pictures.md has the rules. */
#include "core/sized.h"

#include "core/alloc.h"
#include "image/codec/load.h"
#include "image/convert.h"
#include "image/resample/resize.h"
#include "pipeline/mask_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of mb_mask_channel. */
const char *mb_mask_channel_name(int channel)
{
    static const char *const names[] = {"auto", "luma", "red", "green", "blue", "alpha"};
    return channel >= 0 && channel < (int)(sizeof names / sizeof *names) ? names[channel] : NULL;
}

void mb_mask_options_init(mb_mask_options *options)
{
    *options = (mb_mask_options){.size = sizeof *options, .orientation = 1};
}

/* The samples of a picture, as the decisions below look at them. */
typedef struct samples {
    const mb_image *image;
    size_t row_bytes, n; /* n: samples a pixel */
    size_t r, g, b, a;   /* their places; a == n: no alpha */
    unsigned top;        /* the largest value: 255 or 65535 */
    size_t width, height;
} samples;

static unsigned sample_at(const samples *s, size_t x, size_t y, size_t place)
{
    const uint8_t *row = (const uint8_t *)s->image->data + y * s->row_bytes;
    const size_t i = x * s->n + place;
    if (s->image->depth == MB_DEPTH_U8) {
        return row[i];
    }
    uint16_t wide;
    memcpy(&wide, row + 2 * i, sizeof wide);
    return wide;
}

static samples samples_of(const mb_image *m)
{
    static const size_t counts[] = {1, 3, 3, 4, 4};
    const bool turned = m->pixels == MB_PIXELS_BGR || m->pixels == MB_PIXELS_BGRA, grey = m->pixels == MB_PIXELS_GRAY;
    samples s = {.image = m, .n = counts[m->pixels], .top = m->depth == MB_DEPTH_U16 ? 65535 : 255};
    s.r = turned ? 2 : 0;
    s.g = grey ? 0 : 1;
    s.b = grey || turned ? 0 : 2;
    s.a = s.n == 4 ? 3 : s.n;
    s.width = (size_t)m->width;
    s.height = (size_t)m->height;
    s.row_bytes = m->row_bytes != 0 ? m->row_bytes : s.width * s.n * (m->depth == MB_DEPTH_U16 ? 2 : 1);
    return s;
}

/* What the colours and the alpha of a picture look like. */
typedef struct census {
    bool alpha_varies, coloured;
    bool like_mask;   /* grey, almost all visible pixels black, white or middle grey, both ends present */
    bool two_colours; /* black and one other colour, nothing else */
} census;

static unsigned apart(unsigned a, unsigned b)
{
    return a > b ? a - b : b - a;
}

static census look_at(const samples *s)
{
    census c = {.two_colours = true};
    const unsigned shift = s->top == 65535 ? 8 : 0;
    unsigned low = s->top, high = 0;
    size_t visible = 0, grey = 0, black = 0, white = 0, middle = 0;
    uint32_t other = 0;
    for (size_t y = 0; y < s->height; y++) {
        for (size_t x = 0; x < s->width; x++) {
            const unsigned a = s->a < s->n ? sample_at(s, x, y, s->a) : s->top;
            const unsigned r = sample_at(s, x, y, s->r) >> shift, g = sample_at(s, x, y, s->g) >> shift,
                           b = sample_at(s, x, y, s->b) >> shift;
            low = a < low ? a : low;
            high = a > high ? a : high;
            c.coloured = c.coloured || apart(r, g) > 64 || apart(r, b) > 64; /* small differences are a JPEG's */
            const uint32_t colour = r << 16 | g << 8 | b;
            if (colour != 0) {
                c.two_colours = c.two_colours && (other == 0 || other == colour);
                other = colour;
            }
            if (2 * a >= s->top) {
                visible++;
                grey += apart(r, g) <= 8 && apart(r, b) <= 8;
                black += g <= 8;
                white += g >= 247;
                middle += apart(g, 128) <= 8;
            }
        }
    }
    c.alpha_varies = low != high;
    c.two_colours = c.two_colours && other != 0;
    c.like_mask = visible > 0 && 1000 * grey >= 999 * visible && 10 * (black + white + middle) >= 9 * visible &&
                  1000 * black >= visible && 1000 * white >= visible;
    return c;
}

/* Which values become the mask. */
typedef enum way { LUMA, RED, GREEN, BLUE, ALPHA, LUMA_TIMES_ALPHA, NOT_BLACK } way;

static mb_status choose(way *out, char *note, size_t note_bytes, const samples *s, const mb_mask_options *o,
                        mb_error *err)
{
    const char *kind = o->is_trimap ? "trimap" : "mask";
    if (o->channel != MB_MASK_CHANNEL_AUTO) {
        static const way ways[] = {LUMA, LUMA, RED, GREEN, BLUE, ALPHA};
        *out = ways[o->channel];
        return *out == ALPHA && s->a == s->n
                   ? mb_fail(err, MB_E_ARGUMENT,
                             "the %s has no transparency to read it from\nmb_mask_options.channel=auto", kind)
                   : MB_OK;
    }
    const census c = look_at(s);
    *out = LUMA;
    if (c.alpha_varies && c.like_mask) {
        *out = LUMA_TIMES_ALPHA;
        (void)snprintf(note, note_bytes, "its %s is partly transparent: that counts as background", kind);
    } else if (c.alpha_varies) {
        *out = ALPHA;
        (void)snprintf(note, note_bytes, "its %s was read from the alpha channel", kind);
    } else if (c.coloured && c.two_colours && !o->is_trimap) {
        *out = NOT_BLACK;
        (void)snprintf(note, note_bytes, "its mask is black and one colour: the colour counts as foreground");
    } else if (c.coloured) { /* a photo instead of its mask, most likely */
        (void)snprintf(note, note_bytes, "its %s is a picture in colours: its brightness was used", kind);
    }
    return MB_OK;
}

static unsigned value_at(const samples *s, way w, size_t x, size_t y)
{
    if (w == ALPHA || w == RED || w == GREEN || w == BLUE) {
        return sample_at(s, x, y, w == ALPHA ? s->a : w == RED ? s->r : w == GREEN ? s->g : s->b);
    }
    const unsigned r = sample_at(s, x, y, s->r), g = sample_at(s, x, y, s->g), b = sample_at(s, x, y, s->b);
    if (w == NOT_BLACK) {
        return (r | g | b) != 0 ? s->top : 0;
    }
    const unsigned luma = (unsigned)((19595ull * r + 38470ull * g + 7471ull * b + 32768ull) >> 16); /* as mb_luma8 */
    if (w == LUMA_TIMES_ALPHA) {
        return (unsigned)(((unsigned long long)luma * sample_at(s, x, y, s->a) + s->top / 2) / s->top);
    }
    return luma;
}

static void put_at(const mb_image *out, size_t i, unsigned v)
{
    if (out->depth == MB_DEPTH_U8) {
        ((uint8_t *)out->data)[i] = (uint8_t)v;
    } else {
        ((uint16_t *)out->data)[i] = (uint16_t)v;
    }
}

static unsigned get_at(const mb_image *out, size_t i)
{
    return out->depth == MB_DEPTH_U8 ? ((const uint8_t *)out->data)[i] : ((const uint16_t *)out->data)[i];
}

/* Labels instead of levels: 0 and 1; 0, 1 and 2; 8-bit values in samples of 16 bits. */
static void spread_labels(const mb_image *m, char *note, size_t note_bytes, const mb_mask_options *o)
{
    const size_t n = (size_t)m->width * (size_t)m->height;
    const unsigned top = m->depth == MB_DEPTH_U16 ? 65535 : 255;
    const char *kind = o->is_trimap ? "trimap" : "mask", *gap = note[0] != '\0' ? "; " : "";
    const size_t at = strlen(note);
    unsigned high = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = get_at(m, i);
        high = v > high ? v : high;
    }
    if (high == 0 || high > 255 || (top == 255 && high > 2)) {
        return;
    }
    const unsigned range = high > 2 ? 255 : high;
    for (size_t i = 0; i < n; i++) {
        put_at(m, i, (get_at(m, i) * top + range / 2) / range);
    }
    if (high > 2) {
        (void)snprintf(note + at, note_bytes - at, "%sits %s holds 8-bit values in 16 bits: read as 0 to 255", gap,
                       kind);
    } else if (high == 2) {
        (void)snprintf(note + at, note_bytes - at,
                       "%sits %s holds 0, 1 and 2: read as background, unknown and foreground", gap, kind);
    } else {
        (void)snprintf(note + at, note_bytes - at, "%sits %s holds 0 and 1: read as background and foreground", gap,
                       kind);
    }
}

static mb_status extract(mb_image *out, char *note, size_t note_bytes, const mb_image *src, const mb_mask_options *o,
                         mb_error *err)
{
    const samples s = samples_of(src);
    way w;
    mb_status status;
    MB_TRY(choose(&w, note, note_bytes, &s, o, err));
    MB_TRY(mb_image_create(out, src->width, src->height, MB_PIXELS_GRAY, src->depth, err));
    for (size_t y = 0; y < s.height; y++) {
        for (size_t x = 0; x < s.width; x++) {
            put_at(out, y * s.width + x, value_at(&s, w, x, y));
        }
    }
    spread_labels(out, note, note_bytes, o);
done:
    return status;
}

/* ---- size */

/* Would the mask fit if it were turned as the photo was? */
static bool fits_turned(const mb_image *m, const mb_mask_options *o)
{
    if (o->orientation < 5 || o->width == o->height) {
        return false;
    }
    const double upright = (double)m->width * o->height, turned = (double)m->width * o->width;
    const double miss_upright = upright / ((double)m->height * o->width),
                 miss_turned = turned / ((double)m->height * o->height);
    const double a = miss_upright > 1 ? miss_upright : 1 / miss_upright,
                 b = miss_turned > 1 ? miss_turned : 1 / miss_turned;
    return b < a;
}

static mb_status refuse_size(const mb_image *m, const mb_mask_options *o, mb_error *err)
{
    const char *kind = o->is_trimap ? "trimap" : "mask";
    char hint[200] = "mb_mask_options.scale=1 scales it";
    if (fits_turned(m, o)) {
        const bool exactly = m->width == o->height && m->height == o->width;
        (void)snprintf(hint, sizeof hint,
                       "it fits the photo as it is stored, before its EXIF orientation %d was applied: "
                       "mb_mask_options.scale=1 turns it likewise%s",
                       o->orientation, exactly ? "" : " and scales it");
    }
    return mb_fail(err, MB_E_ARGUMENT, "the photo is %d x %d, its %s %d x %d: they must be of one size\n%s", o->width,
                   o->height, kind, m->width, m->height, hint);
}

static mb_status turn(mb_image *m, int orientation, mb_error *err)
{
    mb_image turned = {0};
    const bool aside = orientation >= 5;
    mb_status status = mb_image_create(&turned, aside ? m->height : m->width, aside ? m->width : m->height,
                                       MB_PIXELS_GRAY, m->depth, err);
    if (status == MB_OK) {
        const mb_pixel_block shape = {m->width, m->height, m->depth == MB_DEPTH_U16 ? 2 : 1};
        mb_orient_pixels(turned.data, m->data, shape, orientation);
        mb_image_dispose(m);
        *m = turned;
    }
    return status;
}

/* In 8 bits: antialiased down, linear up; the soft edges of a trimap fall between its thresholds and are unknown. */
static mb_status scale(mb_image *m, const mb_mask_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image narrow = {0};
    mb_image_u8 plane = {0}, scaled = {0};
    MB_TRY(mb_image_create(&narrow, m->width, m->height, MB_PIXELS_GRAY, MB_DEPTH_U8, err));
    MB_TRY(mb_image_convert(&narrow, m, err));
    plane = (mb_image_u8){m->width, m->height, 1, narrow.data};
    MB_TRY(mb_resize_pillow(NULL, &scaled, &plane, o->width, o->height, MB_FILTER_BILINEAR, err));
    mb_image_dispose(m);
    mb_image_take(m, &scaled);
done:
    mb_image_dispose(&narrow);
    mb_image_u8_dispose(&scaled);
    return status;
}

static mb_status fit(mb_image *m, char *note, size_t note_bytes, const mb_mask_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    if (o->width == 0 || (m->width == o->width && m->height == o->height)) {
        return MB_OK;
    }
    if (!o->scale) {
        return refuse_size(m, o, err);
    }
    const int width = m->width, height = m->height;
    const bool turned = fits_turned(m, o);
    if (turned) {
        MB_TRY(turn(m, o->orientation, err));
    }
    const double shape = (double)m->width * o->height / ((double)m->height * o->width);
    if (m->width != o->width || m->height != o->height) {
        MB_TRY(scale(m, o, err));
    }
    const size_t at = strlen(note);
    (void)snprintf(note + at, note_bytes - at, "%sits %s of %d x %d was %s%s", at > 0 ? "; " : "",
                   o->is_trimap ? "trimap" : "mask", width, height,
                   turned ? "turned as the photo's EXIF orientation says, and fitted" : "scaled",
                   shape > 1.02 || shape < 0.98 ? ", to another shape" : "");
done:
    return status;
}

mb_status mb_mask_read(mb_image *out, char *note, size_t note_bytes, const mb_image *src,
                       const mb_mask_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_mask_options o;
    mb_image wide = {0};
    char spare[8];
    *out = (mb_image){0};
    note = note != NULL && note_bytes > 0 ? note : spare;
    note_bytes = note == spare ? sizeof spare : note_bytes;
    note[0] = '\0';
    mb_mask_options_init(&o);
    if (options != NULL) {
        MB_TRY(mb_copy_sized(&o, sizeof o, options, "mb_mask_options", err));
    }
    if (mb_mask_channel_name((int)o.channel) == NULL || o.width < 0 || o.height < 0 ||
        (o.width == 0) != (o.height == 0)) {
        return mb_fail(err, MB_E_ARGUMENT, "mask of channel %d for a photo of %d x %d: not possible", (int)o.channel,
                       o.width, o.height);
    }
    MB_TRY(mb_image_check(src, err));
    if (src->depth == MB_DEPTH_F32) { /* [0,1] already: no labels */
        MB_TRY(mb_image_create(&wide, src->width, src->height, src->pixels, MB_DEPTH_U16, err));
        MB_TRY(mb_image_convert(&wide, src, err));
        src = &wide;
    }
    MB_TRY(extract(out, note, note_bytes, src, &o, err));
    MB_TRY(fit(out, note, note_bytes, &o, err));
    if (o.photo != NULL && mb_mask_wants_turning(o.photo, out, o.orientation)) {
        const size_t at = strlen(note);
        MB_TRY(o.scale ? turn(out, o.orientation, err) : MB_OK);
        (void)snprintf(note + at, note_bytes - at,
                       o.scale ? "%sits %s was turned as the photo's EXIF orientation says: its outline fits so"
                               : "%sits %s seems to be of the photo as it is stored, before its EXIF orientation was "
                                 "applied: mb_mask_options.scale=1 turns it",
                       at > 0 ? "; " : "", o.is_trimap ? "trimap" : "mask");
    }
done:
    if (status != MB_OK) {
        mb_image_dispose(out);
    }
    mb_image_dispose(&wide);
    return status;
}
