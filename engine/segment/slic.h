/* Superpixels: a picture cut into a few hundred patches of similar colour, with their means and neighbours.
 *
 * R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods", PAMI 2012: k-means in
 * (L, a, b, x, y), each centre searching a window of twice its spacing; connectivity enforced at the end. */
#ifndef MB_SEGMENT_SLIC_H
#define MB_SEGMENT_SLIC_H

#include "core/status.h"
#include "image/raster.h"

typedef struct mb_superpixels {
    int width, height, count;
    int32_t *label;     /* [H,W], 0 .. count-1, each label one 4-connected patch */
    float *mean;        /* [count][5]: L, a, b, x/side, y/side (side = longer side of the picture) */
    int32_t *area;      /* [count] pixels */
    int32_t *on_border; /* [count] pixels on the picture's border */
} mb_superpixels;

/* About `wanted` patches of the RGB picture. `compactness`: weight of distance against colour, in Lab units (10 .. 20).
 */
MB_MUST_CHECK mb_status mb_superpixels_create(mb_superpixels *out, const mb_image_u8 *rgb, int wanted,
                                              float compactness, mb_error *err);
void mb_superpixels_dispose(mb_superpixels *s);

/* CIE L*a*b* (D65) of n sRGB pixels of `channels` bytes each, [n][3]. */
void mb_rgb_to_lab(float *lab, const uint8_t *rgb, size_t n, int channels);

#endif
