/* Refinement: which method, with which trimap, in the node's order of steps (docs/models/refine.md section 1). */
#include "pipeline/edge.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "refine/guided.h"
#include "refine/levels.h"
#include "refine/trimap.h"

#include <stdio.h>
#include <string.h>

static bool uses_vitmatte(mb_detail d)
{
    return d == MB_DETAIL_VITMATTE || d == MB_DETAIL_VITMATTE_LOCAL || d == MB_DETAIL_VITMATTE_BASE;
}

bool mb_edge_works(const mb_options *o)
{
    return o->process_detail && o->detail != MB_DETAIL_NONE;
}

mb_status mb_edge_init(mb_edge *e, mb_context *context, const mb_model *matting, mb_pool *pool, mb_error *err)
{
    *e = (mb_edge){.pool = pool, .matting = matting};
    if (matting == NULL) {
        return MB_OK;
    }
    mb_runner_options options = {pool, &context->backend, mb_memory_limit(context), NULL};
    return mb_vitmatte_net_create(&e->network, matting->weights, &options, err);
}

void mb_edge_dispose(mb_edge *e)
{
    mb_vitmatte_net_free(e->network);
    *e = (mb_edge){0};
}

mb_status mb_edge_check(const mb_edge *e, const mb_options *o, mb_error *err)
{
    if (mb_edge_works(o) && uses_vitmatte(o->detail) && e->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "detail %s needs a matting model\npass VITMatte weights (--matting-model)",
                       mb_detail_name((int)o->detail));
    }
    if (mb_edge_works(o) && o->detail == MB_DETAIL_PYMATTING) {
        return mb_fail(err, MB_E_UNSUPPORTED, "detail pymatting is not in this version\nuse guided or vitmatte");
    }
    if (o->foreground != MB_FOREGROUND_NONE) {
        return mb_fail(err, MB_E_UNSUPPORTED, "foreground %s is not in this version\nuse none",
                       mb_foreground_name((int)o->foreground));
    }
    return MB_OK;
}

mb_status mb_edge_plan(mb_plan_info *out, mb_edge *e, const mb_options *o, int width, int height, mb_error *err)
{
    mb_plan_figures f = {0};
    if (mb_edge_works(o) && uses_vitmatte(o->detail)) {
        mb_status status = mb_vitmatte_net_figures(&f, e->network, width, height, err);
        if (status != MB_OK) {
            return status;
        }
    }
    out->n_nodes = f.n_nodes;
    out->macs = f.macs;
    out->weight_bytes = f.weight_bytes;
    out->arena_bytes = f.arena_bytes;
    out->lower_bound = f.lower_bound;
    return MB_OK;
}

mb_status mb_edge_take_gray(mb_picture *out, const mb_image *src, mb_error *err)
{
    mb_plane plane = {0};
    mb_status status = mb_plane_from_image(&plane, src, err);
    if (status == MB_OK) {
        status = mb_picture_from_plane(out, &plane, err);
    }
    mb_plane_dispose(&plane);
    return status;
}

static int on_node(void *user, double done, const char *node_name)
{
    const mb_edge_job *job = user;
    mb_progress p = {job->first + job->share * done, "refine", node_name != NULL ? node_name : ""};
    return job->on_progress != NULL ? job->on_progress(job->user, &p) : 0;
}

static mb_status need_mask(const mb_edge_job *job, const mb_options *o, mb_error *err)
{
    if (job->mask == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "detail %s works on a mask, not on a trimap\ngive a mask, or use vitmatte",
                       mb_detail_name((int)o->detail));
    }
    return MB_OK;
}

static mb_status refine_guided(mb_edge *e, mb_edge_job *job, const mb_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    mb_plane alpha = {0};
    MB_TRY(need_mask(job, o, err));
    mb_guided_options g = {mb_guided_node_radius(o->erode, o->dilate), MB_GUIDED_EPS, 1.0};
    mb_samples guide = mb_samples_of_picture(job->photo), source = mb_samples_of_picture(job->mask);
    MB_TRY(mb_guided_filter(&alpha, &guide, &source, &g, e->pool, err));
    mb_levels_plane(&alpha, mb_levels_of(o->black_point, o->white_point), e->pool);
    MB_TRY(mb_picture_from_plane(job->alpha, &alpha, err));
done:
    mb_plane_dispose(&alpha);
    return status;
}

static mb_status refine_vitmatte(mb_edge *e, mb_edge_job *job, const mb_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    mb_plane alpha = {0};
    if (job->trimap->v == NULL) {
        MB_TRY(mb_trimap_node(job->trimap, job->mask, o->erode, o->dilate, e->pool, err));
    }
    MB_TRY(mb_vitmatte_net_run(&alpha, e->network, job->photo, job->trimap, on_node, job, err));
    MB_TRY(mb_picture_from_plane(job->alpha, &alpha, err));
    uint8_t table[256];
    mb_levels_table(table, mb_levels_of(o->black_point, o->white_point));
    mb_levels_map(job->alpha, table, e->pool);
done:
    mb_plane_dispose(&alpha);
    return status;
}

mb_status mb_edge_refine(mb_edge *e, mb_edge_job *job, const mb_options *o, mb_error *err)
{
    if (!mb_edge_works(o)) {
        return mb_picture_copy(job->alpha, job->mask != NULL ? job->mask : job->trimap, err);
    }
    return uses_vitmatte(o->detail) ? refine_vitmatte(e, job, o, err) : refine_guided(e, job, o, err);
}

mb_status mb_edge_compose(mb_picture *out, const mb_picture *photo, const mb_picture *alpha, const mb_options *o,
                          mb_pool *pool, mb_error *err)
{
    (void)o;
    (void)pool;
    mb_status status = mb_picture_create(out, photo->width, photo->height, 4, err);
    size_t pixels = (size_t)photo->width * (size_t)photo->height;
    for (size_t i = 0; status == MB_OK && i < pixels; i++) {
        memcpy(out->v + 4 * i, photo->v + 3 * i, 3);
        out->v[4 * i + 3] = alpha->v[i];
    }
    return status;
}

mb_status mb_trimap_make(mb_image *out, const mb_image *mask, int erode, int dilate, mb_error *err)
{
    mb_status status = MB_OK;
    mb_picture gray = {0}, trimap = {0};
    *out = (mb_image){0};
    if (erode < 1 || erode > 255 || dilate < 1 || dilate > 255) {
        return mb_fail(err, MB_E_ARGUMENT, "%s %d: 1 to 255", erode < 1 || erode > 255 ? "erode" : "dilate",
                       erode < 1 || erode > 255 ? erode : dilate);
    }
    MB_TRY(mb_image_check(mask, err));
    MB_TRY(mb_edge_take_gray(&gray, mask, err));
    MB_TRY(mb_trimap_node(&trimap, &gray, erode, dilate, NULL, err));
    mb_image_take(out, &trimap);
done:
    mb_picture_dispose(&gray);
    mb_picture_dispose(&trimap);
    return status;
}
