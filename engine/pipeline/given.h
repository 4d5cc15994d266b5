/* What callers give, made ready for a run: photos with transparency of their own, trimaps that are nearly black and
 * white. */
#ifndef MB_PIPELINE_GIVEN_H
#define MB_PIPELINE_GIVEN_H

#include "image/raster.h"

/* The photo (RGB) as it is seen through its own alpha, over white, or over black where what is visible is nearly white:
 * whatever looks for a subject must not find what nobody can see. own: of the photo's size, or {0}; becomes {0} where
 * it is opaque throughout. */
void mb_hide_transparent(mb_image_u8 *photo, mb_image_u8 *own);

/* What a trimap says for sure, by the options' thresholds, becomes 0 and 255; between them it stays as it is. fine: the
 * same at more than 8 bits, or {0}. */
void mb_part_trimap(mb_image_u8 *trimap, mb_image_f32 *fine, const mb_options *o);

/* The three values that callers see: 0, 127, 255. Methods and callers have their own for what is unknown (closed-form
 * matting 128, as pymatting; a given trimap any grey). trimap: may be {0}. */
void mb_plain_trimap(mb_image_u8 *trimap);

#endif
