/* What may lie behind a subject besides a colour: another picture, or the photo itself, out of focus. */
#ifndef MB_IMAGE_COMPOSE_BACKDROP_H
#define MB_IMAGE_COMPOSE_BACKDROP_H

#include "core/task.h"
#include "image/raster.h"

/* out: `picture` (RGB) scaled until it covers width x height, the rest cut off evenly on both sides. */
MB_MUST_CHECK mb_status mb_backdrop_cover(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *picture, int width,
                                          int height, mb_error *err);

/* out: the photo (RGB) blurred by a Gaussian of standard deviation `sigma` pixels (above 0), each pixel weighted by
 * 1 - alpha, so that the subject leaves no glow around itself. */
MB_MUST_CHECK mb_status mb_backdrop_blur(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *photo,
                                         const mb_image_u8 *alpha, double sigma, mb_error *err);
/* Bytes that it holds beside its pictures. */
double mb_backdrop_blur_memory(int width, int height, double sigma);

#endif
