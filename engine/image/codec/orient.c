/* The eight EXIF orientations. Orientations 5 to 8 exchange the sides: they go through tiles, so that neither side of
 * the copy strides through memory. */
#include "image/codec/load.h"

#define TILE 32

/* Where pixel (x, y) of the result stands in the source, in pixels: start + x*right + y*down. */
typedef struct walk {
    ptrdiff_t start, right, down;
} walk;

/* w, h: of the source. */
static walk walk_of(int orientation, ptrdiff_t w, ptrdiff_t h)
{
    const ptrdiff_t last_row = (h - 1) * w, last = last_row + w - 1;
    switch (orientation) {
    case 2: /* mirrored left to right */
        return (walk){w - 1, -1, w};
    case 3: /* upside down */
        return (walk){last, -1, -w};
    case 4: /* mirrored top to bottom */
        return (walk){last_row, 1, -w};
    case 5: /* transposed */
        return (walk){0, w, 1};
    case 6: /* a quarter turn clockwise */
        return (walk){last_row, -w, 1};
    case 7: /* transposed about the other diagonal */
        return (walk){last, -w, -1};
    case 8: /* a quarter turn counter-clockwise */
        return (walk){w - 1, w, -1};
    default:
        return (walk){0, 1, w};
    }
}

typedef struct target {
    uint8_t *v;
    int width, height;
    ptrdiff_t bytes; /* of a pixel */
} target;

/* One square of the result: source rows and columns of a tile stay in cache whichever way they run. */
static void copy_tile(const target *t, const uint8_t *src, walk s, int x0, int y0)
{
    const ptrdiff_t c = t->bytes;
    const int x1 = t->width - x0 < TILE ? t->width : x0 + TILE, y1 = t->height - y0 < TILE ? t->height : y0 + TILE;
    for (int y = y0; y < y1; y++) {
        uint8_t *d = t->v + ((ptrdiff_t)y * t->width + x0) * c;
        const uint8_t *p = src + (s.start + x0 * s.right + y * s.down) * c;
        for (int x = x0; x < x1; x++, d += c, p += s.right * c) {
            for (ptrdiff_t i = 0; i < c; i++) {
                d[i] = p[i];
            }
        }
    }
}

static bool is_turned(int orientation)
{
    return orientation >= 5 && orientation <= 8;
}

/* Tile by tile, in the order of the result. */
void mb_orient_pixels(uint8_t *dst, const uint8_t *src, mb_pixel_block size, int orientation)
{
    const int w = size.width, h = size.height;
    const target t = {dst, is_turned(orientation) ? h : w, is_turned(orientation) ? w : h, size.pixel_bytes};
    const walk s = walk_of(orientation, w, h);
    for (int y = 0; y < t.height; y += TILE) {
        for (int x = 0; x < t.width; x += TILE) {
            copy_tile(&t, src, s, x, y);
        }
    }
}

/* Orientations 5 to 8 exchange width and height. */
mb_status mb_image_u8_orient(mb_image_u8 *out, const mb_image_u8 *src, int orientation, mb_error *err)
{
    const bool turned = is_turned(orientation);
    const int width = turned ? src->height : src->width, height = turned ? src->width : src->height;
    mb_status status = mb_image_u8_create(out, width, height, src->channels, err);
    if (status == MB_OK) {
        mb_orient_pixels(out->v, src->v, (mb_pixel_block){src->width, src->height, src->channels}, orientation);
    }
    return status;
}
