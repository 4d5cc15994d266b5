/* The eight EXIF orientations. Orientations 5 to 8 exchange the sides: they go through tiles, so that neither side of
 * the copy strides through memory. */
#include "image/load.h"

#define TILE 32

/* Where pixel (x, y) of the result stands in the source, in pixels: start + x*right + y*down. */
typedef struct walk {
    ptrdiff_t start, right, down;
} walk;

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

static void copy_tile(const mb_picture *out, const uint8_t *src, walk s, int x0, int y0)
{
    const ptrdiff_t c = out->channels;
    const int x1 = out->width - x0 < TILE ? out->width : x0 + TILE,
              y1 = out->height - y0 < TILE ? out->height : y0 + TILE;
    for (int y = y0; y < y1; y++) {
        uint8_t *d = out->v + ((ptrdiff_t)y * out->width + x0) * c;
        const uint8_t *p = src + (s.start + x0 * s.right + y * s.down) * c;
        for (int x = x0; x < x1; x++, d += c, p += s.right * c) {
            for (ptrdiff_t i = 0; i < c; i++) {
                d[i] = p[i];
            }
        }
    }
}

mb_status mb_picture_orient(mb_picture *out, const mb_picture *src, int orientation, mb_error *err)
{
    const bool turned = orientation >= 5 && orientation <= 8;
    const int width = turned ? src->height : src->width, height = turned ? src->width : src->height;
    mb_status status = mb_picture_create(out, width, height, src->channels, err);
    if (status != MB_OK) {
        return status;
    }
    const walk s = walk_of(orientation, src->width, src->height);
    for (int y = 0; y < height; y += TILE) {
        for (int x = 0; x < width; x += TILE) {
            copy_tile(out, src->v, s, x, y);
        }
    }
    return MB_OK;
}
