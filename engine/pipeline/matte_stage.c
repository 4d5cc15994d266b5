/* Refinement: which method, with which trimap, in the node's order of steps (docs/models/refine.md section 1). */
#include "pipeline/matte_stage.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "matting/matte.h"
#include "matting/trimap.h"

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

mb_status mb_edge_init(mb_edge *e, mb_context *context, const mb_backend *backend, const mb_model *matting,
                       mb_pool *pool, mb_error *err)
{
    *e = (mb_edge){.pool = pool, .matting = matting};
    if (matting == NULL) {
        return MB_OK;
    }
    mb_runner_options options = {pool, backend, mb_network_limit(context), NULL};
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
    return MB_OK;
}

size_t mb_edge_scratch(const mb_options *o, int width, int height)
{
    /* How much is unknown shows only with the mask: default bands are 1 to 5 %; wider ones are checked when seen. */
    return mb_edge_works(o) ? mb_refine_bytes(o->detail, width, height, 0.05) : 0;
}

mb_status mb_edge_plan(mb_plan_info *out, mb_edge *e, const mb_options *o, int width, int height, mb_error *err)
{
    mb_plan_figures f = {0};
    if (!mb_edge_works(o)) {
        return MB_OK;
    }
    if (uses_vitmatte(o->detail)) {
        int w, h;
        mb_refine_limit(&w, &h, width, height, o->max_megapixels);
        mb_status status = mb_vitmatte_net_figures(&f, e->network, w, h, err);
        if (status != MB_OK) {
            return status;
        }
    }
    out->n_nodes = f.n_nodes;
    out->macs = f.macs;
    out->weight_bytes = f.weight_bytes;
    out->lower_bound = f.lower_bound;
    out->arena_bytes = f.arena_bytes;
    return MB_OK;
}

mb_status mb_edge_take_gray(mb_picture *out, mb_plane *fine, const mb_image *src, mb_error *err)
{
    mb_plane plane = {0};
    mb_status status = mb_plane_from_image(&plane, src, err);
    if (status == MB_OK) {
        status = mb_picture_from_plane(out, &plane, err);
    }
    if (status == MB_OK && fine != NULL && src->depth != MB_DEPTH_U8) {
        *fine = plane;
        plane = (mb_plane){0};
    }
    mb_plane_dispose(&plane);
    return status;
}

typedef struct matting_call {
    mb_edge *edge;
    mb_edge_job *job;
} matting_call;

static mb_status run_matting(mb_plane *alpha, void *user, const mb_picture *photo, const mb_picture *trimap,
                             mb_error *err)
{
    const matting_call *c = user;
    mb_watch *w = c->job->watch;
    mb_cancel cancel = mb_watch_cancel(w);
    mb_pool_set_cancel(c->edge->pool, &cancel);
    mb_status status =
        mb_vitmatte_net_run(alpha, c->edge->network, photo, trimap, w->call != NULL ? mb_watch_node : NULL, w, err);
    mb_pool_set_cancel(c->edge->pool, NULL);
    return status;
}

void mb_edge_warn(char *warning, size_t warning_bytes, const char *text)
{
    size_t at = strlen(warning);
    if (text[0] != '\0') {
        (void)snprintf(warning + at, warning_bytes - at, "%s%s", at > 0 ? "; " : "", text);
    }
}

mb_status mb_edge_refine(mb_edge *e, mb_edge_job *job, const mb_options *o, mb_error *err)
{
    mb_refine_options r;
    mb_warnings warnings = {0};
    matting_call call = {e, job};
    mb_refine_options_init(&r);
    r.process_detail = mb_edge_works(o);
    r.detail = o->detail;
    r.erode = o->erode;
    r.dilate = o->dilate;
    r.black_point = o->black_point;
    r.white_point = o->white_point;
    r.max_megapixels = o->max_megapixels;
    r.guided_radius = o->guided_radius;
    r.guided_eps = o->guided_eps;
    r.guided_scale = o->guided_scale;
    r.matting_epsilon = o->matting_epsilon;
    r.available = job->available;
    r.matting_memory = job->available / 2 > MB_CLOSED_FORM_MEMORY ? job->available / 2 : 0;
    bool given = job->mask == NULL;
    mb_refine_context c = {.pool = e->pool,
                           .cancel = mb_watch_cancel(job->watch),
                           .matting = e->network != NULL ? run_matting : NULL,
                           .matting_user = &call,
                           .warnings = &warnings,
                           .trimap = given ? NULL : job->trimap,
                           .fine_mask = job->fine_mask,
                           .fine = job->fine};
    mb_status status = given ? mb_refine_trimap(job->alpha, job->photo, job->trimap, &r, &c, err)
                             : mb_refine_mask(job->alpha, job->photo, job->mask, &r, &c, err);
    for (int i = 0; i < warnings.n; i++) {
        mb_edge_warn(job->warning, job->warning_bytes, warnings.item[i].text);
    }
    if (e->network != NULL && status == MB_OK) {
        mb_edge_warn(job->warning, job->warning_bytes, mb_vitmatte_net_warning(e->network));
    }
    return mb_watch_status(job->watch, status, err);
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
    MB_TRY(mb_edge_take_gray(&gray, NULL, mask, err));
    MB_TRY(mb_trimap_node(&trimap, &gray, erode, dilate, NULL, err));
    mb_image_take(out, &trimap);
done:
    mb_picture_dispose(&gray);
    mb_picture_dispose(&trimap);
    return status;
}
