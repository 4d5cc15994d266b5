/* Method `guided`: filter, remap, to 8 bits. docs/models/refine.md sections 1 and 5. */
#include "image/convert.h"
#include "matting/guided.h"
#include "image/levels.h"
#include "matting/methods.h"

#include <math.h>

mb_status mb_refine_with_guided(mb_picture *alpha, const mb_refine_job *job, mb_error *err)
{
    const mb_refine_options *o = job->o;
    int radius = o->guided_radius > 0 ? o->guided_radius : mb_guided_node_radius(o->erode, o->dilate);
    if (o->guided_scale > 0 && o->guided_scale < 1) { /* the same window, in pixels of the small picture */
        int small = (int)lround(radius * o->guided_scale);
        radius = small > 1 ? small : 1;
    }
    const mb_guided_options guided = {
        .radius = radius,
        .eps = o->guided_eps > 0 ? o->guided_eps : MB_GUIDED_EPS,
        .scale = o->guided_scale > 0 ? o->guided_scale : 1.0,
        .cancel = &job->c->cancel,
    };
    mb_samples guide = mb_samples_of_picture(job->photo);
    mb_samples source = mb_samples_of_picture(job->mask != NULL ? job->mask : job->given_trimap);
    mb_plane filtered = {0};
    mb_status status = MB_OK;
    if (mb_cancelled(&job->c->cancel)) {
        return mb_fail(err, MB_E_CANCELLED, "cancelled");
    }
    MB_TRY(mb_guided_filter(&filtered, &guide, &source, &guided, job->c->pool, err));
    mb_levels_plane(&filtered, mb_levels_of(o->black_point, o->white_point), job->c->pool);
    MB_TRY(mb_picture_from_plane(alpha, &filtered, err));
    mb_refine_give_fine(job, &filtered);
done:
    mb_plane_dispose(&filtered);
    return status;
}
