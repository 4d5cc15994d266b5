/* What the methods of the table share. */
#include "matting/methods.h"

const mb_image_u8 *mb_matte_source(const mb_matte_job *job)
{
    return job->mask != NULL ? job->mask : job->user_trimap;
}

/* Methods index all pictures alike. */
mb_status mb_matte_check_sizes(const mb_matte_job *job, mb_error *err)
{
    const mb_image_u8 *source = mb_matte_source(job);
    if (source->width != job->photo->width || source->height != job->photo->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the %s is %d x %d, the photo %d x %d\nboth must have one size",
                       job->mask != NULL ? "mask" : "trimap", source->width, source->height, job->photo->width,
                       job->photo->height);
    }
    return MB_OK;
}

/* Masks may come with more channels; the first is the mask. */
mb_status mb_matte_first_channel(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 1, err);
    if (status == MB_OK) {
        size_t n = (size_t)src->width * (size_t)src->height, step = (size_t)src->channels;
        for (size_t i = 0; i < n; i++) {
            out->v[i] = src->v[i * step];
        }
    }
    return status;
}

void mb_matte_return_f32(mb_matte_job *job, mb_image_f32 *alpha)
{
    if (job->want_f32) {
        job->alpha_f32 = *alpha;
        *alpha = (mb_image_f32){0};
    }
}
