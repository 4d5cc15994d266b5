/* What the classical methods read: an 8-bit or an f32 picture, interleaved, seen as f32 in [0,1] (8-bit: v / 255). */
#ifndef MB_IMAGE_VIEW_H
#define MB_IMAGE_VIEW_H

#include "image/raster.h"

#include <math.h>

/* [H,W,channels]; exactly one pointer is set. Values that are not finite count as 0. */
typedef struct mb_image_view {
    int width, height, channels;
    const uint8_t *u8;
    const float *f32;
} mb_image_view;

static inline mb_image_view mb_image_view_u8(const mb_image_u8 *p)
{
    return (mb_image_view){p->width, p->height, p->channels, p->v, NULL};
}
static inline mb_image_view mb_image_view_f32(const mb_image_f32 *p)
{
    return (mb_image_view){p->width, p->height, 1, NULL, p->v};
}

static inline float mb_image_view_at(const mb_image_view *s, size_t index)
{
    if (s->u8 != NULL) {
        return (float)s->u8[index] / 255.0f;
    }
    float v = s->f32[index];
    return isfinite(v) ? v : 0.0f;
}

/* Index of a mirrored position with the edge repeated (..cba|abc|cba..), any distance outside. n >= 1. */
static inline int mb_reflect(int i, int n)
{
    int m = i % (2 * n);
    m = m < 0 ? m + 2 * n : m;
    return m < n ? m : 2 * n - 1 - m;
}

/* The same without repeating the edge (..cb|abc|ba..). */
static inline int mb_reflect_101(int i, int n)
{
    if (n == 1) {
        return 0;
    }
    int period = 2 * n - 2, m = i % period;
    m = m < 0 ? m + period : m;
    return m < n ? m : period - m;
}

#endif
