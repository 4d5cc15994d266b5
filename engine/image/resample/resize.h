/* Resizing as the published pipelines do it, value for value. docs/models/birefnet.md says which recipe uses which.
 *
 *   mb_resize_pillow         8 bits, antialiased, fixed point: Pillow's Image.resize
 *   mb_resize_cv_u8          8 bits, OpenCV INTER_LINEAR (no antialiasing), its fixed point
 *   mb_resize_cv_f32         f32, OpenCV INTER_LINEAR
 *   mb_resize_cv_trunc       v/255 through mb_resize_cv_f32, times 255, truncated: the input path of the 2024 node
 *   mb_resize_align_corners  f32 planes, PyTorch's bilinear with align_corners=True
 *
 * All split their rows over the task's pool and give the same values for any number of threads. Every
 * output is created here and is {0} after an error. Channels are independent: RGBA is resized with straight alpha. */
#ifndef MB_IMAGE_RESAMPLE_RESIZE_H
#define MB_IMAGE_RESAMPLE_RESIZE_H

#include "core/task.h"
#include "image/raster.h"

typedef enum mb_filter {
    MB_FILTER_NEAREST,
    MB_FILTER_BOX,
    MB_FILTER_BILINEAR,
    MB_FILTER_BICUBIC,
    MB_FILTER_LANCZOS,
    MB_FILTER_COUNT
} mb_filter;

/* Between the two passes values are rounded to 8 bits, so their order shows. Pillow 13 goes vertical first where
 * H' < H and H - H' > 2 (W - W'); versions up to 12 always went horizontal first. */
typedef enum mb_pass_order { MB_PASSES_PILLOW_13, MB_PASSES_PILLOW_12 } mb_pass_order;

MB_MUST_CHECK mb_status mb_resize_pillow(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width,
                                         int height, mb_filter filter, mb_error *err);
typedef struct mb_resize_spec {
    int width, height;
    mb_filter filter;
    mb_pass_order order;
} mb_resize_spec;
MB_MUST_CHECK mb_status mb_resize_pillow_as(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src,
                                            const mb_resize_spec *spec, mb_error *err);

MB_MUST_CHECK mb_status mb_resize_cv_u8(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width,
                                        int height, mb_error *err);
MB_MUST_CHECK mb_status mb_resize_cv_trunc(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width,
                                           int height, mb_error *err);

/* An f32 picture with interleaved channels, in memory of the caller: [height, width, channels], packed. */
typedef struct mb_floats {
    float *v;
    int width, height, channels;
} mb_floats;
/* dst->v is the caller's, of dst's size; channels must agree (1 to 4). */
MB_MUST_CHECK mb_status mb_resize_cv_f32(const mb_task *task, const mb_floats *dst, const mb_floats *src,
                                         mb_error *err);

MB_MUST_CHECK mb_status mb_resize_align_corners(const mb_task *task, mb_image_f32 *out, const float *src, int src_width,
                                                int src_height, int width, int height, mb_error *err);

#endif
