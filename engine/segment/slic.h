/* Superpixels: a picture cut into a few hundred patches of similar colour, with their means.
 *
 * R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods", PAMI 2012: k-means in
 * (L, a, b, x, y), each centre searching a window of twice its spacing; connectivity enforced at the end. */
#ifndef MB_SEGMENT_SLIC_H
#define MB_SEGMENT_SLIC_H

#include "segment/lab.h"

typedef struct mb_superpixels {
    int width, height, count;
    int32_t *label;     /* [H,W], 0 .. count-1, each label one 4-connected patch */
    float *mean;        /* [count][5]: L, a, b, x/side, y/side (side = longer side of the picture) */
    int32_t *area;      /* [count] pixels */
    int32_t *on_border; /* [count] pixels on the picture's border */
} mb_superpixels;

/* About `wanted` patches of the picture. `compactness`: weight of distance against colour, in Lab units (10 .. 20). Same
 * result for any number of threads. */
MB_MUST_CHECK mb_status mb_superpixels_create(const mb_task *task, mb_superpixels *out, const mb_lab *lab, int wanted,
                                              float compactness, mb_error *err);
void mb_superpixels_dispose(mb_superpixels *s);

#endif
