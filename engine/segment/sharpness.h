/* Local sharpness: where was the lens focused? */
#ifndef MB_SEGMENT_SHARPNESS_H
#define MB_SEGMENT_SHARPNESS_H

#include "core/task.h"
#include "image/raster.h"
#include "segment/slic.h"

/* Edges of a picture, [H,W] each. Owns strength, which holds both. */
typedef struct mb_edges {
    int width, height;
    float *strength; /* length of the gradient above the noise, grey levels a pixel; 0: no edge here */
    float *sharp;    /* strength times sharpness */
} mb_edges;

MB_MUST_CHECK mb_status mb_edges_create(const mb_task *task, mb_edges *out, const mb_image_u8 *rgb, mb_error *err);
void mb_edges_dispose(mb_edges *e); /* leaves {0}; a {0} one is fine */

/* sharpness[count], about 0.5 (blurred) .. 2.5 (sharp), of each superpixel. `adjacent`: [count][count] flags. The
 * picture of the edges may be larger than that of the superpixels. */
MB_MUST_CHECK mb_status mb_sharpness_measure(const mb_task *task, float *sharpness, const mb_edges *e,
                                             const mb_superpixels *s, const uint8_t *adjacent, mb_error *err);

#endif
