/* Is there anything in this picture that could be a subject? */
#ifndef MB_SEGMENT_PLAIN_H
#define MB_SEGMENT_PLAIN_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

/* *plain: seen from afar, the picture (RGB) has one colour throughout: but for noise, and for patterns and specks that are
 * small beside a field. Looked at as some 24 x 24 fields: the mean of each lies within 2.5 Lab units of the middle one,
 * and within what the noise inside the fields explains (4 standard errors).
 */
MB_MUST_CHECK mb_status mb_picture_is_plain(const mb_task *task, bool *plain, const mb_image_u8 *rgb, mb_error *err);

#endif
