/* Between refine.c and the methods: what a method gets, and the functions of the table. */
#ifndef MB_MATTING_METHODS_H
#define MB_MATTING_METHODS_H

#include "matting/matte.h"

/* Exactly one of mask and trimap is given. All have the photo's size. */
typedef struct mb_refine_job {
    const mb_picture *photo;
    const mb_picture *mask, *given_trimap;
    const mb_refine_options *o;
    const mb_refine_context *c;
} mb_refine_job;

typedef mb_status (*mb_refine_fn)(mb_picture *alpha, const mb_refine_job *job, mb_error *err);
mb_status mb_refine_with_guided(mb_picture *alpha, const mb_refine_job *job, mb_error *err);
mb_status mb_refine_with_closed_form(mb_picture *alpha, const mb_refine_job *job, mb_error *err);
mb_status mb_refine_with_vitmatte(mb_picture *alpha, const mb_refine_job *job, mb_error *err);

/* The first channel of a picture as a picture of its own. */
MB_MUST_CHECK mb_status mb_refine_first_channel(mb_picture *out, const mb_picture *src, mb_error *err);

void mb_refine_warn(const mb_refine_job *job, mb_warning_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands a trimap to the caller if it wants one (*trimap is {0} then). */
void mb_refine_give_trimap(const mb_refine_job *job, mb_picture *trimap);
/* Likewise alpha before it is rounded to 8 bits. */
void mb_refine_give_fine(const mb_refine_job *job, mb_plane *alpha);

#endif
