/* Numbers and layouts of pixels: the two rules between 8 bits and [0,1] that the whole chain uses, luma, and rasters
 * that belong to the caller (any stride, order and sample type) to and from our own pictures.
 *
 * to8 truncates, as the published node does: to8(from8(v)) == v for all 256 values. Products are rounded to f32 once
 * (the build forbids contraction), so the bytes are those of the original. */
#ifndef MB_IMAGE_CONVERT_H
#define MB_IMAGE_CONVERT_H

#include "image/raster.h"

static inline uint8_t mb_to8(float x)
{
    float v = 255.0f * x;
    v = v > 0.0f ? v : 0.0f; /* a NaN becomes 0 here */
    return (uint8_t)(v < 255.0f ? v : 255.0f);
}

static inline float mb_from8(uint8_t v)
{
    return (float)v / 255.0f;
}

/* 16 bits are for grading: rounded to nearest, so that to16(from8(v)) == 257 v. */
static inline uint16_t mb_to16(float x)
{
    float v = 65535.0f * x + 0.5f;
    v = v > 0.0f ? v : 0.0f;
    return (uint16_t)(v < 65535.0f ? v : 65535.0f);
}

/* ITU-R 601 luma in 16-bit fixed point, the rule of Pillow's convert('L'). */
static inline uint8_t mb_luma8(uint8_t r, uint8_t g, uint8_t b)
{
    return (uint8_t)((19595u * r + 38470u * g + 7471u * b + 32768u) >> 16);
}

void mb_to8_array(uint8_t *dst, const float *src, size_t n);
void mb_from8_array(float *dst, const uint8_t *src, size_t n);

/* LayerStyle's brightness: v -> min(255, trunc(factor * v)), in place. 1 changes nothing. */
void mb_brighten_table(uint8_t table[256], float factor);
void mb_brighten8(uint8_t *v, size_t n, float factor);

/* dst (1 channel) = luma of an RGB or RGBA picture; a grey one is copied. */
MB_MUST_CHECK mb_status mb_image_u8_luma(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err);
/* out is RGB: grey is spread over the three channels, alpha dropped. */
MB_MUST_CHECK mb_status mb_image_u8_rgb(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err);
MB_MUST_CHECK mb_status mb_image_u8_copy(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err);
/* Grey 8-bit picture to a plane by from8, and back by to8. */
MB_MUST_CHECK mb_status mb_image_f32_from_u8(mb_image_f32 *out, const mb_image_u8 *gray, mb_error *err);
MB_MUST_CHECK mb_status mb_image_u8_from_f32(mb_image_u8 *out, const mb_image_f32 *src, mb_error *err);

/* ---- pictures of the caller: mb_image of the public header, any stride, order and depth, need not be aligned */

/* Refuses sizes below 1, rows shorter than their pixels, unknown orders. */
MB_MUST_CHECK mb_status mb_image_check(const mb_image *image, mb_error *err);

/* out is RGB (grey is spread over the three channels). 16 bits keep their upper byte, as Pillow does for RGB. Alpha,
 * where the image has one, goes to `alpha` (1 channel) if that is not NULL; {0} where it has none. */
MB_MUST_CHECK mb_status mb_image_u8_from_image(mb_image_u8 *out, mb_image_u8 *alpha, const mb_image *src,
                                               mb_error *err);
/* Writes into the caller's image of the same size. Grey from colour is luma; a missing alpha is opaque. */
MB_MUST_CHECK mb_status mb_image_u8_to_image(const mb_image *dst, const mb_image_u8 *src, mb_error *err);
/* A mask: grey as it is, colour by its luma; 16 bits and f32 keep their precision (f32 clipped to [0,1], NaN 0). */
MB_MUST_CHECK mb_status mb_image_f32_from_image(mb_image_f32 *out, const mb_image *src, mb_error *err);
/* u8 by to8, u16 by to16, f32 as it is; spread over the colour channels, alpha opaque. */
MB_MUST_CHECK mb_status mb_image_f32_to_image(const mb_image *dst, const mb_image_f32 *src, mb_error *err);
/* Row y as f32 RGB in [0,1], into out [width,4], where alpha (NULL: everywhere) is 1. */
void mb_image_row_rgb(float *out, const mb_image *image, int y, const float *alpha);
/* Row y of its alpha as f32 in [0,1], into out [width]; 1 where it has none. */
void mb_image_row_alpha(float *out, const mb_image *image, int y);
/* The library's picture becomes the caller's without a copy: *src is {0} afterwards, *out is freed by mb_image_dispose.
 */
void mb_image_take(mb_image *out, mb_image_u8 *src);

/* Of a checked picture's pixels, whatever lies between its rows. */
double mb_image_bytes(const mb_image *image);

#endif
