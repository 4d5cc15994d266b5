/* The colours of files without an ICC profile that name them otherwise, as a profile: results have no other way to say it. */
#ifndef MB_IMAGE_CODEC_COLOUR_SPACE_H
#define MB_IMAGE_CODEC_COLOUR_SPACE_H

#include "image/codec/metadata.h"

/* By the code points of ITU-T H.273 (PNG's cICP, HEIF's and AVIF's nclx): primaries (1: sRGB, 9: BT.2020, 12: Display P3 ...)
 * and transfer (1: BT.709, 13: sRGB, 16: PQ, 18: HLG ...). Nothing where m has a profile, for sRGB, for what is unspecified
 * or not known, and, with a note, for PQ, whose light no profile of this kind can say. MB_E_MEMORY is the only error. */
MB_MUST_CHECK mb_status mb_metadata_set_code_points(mb_metadata *m, unsigned primaries, unsigned transfer,
                                                    mb_error *err);

/* By chromaticities (x, y of white, red, green, blue, as in PNG's cHRM) and gamma (light is a sample to the power of that).
 * name: for the profile's description. Nothing where m has a profile, for what is nearly sRGB, and for what is no triangle. */
MB_MUST_CHECK mb_status mb_metadata_set_chromaticities(mb_metadata *m, const char *name, const double xy[8],
                                                       double gamma, mb_error *err);

#endif
