/* Foreground colours of half-transparent pixels: what removes the rim of the old background. docs/models/refine.md
 * section 8. */
#ifndef MB_MATTING_FOREGROUND_H
#define MB_MATTING_FOREGROUND_H

#include "core/task.h"
#include "image/raster.h"

/* f32 colours, [H,W,4]: r g b and one unused. Owns v. */
typedef struct mb_colours {
    int width, height;
    float *v;
} mb_colours;
MB_MUST_CHECK mb_status mb_colours_create(mb_colours *out, int width, int height, mb_error *err);
void mb_colours_dispose(mb_colours *c);

typedef struct mb_foreground_options {
    float regularization, gradient_weight;            /* 0: 1e-5 and 1 */
    int small_size, small_iterations, big_iterations; /* 0: 32, 10, 2 */
    int first_radius, second_radius;                  /* of blur fusion; 0: 90 and 6 */
} mb_foreground_options;

/* Multi-level estimation (Germer et al. 2020). photo: RGB or RGBA; alpha [H,W] in [0,1]. b may be NULL. Same bits for
 * any number of threads: those of the serial sweep. */
MB_MUST_CHECK mb_status mb_foreground_ml(const mb_task *task, mb_colours *f, mb_colours *b, const mb_image_u8 *photo,
                                         const mb_image_f32 *alpha, const mb_foreground_options *o, mb_error *err);

/* The same for bytes of F alone, with a third of the memory: they take the place of the photo (RGB) where coverage [H,W] is
 * not 255. Where alpha is 0, 64 pixels and more from any other, they are those of a smaller size. After an error the photo is
 * undefined. */
MB_MUST_CHECK mb_status mb_foreground_ml_bytes(const mb_task *task, mb_image_u8 *photo, const mb_image_f32 *alpha,
                                               const uint8_t *coverage, const mb_foreground_options *o, mb_error *err);

/* The most bytes that either holds at a time, its result among them (with `bytes` it takes the photo's place). */
double mb_foreground_ml_memory(int width, int height, bool bytes);

/* Blur fusion (Forte 2021): two passes of box means. */
MB_MUST_CHECK mb_status mb_foreground_blurfusion(const mb_task *task, mb_colours *f, const mb_image_u8 *photo,
                                                 const mb_image_f32 *alpha, const mb_foreground_options *o,
                                                 mb_error *err);

/* The one call of the pipeline: RGB colours for a photo (grey, RGB, RGBA) and its 8-bit alpha, truncated to 8 bits;
 * exactly the photo's where alpha is 255. MB_FOREGROUND_NONE copies the photo. */
MB_MUST_CHECK mb_status mb_foreground_estimate(const mb_task *task, mb_image_u8 *out, mb_foreground method,
                                               const mb_image_u8 *photo, const mb_image_u8 *alpha,
                                               const mb_foreground_options *o, mb_error *err);
/* The most bytes that the pipeline's estimate holds at a time, its result among them. fine: in f32 as mb_foreground_ml
 * gives it, else bytes. */
double mb_foreground_memory(mb_foreground method, int width, int height, bool fine);

#endif
