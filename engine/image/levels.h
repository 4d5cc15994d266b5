/* Histogram remap (black and white point), as LayerStyle does it, and the brightness step after the mask network.
 * docs/models/refine.md sections 2 and 3. */
#ifndef MB_IMAGE_LEVELS_H
#define MB_IMAGE_LEVELS_H

#include "core/task.h"
#include "image/raster.h"

/* x -> clip((x - black) * scale, 0, 1), each step rounded to f32. */
typedef struct mb_levels {
    float black, scale;
} mb_levels;

/* white <= black is legal: the ramp becomes 0.001 wide just below white. */
mb_levels mb_levels_of(double black, double white);

static inline float mb_levels_apply(mb_levels l, float x)
{
    float v = (x - l.black) * l.scale;
    return v > 0.0f ? (v < 1.0f ? v : 1.0f) : 0.0f; /* NaN gives 0 */
}

void mb_levels_f32(const mb_task *task, mb_image_f32 *p, mb_levels l);             /* in place */
void mb_levels_table(uint8_t table[256], mb_levels l);                             /* 8-bit in, truncated 8-bit out */
void mb_levels_brightness_table(uint8_t table[256], double factor);                /* min(255, trunc(factor * v)) */
void mb_levels_map(const mb_task *task, mb_image_u8 *p, const uint8_t table[256]); /* all channels through the table */

#endif
