/* How a picture is resized, as numbers alone: image/resample/resample.h works them out for two sizes,
 * image/resample/resize.h follows them on the CPU, a back end with a device on its own (kernels/image_io.h). Exact
 * integers and single f32 operations, so that every processor gives the same bytes. */
#ifndef MB_CORE_RESAMPLE_H
#define MB_CORE_RESAMPLE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum mb_resample_rule {
    MB_RESAMPLE_NONE, /* the sizes are equal: the picture stays as it is */
    /* Pillow: one pass for each axis whose size changes, 8 bits in and out:
     * clip8((2^21 + sum over j < other[o] of k[o, j] * v[first[o] + j]) >> 22) */
    MB_RESAMPLE_TAPS,
    /* OpenCV's bilinear on v/255 in f32, times 255, truncated: fmaf(v[other] - v[first], l, v[first]), across then down
     */
    MB_RESAMPLE_CV_TRUNC,
    /* OpenCV's bilinear in 8 bits: a = (2048 - k) v[first] + k v[other] across; down
     * (((2048 - k) * (a >> 4) >> 16) + (k * (b >> 4) >> 16) + 2) >> 2 */
    MB_RESAMPLE_CV_U8,
    /* OpenCV's bilinear in f32 */
    MB_RESAMPLE_CV_F32,
    /* PyTorch's bilinear with aligned corners in f32: (1 - l) v[first] + l v[other], across then down */
    MB_RESAMPLE_CORNERS
} mb_resample_rule;

#define MB_RESAMPLE_BITS 22 /* of the fixed point of k in MB_RESAMPLE_TAPS */

typedef struct mb_axis {
    int in, out;
    int most;               /* TAPS: the most taps of one position; else 0 */
    int32_t *first, *other; /* [out]; TAPS: other is how many taps; else the second position */
    int32_t *k;             /* [out, most], or CV_U8: [out], of 2048 */
    float *l;               /* [out]: the weight of the second position; TAPS: NULL */
} mb_axis;

typedef struct mb_resample {
    mb_resample_rule rule;
    bool vertical_first; /* TAPS: which pass comes first shows in the bytes */
    mb_axis x, y;        /* owned; in and out are set under every rule */
} mb_resample;

#endif
