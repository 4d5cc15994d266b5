/* Saliency: a soft mask of "what the picture is of" without any network or training.
 *
 * Background is what is well connected to the picture's border in colour: W. Zhu et al., "Saliency optimization from
 * robust background detection", CVPR 2014, on superpixels of three sizes, joined by a cue of our own for photos with a
 * shallow depth of field (the subject is sharper than the border). It finds what stands out; it cannot know what things
 * are: a subject that fills most of the border, or a busy scene, fails. docs/models/saliency.md has figures. */
#ifndef MB_SEGMENT_SALIENCY_H
#define MB_SEGMENT_SALIENCY_H

#include "core/task.h"
#include "image/raster.h"

/* *out: grey, of the size of rgb (3 or 4 channels), 255 = certainly subject; the outline is as coarse as superpixels,
 * so that mb_grabcut (segment/grabcut.h) should follow. Same bytes for any number of threads. */
MB_MUST_CHECK mb_status mb_saliency(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb, mb_error *err);

#endif
