/* Picture and mask to what is written: RGBA, premultiplied, over a colour or a picture, cropped, inverted.
 *
 * Alpha is straight unless said otherwise. Products of 8-bit values are rounded, (a b + 127) / 255 exactly. */
#ifndef MB_IMAGE_COMPOSE_H
#define MB_IMAGE_COMPOSE_H

#include "image/plane.h"

#include <stdbool.h>

typedef struct mb_box {
    int x, y, width, height; /* width 0: empty */
} mb_box;

/* out = RGBA from RGB and a grey mask of the same size. */
MB_MUST_CHECK mb_status mb_compose_rgba(mb_picture *out, const mb_picture *rgb, const mb_picture *mask, mb_error *err);

/* In place, on RGBA. */
void mb_compose_premultiply(mb_picture *rgba);
/* In place: colours under alpha 0 become 0 (files get smaller; scaling may then bleed black). */
void mb_compose_clean(mb_picture *rgba);
/* In place: 255 - v of a grey picture, or of the alpha of RGBA; RGB is left alone. */
void mb_compose_invert(mb_picture *p);

/* Over a background: out is RGB, or RGBA where the background's alpha is below 255. `linear` blends light instead of
 * sRGB numbers. */
typedef struct mb_background {
    uint8_t colour[4];         /* straight RGBA */
    const mb_picture *picture; /* NULL, or RGB of the same size, which then replaces the colour */
    bool linear;
} mb_background;
MB_MUST_CHECK mb_status mb_compose_over(mb_picture *out, const mb_picture *rgba, const mb_background *background,
                                        mb_error *err);

/* The smallest box that holds all values >= threshold (1 .. 255) of a grey picture or of RGBA's alpha, widened by `pad`
 * pixels and cut at the picture's sides. */
mb_box mb_compose_box(const mb_picture *p, int threshold, int pad);
MB_MUST_CHECK mb_status mb_compose_crop(mb_picture *out, const mb_picture *p, mb_box box, mb_error *err);

#endif
