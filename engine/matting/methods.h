/* The functions of matte.c's table, and what they share (methods.c). */
#ifndef MB_MATTING_METHODS_H
#define MB_MATTING_METHODS_H

#include "matting/matte.h"

/* A method fills the job's results; on an error mb_matte_run disposes them. Sizes are checked. */
typedef mb_status (*mb_matte_method)(const mb_task *task, mb_matte_job *job, mb_error *err);
mb_status mb_matte_guided(const mb_task *task, mb_matte_job *job, mb_error *err);
mb_status mb_matte_closed_form(const mb_task *task, mb_matte_job *job, mb_error *err);

/* MB_E_ARGUMENT if mask or trimap have another size than the photo. */
MB_MUST_CHECK mb_status mb_matte_check_sizes(const mb_matte_job *job, mb_error *err);
/* The mask, or the user's trimap where there is no mask. */
const mb_image_u8 *mb_matte_source(const mb_matte_job *job);
/* Of a trimap of the user's own: that the detail does not solve it, and that a known side is missing. */
void mb_matte_warn_trimap(const mb_task *task, const mb_matte_job *job);
/* The first channel of a picture as a picture of its own. */
MB_MUST_CHECK mb_status mb_matte_first_channel(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err);
/* Hands over alpha before it is rounded to 8 bits, if that is wanted (*alpha is {0} then). */
void mb_matte_return_f32(mb_matte_job *job, mb_image_f32 *alpha);

#endif
