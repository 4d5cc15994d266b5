/* The published ways from a photo to a network's input and from its logits to a mask, exact to the byte where their
 * arithmetic is (docs/models/birefnet.md, "Pre- and post-processing").
 *
 *   recipe          in                                        back                                           brightness
 *   layerstyle      OpenCV bilinear in f32, truncated         sigmoid, aligned bilinear in f32, truncated    1.01
 *   layerstyle-v2   Pillow bilinear                           sigmoid, truncated, Pillow bilinear            1.08
 *   modelcard       Pillow bilinear                           sigmoid, truncated, Pillow bicubic             -
 *   official        OpenCV bilinear in 8 bits                 sigmoid, aligned bilinear in f32, truncated    -
 *   rembg           Pillow Lanczos, divided by its maximum    sigmoid stretched to 0..1, Pillow Lanczos      -
 */
#ifndef MB_IMAGE_RESAMPLE_RECIPE_H
#define MB_IMAGE_RESAMPLE_RECIPE_H

#include "core/task.h"
#include "image/raster.h"
#include "image/resample/resample.h"

/* The sentence for the help text; NULL for numbers that are no recipe. Names: mb_recipe_name (public). */
const char *mb_recipe_description(int recipe);

typedef struct mb_recipe_input {
    float *input;          /* [1, height, width, 3], channels last: what the network is fed */
    int width, height;     /* the network's size */
    mb_recipe recipe;      /* not AUTO */
    float mean[3], std[3]; /* R, G, B */
} mb_recipe_input;
/* photo: RGB, any size. Aspect ratio is not kept: none of the recipes does. */
MB_MUST_CHECK mb_status mb_recipe_prepare(const mb_task *task, const mb_recipe_input *to, const mb_image_u8 *photo,
                                          mb_error *err);

typedef struct mb_recipe_output {
    const float *logits; /* [height, width] */
    int width, height;
    int photo_width, photo_height;
    mb_recipe recipe; /* not AUTO */
} mb_recipe_output;
/* mask: grey, of the photo's size, brightness applied. mask_f32 (may be NULL): the same with what precision the recipe has
 * before it rounds to 8 bits; where it rounds earlier, mask / 255. NaN logits count as background. */
MB_MUST_CHECK mb_status mb_recipe_finish(const mb_task *task, mb_image_u8 *mask, mb_image_f32 *mask_f32,
                                         const mb_recipe_output *from, mb_error *err);

/* Both ways as numbers, for a device that follows them itself (kernels/image_io.h). */
typedef struct mb_recipe_numbers {
    mb_resample in, back; /* owned; back: TAPS and NONE of bytes, CORNERS of the f32 before them */
    float table[3][256];  /* what the bytes of R, G, B become */
    bool by_maximum;      /* in: (v / largest - mean) / std instead of the table; back: stretched */
    bool brightens;       /* the mask's bytes go through `brightness` at last */
    uint8_t brightness[256];
} mb_recipe_numbers;
/* to->input is not read. */
MB_MUST_CHECK mb_status mb_recipe_numbers_create(mb_recipe_numbers *out, const mb_recipe_input *to, int photo_width,
                                                 int photo_height, mb_error *err);
void mb_recipe_numbers_dispose(mb_recipe_numbers *n); /* leaves {0} */

#endif
