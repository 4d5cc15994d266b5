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

/* Said once a run, whatever the method does about it. */
void mb_matte_warn_trimap(const mb_task *task, const mb_matte_job *job)
{
    const mb_image_u8 *t = job->user_trimap;
    const mb_options *o = job->options;
    const mb_detail detail = o->process_detail ? o->detail : MB_DETAIL_NONE;
    const bool solves = detail != MB_DETAIL_NONE && detail != MB_DETAIL_GUIDED;
    if (job->mask != NULL || t == NULL) {
        return;
    }
    const size_t n = (size_t)t->width * (size_t)t->height, step = (size_t)t->channels;
    size_t black = 0, white = 0;
    for (size_t i = 0; i < n; i++) {
        black += t->v[i * step] == 0;
        white += t->v[i * step] == 255;
    }
    if (!solves && black + white < n) {
        mb_task_warn(
            task, MB_WARN_NOT_SOLVED,
            "detail %s does not solve a trimap, what is unknown stays grey: detail=pymatting or detail=vitmatte",
            mb_detail_name((int)detail));
    }
    if (black == 0 || white == 0) {
        mb_task_warn(task, white == 0 ? MB_WARN_NO_FOREGROUND : MB_WARN_NO_BACKGROUND, "the trimap has %s%s%s%s",
                     white == 0 ? "no foreground" : "", white + black == 0 ? " and " : "",
                     black == 0 ? "no background" : "", detail == MB_DETAIL_PYMATTING ? ": it was kept as it is" : "");
    }
}

void mb_matte_return_f32(mb_matte_job *job, mb_image_f32 *alpha)
{
    if (job->want_f32) {
        job->alpha_f32 = *alpha;
        *alpha = (mb_image_f32){0};
    }
}
