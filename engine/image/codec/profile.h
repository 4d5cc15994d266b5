/* Colours that are not RGB, brought to sRGB by their own ICC profile. */
#ifndef MB_IMAGE_CODEC_PROFILE_H
#define MB_IMAGE_CODEC_PROFILE_H

#include "image/codec/budget.h"
#include "image/codec/metadata.h"

typedef struct mb_to_srgb mb_to_srgb;

/* A conversion from the profile of `channels` colours (1: grey, 4: CMYK) to sRGB: relative colorimetric, black to black.
 * NULL: this build has no Little CMS, the profile is damaged or of other colours, or the budget is starved. */
mb_to_srgb *mb_to_srgb_create(mb_bytes icc, int channels, mb_budget *budget);
/* The same from L*a*b*, of D50. */
mb_to_srgb *mb_to_srgb_create_lab(mb_budget *budget);
/* n pixels, 16 bits a sample; of CMYK 65535 is full ink; of L*a*b* 65535 is L 100, and a or b of 0 is 128 * 257. */
void mb_to_srgb_run(const mb_to_srgb *t, uint16_t *rgb, const uint16_t *samples, size_t n);
void mb_to_srgb_free(mb_to_srgb *t); /* NULL is fine; before its budget is released */

#endif
