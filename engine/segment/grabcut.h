/* snap: move a rough mask to the picture's edges by colour models and a minimum cut.
 *
 * C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, started from a soft mask instead of a box: the mask
 * gives the first colour models and stays in the energy as a prior. Solved at a reduced size, then once more in a band
 * around the outline at a larger size (H. Lombaert et al., "A multilevel banded graph cuts method", ICCV 2005). */
#ifndef MB_SEGMENT_GRABCUT_H
#define MB_SEGMENT_GRABCUT_H

#include "core/status.h"
#include "image/raster.h"

typedef struct mb_grabcut_options {
    int side;      /* longer side of the whole-picture cut, pixels */
    int band_side; /* longer side of the banded cut; above it the result is enlarged */
    int rounds;    /* colour models and cut in turn */
    float smooth;  /* weight of the outline's length: large = few, short outlines */
    float prior;   /* weight of the given mask against colour, 0 = only the start */
    float limit;   /* largest say of colour a pixel, in nats */
    int piece;     /* pieces of less than 1/piece of the largest one go */
} mb_grabcut_options;

#define MB_GRABCUT_DEFAULTS                                                                                            \
    {                                                                                                                  \
        320, 1600, 3, 16.0f, 1.6f, 6.0f, 50                                                                            \
    }

/* mask: grey picture of any size and of about the same shape, 255 = subject. *out: grey, of the size of rgb; its
 * outline is hard but for one pixel of smoothing. A mask without any subject or without any background comes back as it
 * is (enlarged). options NULL = defaults. */
MB_MUST_CHECK mb_status mb_grabcut(mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                                   const mb_grabcut_options *options, mb_error *err);

#endif
