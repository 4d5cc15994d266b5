/* See compose.h. One pass over the picture each. */
#include "image/compose/compose.h"

#include "image/convert.h"

#include <string.h>

static size_t area(const mb_image_u8 *p)
{
    return (size_t)p->width * (size_t)p->height; /* it exists: no overflow */
}

static mb_status same_size(const mb_image_u8 *a, const mb_image_u8 *b, const char *what, mb_error *err)
{
    return a->width == b->width && a->height == b->height
               ? MB_OK
               : mb_fail(err, MB_E_ARGUMENT, "the %s has %d x %d pixels, the picture %d x %d", what, b->width,
                         b->height, a->width, a->height);
}

static mb_status channels_are(const mb_image_u8 *p, int n, const char *what, mb_error *err)
{
    return p->channels == n ? MB_OK
                            : mb_fail(err, MB_E_ARGUMENT, "the %s has %d channels, not %d", what, p->channels, n);
}

/* Straight alpha: the colours stay as they are under any alpha. */
mb_status mb_compose_rgba(mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask, mb_error *err)
{
    mb_status status;
    *out = (mb_image_u8){0};
    MB_TRY(channels_are(rgb, 3, "picture", err));
    MB_TRY(channels_are(mask, 1, "mask", err));
    MB_TRY(same_size(rgb, mask, "mask", err));
    MB_TRY(mb_image_u8_create(out, rgb->width, rgb->height, 4, err));
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

/* Grey, or the alpha of RGBA; RGB has neither. */
void mb_compose_invert(mb_image_u8 *p)
{
    const size_t step = (size_t)p->channels, first = step - 1;
    if (step == 3) {
        return;
    }
    for (size_t i = first, n = area(p) * step; i < n; i += step) {
        p->v[i] = (uint8_t)(255 - p->v[i]);
    }
}

/* ---- crop */

/* Looks at each row from both ends only as far as needed. */
mb_box mb_compose_box(const mb_image_u8 *p, int threshold, int pad)
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

/* Keeps order and depth; the rows of the result are packed. */
mb_status mb_compose_crop(mb_image *out, const mb_image *p, mb_box box, mb_error *err)
{
    static const size_t channels[5] = {1, 3, 3, 4, 4}, bytes[3] = {1, 2, 4};
    *out = (mb_image){0};
    mb_status status = mb_image_check(p, err);
    if (status != MB_OK) {
        return status;
    }
    if (box.x < 0 || box.y < 0 || box.width < 1 || box.height < 1 || box.width > p->width - box.x ||
        box.height > p->height - box.y) {
        return mb_fail(err, MB_E_ARGUMENT, "crop %d x %d at %d, %d: not inside a picture of %d x %d", box.width,
                       box.height, box.x, box.y, p->width, p->height);
    }
    status = mb_image_create(out, box.width, box.height, p->pixels, p->depth, err);
    const size_t pixel = channels[p->pixels] * bytes[p->depth], row = (size_t)box.width * pixel;
    const size_t stride = p->row_bytes != 0 ? p->row_bytes : (size_t)p->width * pixel;
    if (status != MB_OK) {
        return status;
    }
    for (int y = 0; y < box.height; y++) {
        memcpy((uint8_t *)out->data + (size_t)y * row,
               (const uint8_t *)p->data + (size_t)(box.y + y) * stride + (size_t)box.x * pixel, row);
    }
    return MB_OK;
}
