/* Local sharpness: where was the lens focused? */
#ifndef MB_SEGMENT_SHARPNESS_H
#define MB_SEGMENT_SHARPNESS_H

#include "core/status.h"
#include "segment/slic.h"

/* sharpness[count], about 0.5 (blurred) .. 2.5 (sharp), of each superpixel. `adjacent`: [count][count] flags.
 * rgb may be larger than the superpixels' picture. */
MB_MUST_CHECK mb_status mb_focus_measure(float *sharpness, const mb_image_u8 *rgb, const mb_superpixels *s,
                                         const uint8_t *adjacent, mb_error *err);

#endif
