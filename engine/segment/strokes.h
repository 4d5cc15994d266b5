/* Rough strokes of a user on a mask: "this belongs to the subject", "this does not". */
#ifndef MB_SEGMENT_STROKES_H
#define MB_SEGMENT_STROKES_H

#include "core/task.h"
#include "image/raster.h"

/* From here on a grey pixel of strokes says "subject", up to there "background"; between them nothing is said. */
#define MB_STROKE_SUBJECT 192
#define MB_STROKE_GROUND  63

/* mask: grey, 255 = subject, changed in place. rgb: the photo, 3 channels. strokes: grey. All of one size.
 *
 * The part of the photo around the strokes is cut by GrabCut, from the mask with the strokes drawn in. Of what the cut
 * changes, only that is taken which hangs together with a stroke and changes the same way: a stroke inside an arm that
 * the mask lacks brings the arm, and nothing changes elsewhere. The strokes themselves always hold. */
MB_MUST_CHECK mb_status mb_strokes_apply(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *rgb,
                                         const mb_image_u8 *strokes, mb_error *err);

#endif
