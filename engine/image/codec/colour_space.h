/* The colours of files without an ICC profile that name them otherwise, as a profile: results have no other way to say it. */
#ifndef MB_IMAGE_CODEC_COLOUR_SPACE_H
#define MB_IMAGE_CODEC_COLOUR_SPACE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct mb_colour_profile {
    uint8_t *icc; /* NULL: none is needed, or none can be had; freed by mb_free */
    size_t bytes;
    char note[80]; /* "", or why colours are not what they should be */
} mb_colour_profile;

/* By the code points of ITU-T H.273 (PNG's cICP, HEIF's and AVIF's nclx): primaries (1: sRGB, 9: BT.2020, 12: Display P3 ...)
 * and transfer (1: BT.709, 13: sRGB, 16: PQ, 18: HLG ...). None for sRGB, for what is unspecified or not known, and, with a
 * note, for PQ, whose light no profile of this kind can say. MB_E_MEMORY is the only error. */
MB_MUST_CHECK mb_status mb_colour_profile_of_points(mb_colour_profile *out, unsigned primaries, unsigned transfer,
                                                    mb_error *err);

/* By chromaticities (x, y of white, red, green, blue, as in PNG's cHRM) and gamma (light is a sample to the power of that).
 * name: for the profile's description. None for what is nearly sRGB, and for what is no triangle. */
MB_MUST_CHECK mb_status mb_colour_profile_of_chromaticities(mb_colour_profile *out, const char *name,
                                                            const double xy[8], double gamma, mb_error *err);

#endif
