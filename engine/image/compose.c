/* See compose.h. One pass over the picture each; rows of any length. */
#include "image/compose.h"

#include <math.h>
#include <string.h>

static size_t area(const mb_picture *p)
{
    return (size_t)p->width * (size_t)p->height; /* it exists: no overflow */
}

/* round(a b / 255), exact for all bytes */
static unsigned product(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static mb_status same_size(const mb_picture *a, const mb_picture *b, const char *what, mb_error *err)
{
    return a->width == b->width && a->height == b->height
               ? MB_OK
               : mb_fail(err, MB_E_ARGUMENT, "the %s has %d x %d pixels, the picture %d x %d", what, b->width,
                         b->height, a->width, a->height);
}

static mb_status channels_are(const mb_picture *p, int n, const char *what, mb_error *err)
{
    return p->channels == n ? MB_OK
                            : mb_fail(err, MB_E_ARGUMENT, "the %s has %d channels, not %d", what, p->channels, n);
}

mb_status mb_compose_rgba(mb_picture *out, const mb_picture *rgb, const mb_picture *mask, mb_error *err)
{
    mb_status status;
    *out = (mb_picture){0};
    MB_TRY(channels_are(rgb, 3, "picture", err));
    MB_TRY(channels_are(mask, 1, "mask", err));
    MB_TRY(same_size(rgb, mask, "mask", err));
    MB_TRY(mb_picture_create(out, rgb->width, rgb->height, 4, err));
    const uint8_t *p = rgb->v, *a = mask->v;
    uint8_t *q = out->v;
    for (size_t i = 0, n = area(rgb); i < n; i++, p += 3, q += 4) {
        q[0] = p[0];
        q[1] = p[1];
        q[2] = p[2];
        q[3] = a[i];
    }
done:
    return status;
}

void mb_compose_premultiply(mb_picture *rgba)
{
    for (size_t i = 0, n = rgba->channels == 4 ? area(rgba) : 0; i < n; i++) {
        uint8_t *p = rgba->v + 4 * i;
        for (int c = 0; c < 3; c++) {
            p[c] = (uint8_t)product(p[c], p[3]);
        }
    }
}

void mb_compose_clean(mb_picture *rgba)
{
    for (size_t i = 0, n = rgba->channels == 4 ? area(rgba) : 0; i < n; i++) {
        uint8_t *p = rgba->v + 4 * i;
        if (p[3] == 0) {
            memset(p, 0, 3);
        }
    }
}

void mb_compose_invert(mb_picture *p)
{
    const size_t step = (size_t)p->channels, first = step - 1;
    if (step == 3) {
        return;
    }
    for (size_t i = first, n = area(p) * step; i < n; i += step) {
        p->v[i] = (uint8_t)(255 - p->v[i]);
    }
}

/* ---- over */

/* sRGB's transfer curve as a table, and back by search in f32: 8-bit values come back as they were. */
typedef struct light {
    float of[256];
    uint8_t level[4096]; /* the 8-bit value nearest to i/4095, then corrected by one */
} light;

static float to_light(float v)
{
    return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
}

static void light_init(light *l)
{
    for (int i = 0; i < 256; i++) {
        l->of[i] = to_light((float)i / 255.0f);
    }
    int at = 0;
    for (int i = 0; i < 4096; i++) {
        float x = (float)i / 4095.0f;
        while (at < 255 && l->of[at + 1] <= x) {
            at++;
        }
        l->level[i] = (uint8_t)at; /* the largest level not brighter than x */
    }
}

static uint8_t from_light(const light *l, float x)
{
    int v = l->level[(int)(x * 4095.0f)];
    while (v < 255 && l->of[v + 1] <= x) {
        v++;
    }
    return (uint8_t)(v < 255 && l->of[v + 1] - x < x - l->of[v] ? v + 1 : v);
}

static uint8_t mix(const light *l, unsigned top, unsigned bottom, unsigned alpha)
{
    if (l == NULL || alpha == 0 || alpha == 255 || top == bottom) {
        return (uint8_t)((top * alpha + bottom * (255 - alpha) + 127) / 255);
    }
    float a = (float)alpha / 255.0f;
    return from_light(l, l->of[top] * a + l->of[bottom] * (1.0f - a));
}

/* Straight alpha over straight alpha: colours are weighted by what each contributes. */
static void over_translucent(uint8_t *q, const uint8_t *p, const uint8_t *b, const light *l)
{
    const unsigned under = product(b[3], 255u - p[3]), total = p[3] + under;
    const unsigned share = total > 0 ? (p[3] * 255u + total / 2) / total : 0;
    for (int c = 0; c < 3; c++) {
        q[c] = total > 0 ? mix(l, p[c], b[c], share) : 0;
    }
    q[3] = (uint8_t)total;
}

mb_status mb_compose_over(mb_picture *out, const mb_picture *rgba, const mb_background *background, mb_error *err)
{
    mb_status status;
    light table;
    const light *l = NULL;
    const mb_picture *below = background->picture;
    const bool opaque = below != NULL || background->colour[3] == 255;
    *out = (mb_picture){0};
    MB_TRY(channels_are(rgba, 4, "picture", err));
    if (below != NULL) {
        MB_TRY(channels_are(below, 3, "background", err));
        MB_TRY(same_size(rgba, below, "background", err));
    }
    if (background->linear) {
        light_init(&table);
        l = &table;
    }
    MB_TRY(mb_picture_create(out, rgba->width, rgba->height, opaque ? 3 : 4, err));
    for (size_t i = 0, n = area(rgba); i < n; i++) {
        const uint8_t *p = rgba->v + 4 * i, *b = below != NULL ? below->v + 3 * i : background->colour;
        if (!opaque) {
            over_translucent(out->v + 4 * i, p, b, l);
            continue;
        }
        for (int c = 0; c < 3; c++) {
            out->v[3 * i + (size_t)c] = mix(l, p[c], b[c], p[3]);
        }
    }
done:
    return status;
}

/* ---- crop */

mb_box mb_compose_box(const mb_picture *p, int threshold, int pad)
{
    const size_t step = (size_t)p->channels;
    int x0 = p->width, x1 = -1, y0 = p->height, y1 = -1;
    for (int y = 0; y < p->height; y++) {
        const uint8_t *v = p->v + (size_t)y * (size_t)p->width * step + step - 1;
        int first = 0, last = p->width - 1;
        while (first < p->width && v[(size_t)first * step] < threshold) {
            first++;
        }
        if (first == p->width) {
            continue;
        }
        while (v[(size_t)last * step] < threshold) {
            last--;
        }
        x0 = first < x0 ? first : x0;
        x1 = last > x1 ? last : x1;
        y0 = y < y0 ? y : y0;
        y1 = y;
    }
    if (x1 < 0) {
        return (mb_box){0};
    }
    pad = pad > 0 ? pad : 0;
    x0 = x0 > pad ? x0 - pad : 0;
    y0 = y0 > pad ? y0 - pad : 0;
    x1 = p->width - 1 - x1 > pad ? x1 + pad : p->width - 1;
    y1 = p->height - 1 - y1 > pad ? y1 + pad : p->height - 1;
    return (mb_box){x0, y0, x1 - x0 + 1, y1 - y0 + 1};
}

mb_status mb_compose_crop(mb_picture *out, const mb_picture *p, mb_box box, mb_error *err)
{
    *out = (mb_picture){0};
    if (box.x < 0 || box.y < 0 || box.width < 1 || box.height < 1 || box.width > p->width - box.x ||
        box.height > p->height - box.y) {
        return mb_fail(err, MB_E_ARGUMENT, "crop %d x %d at %d, %d: not inside a picture of %d x %d", box.width,
                       box.height, box.x, box.y, p->width, p->height);
    }
    mb_status status = mb_picture_create(out, box.width, box.height, p->channels, err);
    const size_t c = (size_t)p->channels, row = (size_t)box.width * c;
    for (int y = 0; status == MB_OK && y < box.height; y++) {
        memcpy(out->v + (size_t)y * row, p->v + ((size_t)(box.y + y) * (size_t)p->width + (size_t)box.x) * c, row);
    }
    return status;
}
