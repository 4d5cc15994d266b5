/* How likely the subject that was found is the right one: a number for people who cannot look at every result.
 *
 * Of the built-in default it is the overlap with the truth (IoU) that was seen on photos with hand-made masks and on parts
 * of them, predicted from how well the network's soft mask agrees with the chosen cut-out, in shares of how sure the
 * network is within its own mask, and how many of the subject's colours lie outside too; the weights were fitted by
 * weights_tool/train/doubt.py, docs/models/default.md has the figures. Of a network or saliency alone it is how decided
 * their mask is; that is not calibrated. Where nothing was found it is 0. */
#ifndef MB_SEGMENT_CONFIDENCE_H
#define MB_SEGMENT_CONFIDENCE_H

#include "segment/candidates.h"

/* Below these a result is called doubtful. */
#define MB_DOUBTFUL           0.689 /* of the built-in default */
#define MB_DOUBTFUL_UNDECIDED 0.5   /* of a mask alone */

typedef struct mb_confidence {
    double value;   /* 0 .. 1; below 0: not known */
    double limit;   /* doubtful below this */
    char basis[96]; /* what it rests on, one line */
} mb_confidence;

/* Of the chosen candidate. */
mb_confidence mb_confidence_of_candidates(const mb_candidates *c, mb_candidate best);
/* Of a soft mask (grey): the mean of |2p - 1| in a band along its outline, whose width is a fiftieth of the longer side
 * to both sides; 0 where nothing is inside. */
MB_MUST_CHECK mb_status mb_confidence_of_mask(const mb_task *task, mb_confidence *out, const mb_image_u8 *mask,
                                              mb_error *err);

#endif
