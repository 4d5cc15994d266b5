/* Picture and mask to RGBA, alpha turned over, the box around the subject. What lies behind it: layers.h. */
#ifndef MB_IMAGE_COMPOSE_COMPOSE_H
#define MB_IMAGE_COMPOSE_COMPOSE_H

#include "image/raster.h"

typedef struct mb_box {
    int x, y, width, height; /* width 0: empty */
} mb_box;

/* out = RGBA from RGB and a grey mask of the same size: straight alpha, colours untouched. */
MB_MUST_CHECK mb_status mb_compose_rgba(mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                                        mb_error *err);

/* In place: 255 - v of a grey picture, or of the alpha of RGBA; RGB is left alone. */
void mb_compose_invert(mb_image_u8 *p);

/* The smallest box that holds all values >= threshold (1 .. 255) of a grey picture or of RGBA's alpha, widened by `pad`
 * pixels and cut at the picture's sides. */
mb_box mb_compose_box(const mb_image_u8 *p, int threshold, int pad);
/* The part of any picture in a new one, which the caller disposes. */
MB_MUST_CHECK mb_status mb_compose_crop(mb_image *out, const mb_image *p, mb_box box, mb_error *err);

#endif
