/* Subject over background, or over nothing: the picture that is written. One arithmetic for 8 and 16 bits: f32, each
 * sample rounded to nearest once. Colours under alpha 1, and the background under alpha 0, come out as they were. */
#ifndef MB_IMAGE_COMPOSE_LAYERS_H
#define MB_IMAGE_COMPOSE_LAYERS_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

/* All of one size. */
typedef struct mb_layers {
    const mb_image_u8 *colours; /* RGB */
    const float *colours_f32;   /* NULL, or the same colours in [0,1] at more than 8 bits: [H,W,4], the fourth unused */
    const mb_image_u8 *alpha;   /* grey */
    const mb_image_f32 *alpha_f32; /* NULL, or the same alpha at more than 8 bits */
    bool behind;                   /* is there a background? */
    uint8_t colour[4];             /* straight RGBA; translucent backgrounds give translucent pictures */
    const mb_image_u8 *picture;    /* RGB, takes the colour's place; NULL: none */
    bool linear;                   /* blends light instead of sRGB numbers */
    bool premultiplied;            /* of what stays translucent */
    bool clean;                    /* colours under alpha 0 become 0: files get smaller, scaling may bleed black */
    mb_depth depth;                /* U8 or U16 */
} mb_layers;

/* out: RGBA, or RGB over an opaque background. The caller disposes it. */
MB_MUST_CHECK mb_status mb_layers_flatten(const mb_task *task, mb_image *out, const mb_layers *l, mb_error *err);

#endif
