/* Which cut-out of a photo to believe, where none of the ways to find the subject is right often enough.
 *
 * Five initial masks compete: saliency; a small network leaning to the middle; a box in the middle that the subject is
 * within; the network within that box; and what the first three and both soft masks say together. Each is cut by GrabCut
 * on a small copy, and the cut-out gets a score (segment/candidate_score.h). */
#ifndef MB_SEGMENT_CANDIDATES_H
#define MB_SEGMENT_CANDIDATES_H

#include "segment/candidate_score.h"
#include "segment/grabcut.h"

typedef enum mb_candidate {
    MB_CANDIDATE_SALIENCY,
    MB_CANDIDATE_NETWORK,
    MB_CANDIDATE_BOX,    /* nothing outside a box, nothing known inside */
    MB_CANDIDATE_FRAMED, /* the network's mask, and nothing outside the box */
    MB_CANDIDATE_JOINT,  /* mean of the first three, cut, and of both masks */
    MB_N_CANDIDATES
} mb_candidate;

/* All of them, for one photo. Pictures are grey, of the photo's shape, longer side at most MB_GRABCUT_SIDE; owned. */
typedef struct mb_candidates {
    mb_image_u8 initial[MB_N_CANDIDATES], cuts[MB_N_CANDIDATES];
    mb_grabcut_options options[MB_N_CANDIDATES]; /* how each was cut */
    mb_grabcut_labels labels[MB_N_CANDIDATES];   /* the cuts for mb_grabcut_finish */
    double features[MB_N_CANDIDATES][MB_N_FEATURES];
    bool usable[MB_N_CANDIDATES]; /* false: (nearly) nothing or everything was cut out */
    double strength;              /* the network's mean where it is at least 0.5; 0.5 where it is nowhere */
} mb_candidates;

/* rgb: 3 or 4 channels; network, saliency: grey, any size of rgb's shape. The first four are cut side by side; same bytes
 * for any number of threads. Dispose of it, whatever comes back. */
MB_MUST_CHECK mb_status mb_candidates_create(const mb_task *task, mb_candidates *out, const mb_image_u8 *rgb,
                                             const mb_image_u8 *network, const mb_image_u8 *saliency, mb_error *err);
void mb_candidates_dispose(mb_candidates *c);

/* The one with the best score (candidate_weights.h); saliency's where none is usable. */
mb_candidate mb_candidates_best(const mb_candidates *c);

struct mb_confidence; /* confidence.h */
/* *out: what mb_grabcut makes of the best candidate's initial mask on the photo itself; grey, of the size of rgb. confidence:
 * that of the choice; may be NULL. */
MB_MUST_CHECK mb_status mb_candidates_segment(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb,
                                              const mb_image_u8 *network, const mb_image_u8 *saliency,
                                              struct mb_confidence *confidence, mb_error *err);

#endif
