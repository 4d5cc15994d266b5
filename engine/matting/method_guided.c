/* Method `guided`: filter, remap, to 8 bits. docs/models/refine.md sections 1 and 5. */
#include "image/convert.h"
#include "matting/guided.h"
#include "image/levels.h"
#include "matting/methods.h"

#include <math.h>

/* The window reaches across the band: what a given trimap says for sure is put back. */
static void keep_known(mb_image_f32 *alpha, const mb_image_u8 *trimap)
{
    const size_t n = (size_t)trimap->width * (size_t)trimap->height, step = (size_t)trimap->channels;
    for (size_t i = 0; i < n; i++) {
        const uint8_t v = trimap->v[i * step];
        alpha->v[i] = v == 0 ? 0.0f : v == 255 ? 1.0f : alpha->v[i];
    }
}

/* The user's radius and eps, or LayerStyle's; a small scale keeps the window's size in pixels of the photo. */
mb_status mb_matte_guided(const mb_task *task, mb_matte_job *job, mb_error *err)
{
    const mb_options *o = job->options;
    int radius = o->guided_radius > 0 ? o->guided_radius : mb_guided_layerstyle_radius(o->erode, o->dilate);
    if (o->guided_scale < 1) { /* the same window, in pixels of the small picture */
        int small = (int)lround(radius * o->guided_scale);
        radius = small > 1 ? small : 1;
    }
    const mb_guided_options guided = {
        .radius = radius,
        .eps = o->guided_eps,
        .scale = o->guided_scale,
    };
    mb_image_view guide = mb_image_view_u8(job->photo);
    mb_image_view source = mb_image_view_u8(mb_matte_source(job));
    mb_image_f32 filtered = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_task_check(task, err));
    MB_TRY(mb_guided_filter(task, &filtered, &guide, &source, &guided, err));
    mb_levels_f32(task, &filtered, mb_levels_of(o->black_point, o->white_point));
    if (job->mask == NULL) {
        keep_known(&filtered, job->user_trimap);
    }
    MB_TRY(mb_image_u8_from_f32(&job->alpha, &filtered, err));
    mb_matte_return_f32(job, &filtered);
done:
    mb_image_f32_dispose(&filtered);
    return status;
}
