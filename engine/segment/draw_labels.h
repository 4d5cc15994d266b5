/* Labels of a cut as a mask. */
#ifndef MB_SEGMENT_DRAW_LABELS_H
#define MB_SEGMENT_DRAW_LABELS_H

#include "core/task.h"
#include "image/raster.h"

/* out: grey, of the size of `rgb`, from labels [height, width] of 0 and 1: one pixel of smoothing, then enlarged. */
MB_MUST_CHECK mb_status mb_draw_labels(const mb_task *task, mb_image_u8 *out, const uint8_t *label, int width,
                                       int height, const mb_image_u8 *rgb, mb_error *err);

#endif
