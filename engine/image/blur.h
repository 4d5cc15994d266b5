/* Gaussian blur of an 8-bit mask in f64, with OpenCV's kernels and border. docs/models/refine.md section 6.1. */
#ifndef MB_IMAGE_BLUR_H
#define MB_IMAGE_BLUR_H

#include "core/task.h"
#include "image/raster.h"

/* Receives n blurred values in [0,1] of row y from column x on; called by several threads for disjoint pieces. */
typedef void (*mb_blur_sink)(void *arg, int y, int x, const double *values, int n);

/* size: of the kernel, odd, 1 (no blur) .. 1023. The mask's first channel, divided by 255 in f32, counts. Where the
 * mask is constant under the whole kernel nothing is computed. */
MB_MUST_CHECK mb_status mb_gauss_blur(const mb_task *task, const mb_image_u8 *mask, int size, mb_blur_sink sink,
                                      void *arg, mb_error *err);

/* The 1 + size/2 weights from the centre outwards. */
void mb_gauss_kernel(double *weights, int size);

#endif
