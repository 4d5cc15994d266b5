/* Which cut-out of a photo to believe, where none of the ways to find the subject is right often enough.
 *
 * Five seeds compete: saliency; a small network leaning to the middle; a box in the middle that the subject is within;
 * the network within that box; and what the first three and both soft masks say together. Each is snapped on a small
 * copy, and what comes out is judged (segment/candidate_score.h). */
#ifndef MB_SEGMENT_CANDIDATES_H
#define MB_SEGMENT_CANDIDATES_H

#include "core/status.h"
#include "image/raster.h"
#include "segment/candidate_score.h"
#include "segment/grabcut.h"

typedef enum mb_candidate {
    MB_CANDIDATE_SALIENCY,
    MB_CANDIDATE_NETWORK,
    MB_CANDIDATE_BOX,    /* nothing outside a box, nothing known inside */
    MB_CANDIDATE_FRAMED, /* the network's mask, and nothing outside the box */
    MB_CANDIDATE_JOINT,  /* mean of the first three, snapped, and of both masks */
    MB_N_CANDIDATES
} mb_candidate;

/* All of them, for one photo. */
typedef struct mb_candidates {
    mb_image_u8 seeds[MB_N_CANDIDATES],
        cuts[MB_N_CANDIDATES];               /* grey, of the photo's shape, longer side at most 320; owned */
    mb_grabcut_options how[MB_N_CANDIDATES]; /* how each was snapped */
    double figures[MB_N_CANDIDATES][MB_N_FEATURES];
    bool usable[MB_N_CANDIDATES]; /* false: (nearly) nothing or everything was cut out */
} mb_candidates;

/* rgb: 3 or 4 channels; network, saliency: grey, any size of rgb's shape. Dispose of it, whatever comes back. */
MB_MUST_CHECK mb_status mb_candidates_create(mb_candidates *out, const mb_image_u8 *rgb, const mb_image_u8 *network,
                                             const mb_image_u8 *saliency, mb_error *err);
void mb_candidates_dispose(mb_candidates *c);

/* The one with the best score (choose_weights.h); saliency's where none is usable. */
mb_candidate mb_candidates_best(const mb_candidates *c);

/* The best one's seed, and how mb_grabcut should take it on the photo itself. Dispose of *seed. */
MB_MUST_CHECK mb_status mb_candidates_choose(mb_image_u8 *seed, mb_grabcut_options *how, const mb_image_u8 *rgb,
                                             const mb_image_u8 *network, const mb_image_u8 *saliency, mb_error *err);

#endif
