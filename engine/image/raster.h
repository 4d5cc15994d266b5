/* Pictures in memory inside the engine: 8-bit interleaved pictures and f32 planes. */
#ifndef MB_IMAGE_RASTER_H
#define MB_IMAGE_RASTER_H

#include "core/status.h"

/* 8-bit picture, rows top to bottom, tightly packed: pixel (x,y) at v[(y*width + x)*channels]. channels: 1 grey, 3 RGB,
 * 4 RGBA (straight alpha). Owns v. */
typedef struct mb_image_u8 {
    int width, height, channels;
    uint8_t *v;
} mb_image_u8;

/* One f32 value a pixel, [H,W], tightly packed. Masks and alphas lie in [0,1]. Owns v. */
typedef struct mb_image_f32 {
    int width, height;
    float *v;
} mb_image_f32;

/* Contents undefined. width, height >= 1. */
MB_MUST_CHECK mb_status mb_image_u8_create(mb_image_u8 *out, int width, int height, int channels, mb_error *err);
void mb_image_u8_dispose(mb_image_u8 *p); /* leaves {0}; a {0} picture is fine */
MB_MUST_CHECK mb_status mb_image_f32_create(mb_image_f32 *out, int width, int height, mb_error *err);
void mb_image_f32_dispose(mb_image_f32 *p);

#endif
