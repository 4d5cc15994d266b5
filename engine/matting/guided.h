/* Guided image filter with a colour guide (He, Sun, Tang 2010). docs/models/refine.md section 5. */
#ifndef MB_MATTING_GUIDED_H
#define MB_MATTING_GUIDED_H

#include "core/task.h"
#include "image/view.h"

typedef struct mb_guided_options {
    int radius;   /* of the box, in the range of the option guided_radius: windows of 2 radius + 1 pixels a side */
    double eps;   /* in the range of guided_eps; added to the covariance as is (values in [0,1]) */
    double scale; /* 1: exact. Below: coefficients on a picture this much smaller, with `radius` in small pixels */
} mb_guided_options;

/* LayerStyle's radius for its erode and dilate: 3, 5 ... 87. */
int mb_guided_layerstyle_radius(int erode, int dilate);

/* out [H,W] = `source` (one channel) filtered along the edges of `guide` (1 or 3 channels; of 4 the first 3), not
 * clipped. The border is mirrored with the edge pixel repeated. Same bits for any number of threads. */
MB_MUST_CHECK mb_status mb_guided_filter(const mb_task *task, mb_image_f32 *out, const mb_image_view *guide,
                                         const mb_image_view *source, const mb_guided_options *o, mb_error *err);

#endif
