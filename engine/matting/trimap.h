/* Trimaps: what is foreground, what is background, and the band between that a matting method may decide.
 * docs/models/refine.md section 4. All are O(1) a pixel in the size of the kernels. */
#ifndef MB_MATTING_TRIMAP_H
#define MB_MATTING_TRIMAP_H

#include "core/task.h"
#include "image/raster.h"

#define MB_TRIMAP_ITERATIONS 5 /* of LayerStyle's erosion and dilation */

/* LayerStyle's trimap: foreground is 255 alone (254 is background: the mask is truncated), eroded and dilated five times
 * by all-ones kernels of erode x erode and dilate x dilate (1..255; even ones reach one pixel further to the top left).
 * out: [H,W] of 0, 127 (unknown), 255. The mask's first channel counts. */
MB_MUST_CHECK mb_status mb_trimap_layerstyle(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int erode,
                                             int dilate, mb_error *err);
/* The same from an f32 mask: foreground is m >= 1. */
MB_MUST_CHECK mb_status mb_trimap_layerstyle_f32(const mb_task *task, mb_image_u8 *out, const mb_image_f32 *mask,
                                                 int erode, int dilate, mb_error *err);

/* Thresholds: 255 above `high`, 0 below `low`, 128 between (both ends included). */
MB_MUST_CHECK mb_status mb_trimap_thresholds(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int low,
                                             int high, mb_error *err);

/* rembg's: foreground above `high`, background below `low`, both eroded once by size x size (0: not at all; foreground
 * is also eroded from the picture's border, background is not); 255, 0, 128. Its defaults: 10, 240, 10. */
MB_MUST_CHECK mb_status mb_trimap_rembg(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int low,
                                        int high, int size, mb_error *err);

#endif
