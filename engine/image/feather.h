/* Feathering: a Gaussian blur of a finished alpha, in f32, with any standard deviation. (blur.h is OpenCV's blur of an
 * 8-bit mask, of fixed kernels, for the trimap of closed-form matting.) */
#ifndef MB_IMAGE_FEATHER_H
#define MB_IMAGE_FEATHER_H

#include "core/task.h"
#include "image/raster.h"

/* Blurs the plane in place with standard deviation `sigma` > 0, in pixels; the border pixel continues outwards. Where all
 * is 0 or all is 1 within three sigma, it stays exactly so. Holds one more plane meanwhile. Same bits for any number of
 * threads. MB_E_MEMORY, MB_E_CANCELLED. */
MB_MUST_CHECK mb_status mb_feather(const mb_task *task, mb_image_f32 *plane, double sigma, mb_error *err);

#endif
