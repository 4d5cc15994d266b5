/* One bit a pixel, and box dilation on it: the workhorse behind every trimap.
 *
 * Rows are padded to whole 64-bit words; pixel x is bit x % 64 of word x / 64; bits beyond the width are 0. At one bit
 * a pixel a 16-megapixel picture is 2 MB, so morphology of any size runs in cache and a trimap costs little more than
 * reading the mask and writing the result. */
#ifndef MB_IMAGE_BITMAP_H
#define MB_IMAGE_BITMAP_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

typedef struct mb_bitmap {
    int width, height;
    size_t words; /* of one row */
    uint64_t *v;  /* [height][words] */
} mb_bitmap;

/* All bits 0. */
MB_MUST_CHECK mb_status mb_bitmap_create(mb_bitmap *out, int width, int height, mb_error *err);
void mb_bitmap_dispose(mb_bitmap *b);
/* The task's pool if a pass over b is worth threads, else NULL. Passes over bits are over in a few milliseconds at any
 * size of picture, so they do not poll the task. */
mb_pool *mb_bitmap_pool(const mb_task *task, const mb_bitmap *b);

/* Bit = (low <= v <= high) of the first channel of an 8-bit picture of the same size. */
void mb_bitmap_range(const mb_task *task, mb_bitmap *b, const mb_image_u8 *p, int low, int high);
/* Bit = (v >= threshold) of a plane of the same size; NaN gives 0. */
void mb_bitmap_at_least(const mb_task *task, mb_bitmap *b, const mb_image_f32 *p, float threshold);

/* Offsets of a window around a pixel, both axes: [-before, +after], both >= 0. */
typedef struct mb_window {
    int before, after;
} mb_window;

/* b(x,y) becomes the OR of b over the window; pixels outside the picture count as 0. O(1) in the window's size. */
MB_MUST_CHECK mb_status mb_bitmap_dilate(const mb_task *task, mb_bitmap *b, mb_window window, mb_error *err);
/* The AND; pixels outside the picture count as 1. */
MB_MUST_CHECK mb_status mb_bitmap_erode(const mb_task *task, mb_bitmap *b, mb_window window, mb_error *err);

/* Bits nearer to the border than the window reaches become 0: erosion where the outside counts as 0. */
void mb_bitmap_clear_border(mb_bitmap *b, mb_window window);

static inline bool mb_bitmap_get(const mb_bitmap *b, int x, int y)
{
    return (b->v[(size_t)y * b->words + (size_t)x / 64] >> (x % 64)) & 1u;
}
static inline const uint64_t *mb_bitmap_row(const mb_bitmap *b, int y)
{
    return b->v + (size_t)y * b->words;
}
bool mb_bitmap_any(const mb_bitmap *b);

/* dst[x] = a(x,y) ? on_a : b(x,y) ? on_b : off, for a whole row. Needs a subset of b and on_a >= on_b >= off. */
void mb_bitmap_spread(uint8_t *dst, const mb_bitmap *a, const mb_bitmap *b, int y, const uint8_t levels[3]);

#endif
