/* Changes of size for masks and for the small working copies of saliency and GrabCut: area mean down, bilinear up. */
#ifndef MB_IMAGE_RESAMPLE_REDUCE_H
#define MB_IMAGE_RESAMPLE_REDUCE_H

#include "core/task.h"
#include "image/raster.h"

/* in, 1 to 4 channels of 8 bits, to width x height: each output pixel is the mean of the area it covers where a side
 * shrinks, linear between pixel centres where it grows. Alpha is not premultiplied: meant for opaque pictures and
 * masks. */
MB_MUST_CHECK mb_status mb_image_u8_rescale(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *in, int width,
                                            int height, mb_error *err);

/* The same, so that the longer side is at most `side`; a smaller picture is copied. */
MB_MUST_CHECK mb_status mb_image_u8_reduce(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *in, int side,
                                           mb_error *err);

#endif
