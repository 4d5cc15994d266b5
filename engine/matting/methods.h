/* Between refine.c and the methods: what a method gets, and the functions of the table. */
#ifndef MB_MATTING_METHODS_H
#define MB_MATTING_METHODS_H

#include "matting/matte.h"

/* Exactly one of mask and trimap is given. All have the photo's size. */
typedef struct mb_matte_job {
    const mb_image_u8 *photo;
    const mb_image_u8 *mask, *given_trimap;
    const mb_matte_options *o;
    const mb_matte_context *c;
} mb_matte_job;

typedef mb_status (*mb_matte_method)(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err);
mb_status mb_matte_guided(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err);
mb_status mb_matte_closed_form(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err);
mb_status mb_matte_vitmatte(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err);

/* The first channel of a picture as a picture of its own. */
MB_MUST_CHECK mb_status mb_matte_first_channel(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err);

void mb_matte_warn(const mb_matte_job *job, mb_warning_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands a trimap to the caller if it wants one (*trimap is {0} then). */
void mb_matte_return_trimap(const mb_matte_job *job, mb_image_u8 *trimap);
/* Likewise alpha before it is rounded to 8 bits. */
void mb_matte_return_f32(const mb_matte_job *job, mb_image_f32 *alpha);

#endif
