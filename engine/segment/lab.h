/* CIE L*a*b* (D65) of sRGB pictures: distances there are about those that people see. */
#ifndef MB_SEGMENT_LAB_H
#define MB_SEGMENT_LAB_H

#include "core/task.h"
#include "image/raster.h"

/* [H,W,3] L*, a*, b*, tightly packed. Owns v. */
typedef struct mb_lab {
    int width, height;
    float *v;
} mb_lab;

/* rgb: 3 or 4 channels; alpha is ignored. */
MB_MUST_CHECK mb_status mb_lab_create(const mb_task *task, mb_lab *out, const mb_image_u8 *rgb, mb_error *err);
void mb_lab_dispose(mb_lab *lab); /* leaves {0}; a {0} one is fine */

/* Squared distance of two colours. */
static inline float mb_lab_distance2(const float *a, const float *b)
{
    float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

#endif
