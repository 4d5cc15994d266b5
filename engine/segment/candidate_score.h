/* Scoring the cut-outs of one photo without knowing the truth: which of several to believe.
 *
 * Do the colours inside and outside overlap, is the outline short, do network and saliency agree with it, where does it
 * lie, how large and in how many components is it: each is a feature, their weighted sum is the score. The weights were
 * fitted by weights_tool/train/choose.py; docs/models/default.md has the data, what they are worth, and other features
 * that added nothing. */
#ifndef MB_SEGMENT_CANDIDATE_SCORE_H
#define MB_SEGMENT_CANDIDATE_SCORE_H

#include "core/task.h"
#include "image/raster.h"
#include "segment/lab.h"

#include <stdbool.h>

typedef enum mb_feature {
    MB_FEATURE_OVERLAP, /* share of the smaller side's pixels whose colour the other side has as well */
    MB_FEATURE_NETWORK, /* agreement with the network's soft mask: sum of the smaller over sum of the larger values */
    MB_FEATURE_NETWORK_OUT, /* the network's mean outside */
    MB_FEATURE_SALIENCY_IN, /* saliency's mean inside */
    MB_FEATURE_SIDES,       /* share of the picture's left and right columns inside */
    MB_FEATURE_LOG_AREA,    /* natural logarithm of the share of the picture */
    MB_FEATURE_LENGTH,      /* of the outline, over ten times the square root of the area in pixels */
    MB_FEATURE_OFF_CENTRE,  /* distance of the centre of mass from the picture's, in sides */
    MB_FEATURE_PIECES,      /* share of the area outside the largest connected component (8 neighbours) */
    MB_N_FEATURES
} mb_feature;

/* What is known of the photo. All have one size and are borrowed; the masks are grey. */
typedef struct mb_score_inputs {
    const mb_lab *lab;
    const mb_image_u8 *network, *saliency;
} mb_score_inputs;

/* The features of a cut-out (grey, of the size of the inputs, subject where >= 128). *usable: false where (nearly)
 * nothing or everything is inside: then the features are zeros. */
MB_MUST_CHECK mb_status mb_candidate_features(const mb_task *task, double features[MB_N_FEATURES], bool *usable,
                                              const mb_score_inputs *in, const mb_image_u8 *cut, mb_error *err);

#endif
