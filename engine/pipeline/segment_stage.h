/* Finding the subject: the network's mask, saliency, or the best of both; then GrabCut. */
#ifndef MB_PIPELINE_SEGMENT_STAGE_H
#define MB_PIPELINE_SEGMENT_STAGE_H

#include "pipeline/mask.h"

/* Tasks are of progress.h: they announce the stages "network" and "segment". */

/* mask: grey, of the photo's size (RGB). job: begun; not used when the options find by saliency alone,
 * or when the photo is of one colour: then saliency, alone or beside the network, finds nothing. */
MB_MUST_CHECK mb_status mb_segment_mask(const mb_task *task, mb_image_u8 *mask, mb_mask_job *job,
                                        const mb_image_u8 *photo, const mb_options *o, mb_error *err);

/* Moves the mask to the edges of the photo by GrabCut, if the options ask for that. */
MB_MUST_CHECK mb_status mb_segment_grabcut(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *photo,
                                           const mb_options *o, mb_error *err);

/* Which part of mb_segment_mask's work the network is, 0 .. 1. */
double mb_segment_network_share(const mb_options *o);

/* Whether the mask has more than its 8 bits: what moves it by colours starts from those, and ends there. */
bool mb_segment_keeps_f32(const mb_options *o);

/* Bytes that saliency and GrabCut hold at most beside photo and mask. */
double mb_segment_bytes(const mb_options *o, int width, int height, int workers);

#endif
