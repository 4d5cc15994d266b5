/* GrabCut: move a rough mask to the edges of a picture by colour models and a minimum cut.
 *
 * C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, started from a soft mask instead of a box: the mask
 * gives the first colour models and stays in the energy as a prior. Solved at a reduced size, then once more in a band
 * around the outline at a larger size (H. Lombaert et al., "A multilevel banded graph cuts method", ICCV 2005).
 *
 * Everything gives the same bytes for any number of threads. */
#ifndef MB_SEGMENT_GRABCUT_H
#define MB_SEGMENT_GRABCUT_H

#include "core/task.h"
#include "image/raster.h"
#include "segment/gmm.h"
#include "segment/lab.h"

#include <stdbool.h>

#define MB_GRABCUT_SIDE 320 /* longer side of the whole-picture cut, pixels */

typedef struct mb_grabcut_options {
    int band_side; /* longer side of the banded cut; above it the result is enlarged */
    int rounds;    /* colour models and cut in turn */
    float smooth;  /* weight of the outline's length: large = few, short outlines */
    float prior;   /* weight of the mask against colour, 0 = only the start */
    float limit;   /* the most that the colour of a pixel counts, in nats */
    int piece;     /* components of less than 1/piece of the largest one go */
} mb_grabcut_options;

#define MB_GRABCUT_DEFAULTS                                                                                            \
    {                                                                                                                  \
        1600, 3, 16.0f, 1.6f, 6.0f, 50                                                                                 \
    }

/* mask: grey picture of any size and of about the same shape, 255 = subject. *out: grey, of the size of rgb (3 or 4
 * channels); its outline is hard but for one pixel of smoothing. A mask without any subject or without any background
 * comes back as it is (enlarged). options NULL = defaults. */
MB_MUST_CHECK mb_status mb_grabcut(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb,
                                   const mb_image_u8 *mask, const mb_grabcut_options *options, mb_error *err);

/* ---- the same in steps, for several masks of one picture */

/* What the energy needs of a picture: read only, so that cuts of one picture may run side by side. */
typedef struct mb_grabcut_picture {
    mb_image_u8 rgb;
    mb_lab lab;
    float edge_scale; /* 1 / (2 * mean squared colour difference of neighbours) */
    mb_palette palette;
    float *similarity; /* [H,W,4] to the neighbour right, down, down-right, down-left: exp(-difference^2 edge_scale) */
} mb_grabcut_picture;

/* A copy of rgb with the longer side at most MB_GRABCUT_SIDE. Dispose of it, whatever comes back. */
MB_MUST_CHECK mb_status mb_grabcut_open(const mb_task *task, mb_grabcut_picture *out, const mb_image_u8 *rgb,
                                        mb_error *err);
void mb_grabcut_close(mb_grabcut_picture *p); /* leaves {0}; a {0} one is fine */

/* The cut of the whole reduced picture. */
typedef struct mb_grabcut_labels {
    int width, height;
    bool trivial;   /* the mask has no subject or no background: there is nothing to cut */
    uint8_t *label; /* [H,W] 1 = subject */
    mb_gmm subject, ground;
} mb_grabcut_labels;

MB_MUST_CHECK mb_status mb_grabcut_cut(const mb_task *task, mb_grabcut_labels *out, const mb_grabcut_picture *p,
                                       const mb_image_u8 *mask, const mb_grabcut_options *options, mb_error *err);
void mb_grabcut_labels_dispose(mb_grabcut_labels *l); /* leaves {0}; a {0} one is fine */

/* From the cut of a reduced copy of rgb to the result of mb_grabcut: the banded cut at a larger size, if rgb has one.
 * mask, options: those of the cut. */
MB_MUST_CHECK mb_status mb_grabcut_finish(const mb_task *task, mb_image_u8 *out, const mb_grabcut_labels *cut,
                                          const mb_image_u8 *rgb, const mb_image_u8 *mask,
                                          const mb_grabcut_options *options, mb_error *err);

#endif
