/* A mask that was made of a photo's pixels as they are stored, where its shape does not tell. */
#ifndef MB_PIPELINE_MASK_TURN_H
#define MB_PIPELINE_MASK_TURN_H

#include "core/status.h"

#include <stdbool.h>

/* Of one size, the photo upright. True: turned by the orientation (2 .. 8; from 5 on of squares) the mask's outline lies
 * on clearly stronger edges of the photo than as it is. A mask without an outline, a blank photo or a close call is
 * false. */
bool mb_mask_wants_turning(const mb_image *photo, const mb_image *mask, int orientation);

#endif
