/* The tables of a resize (core/resample.h): which source values an output value is made of, and their weights. */
#ifndef MB_IMAGE_RESAMPLE_RESAMPLE_H
#define MB_IMAGE_RESAMPLE_RESAMPLE_H

#include "core/resample.h"
#include "image/resample/resize.h"

#define MB_RESAMPLE_SIDE (1 << 24) /* largest side: side x channels fits an int, f64 positions stay exact */

typedef struct mb_resample_sizes {
    int width, height;         /* of the source, >= 1 */
    int out_width, out_height; /* >= 1 */
} mb_resample_sizes;

/* Every rule but NONE, which TAPS and CV_U8 become where the sizes are equal. filter: read under TAPS, not NEAREST. */
MB_MUST_CHECK mb_status mb_resample_create(mb_resample *out, mb_resample_rule rule, mb_resample_sizes sizes,
                                           mb_filter filter, mb_error *err);
void mb_resample_dispose(mb_resample *r); /* leaves {0}; a {0} one is fine */

/* One axis alone. */
MB_MUST_CHECK mb_status mb_axis_taps(mb_axis *out, int in, int n, mb_filter filter, mb_error *err);
MB_MUST_CHECK mb_status mb_axis_linear(mb_axis *out, int in, int n, mb_resample_rule rule, bool vertical,
                                       mb_error *err);
void mb_axis_dispose(mb_axis *a);

/* Pillow 13's order of the two passes. */
bool mb_resample_vertical_first(mb_resample_sizes sizes);

#endif
