/* VITMatte's picture side: what the network is given, and what its alpha becomes. The network itself is the caller's:
 *
 *   mb_vitmatte_prepare    trimap; photo and trimap reduced to max_megapixels
 *   (the network)          alpha for input.photo and input.trimap
 *   mb_vitmatte_finish     to 8 bits, enlarged to the photo's size, black and white point
 *
 * docs/models/refine.md sections 1 and 4. */
#ifndef MB_MATTING_VITMATTE_H
#define MB_MATTING_VITMATTE_H

#include "matting/matte.h"

/* The pictures that the network sees, of one size: the job's own, or copies. */
typedef struct mb_vitmatte_input {
    const mb_image_u8 *photo;                   /* RGB */
    const mb_image_u8 *trimap;                  /* grey */
    mb_image_u8 rgb, small_photo, small_trimap; /* owned; {0} where the job's own picture serves */
} mb_vitmatte_input;

/* Makes job->trimap (from the mask, or a copy of the user's) and the input, which borrows from the job. Adds warnings
 * to the task. On an error the input and the job's results are {0}. */
MB_MUST_CHECK mb_status mb_vitmatte_prepare(const mb_task *task, mb_vitmatte_input *input, mb_matte_job *job,
                                            mb_error *err);
/* network_alpha: [h,w] in [0,1], at least as large as the input: what is beyond it, right and bottom, is padding. Fills
 * job->alpha, and job->alpha_f32 if wanted. On an error the job's results are {0}. */
MB_MUST_CHECK mb_status mb_vitmatte_finish(const mb_task *task, mb_matte_job *job, const mb_vitmatte_input *input,
                                           const mb_image_f32 *network_alpha, mb_error *err);
void mb_vitmatte_input_dispose(mb_vitmatte_input *input);

/* Size that VITMatte sees of a width x height picture: reduced only if it has more than max_megapixels (of 1048576
 * pixels). */
void mb_vitmatte_limit(int *out_width, int *out_height, int width, int height, double max_megapixels);

/* Bytes that both halves hold at a time beside photo, mask and results. */
double mb_vitmatte_scratch_bytes(const mb_options *o, int width, int height, bool want_f32);

#endif
