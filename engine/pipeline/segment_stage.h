/* Finding the subject: the network's mask, saliency, or both joined; then snap. */
#ifndef MB_PIPELINE_SEGMENT_STAGE_H
#define MB_PIPELINE_SEGMENT_STAGE_H

#include "pipeline/mask.h"

/* mask: grey, of the photo's size (RGB). job: begun; of no use when the options find by saliency alone, or when the
 * photo is of one colour: then saliency, alone or beside the network, finds nothing. job->warning may be set. */
MB_MUST_CHECK mb_status mb_segment_mask(mb_image_u8 *mask, mb_mask_job *job, const mb_image_u8 *photo,
                                        const mb_options *o, mb_error *err);

/* Replaces the mask by its snapped form, if the options ask for that. */
MB_MUST_CHECK mb_status mb_segment_grabcut(mb_image_u8 *mask, const mb_image_u8 *photo, const mb_options *o,
                                           mb_error *err);

/* Bytes that saliency and snap hold at most beside photo and mask. */
size_t mb_segment_bytes(const mb_options *o, int width, int height);

#endif
