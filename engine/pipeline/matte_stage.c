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

bool mb_matte_stage_needed(const mb_options *o)
{
    return o->process_detail && o->detail != MB_DETAIL_NONE;
}

mb_status mb_matte_stage_init(mb_matte_stage *e, mb_context *context, const mb_backend *backend,
                              const mb_model *matting, mb_pool *pool, mb_error *err)
{
    *e = (mb_matte_stage){.pool = pool, .matting = matting};
    if (matting == NULL) {
        return MB_OK;
    }
    mb_runner_options options = {pool, backend, mb_network_limit(context), NULL};
    return mb_vitmatte_net_create(&e->network, matting->weights, &options, err);
}

void mb_matte_stage_dispose(mb_matte_stage *e)
{
    mb_vitmatte_net_free(e->network);
    *e = (mb_matte_stage){0};
}

mb_status mb_matte_stage_check(const mb_matte_stage *e, const mb_options *o, mb_error *err)
{
    if (mb_matte_stage_needed(o) && uses_vitmatte(o->detail) && e->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "detail %s needs a matting model\npass VITMatte weights, or use detail=pymatting or "
                       "detail=guided, which need none",
                       mb_detail_name((int)o->detail));
    }
    return MB_OK;
}

size_t mb_matte_stage_scratch(const mb_options *o, int width, int height)
{
    /* How much is unknown shows only with the mask: default bands are 1 to 5 %; wider ones are checked when seen. */
    return mb_matte_stage_needed(o) ? mb_matte_bytes(o->detail, width, height, 0.05) : 0;
}

mb_status mb_matte_stage_plan(mb_plan_info *out, mb_matte_stage *e, const mb_options *o, int width, int height,
                              mb_error *err)
{
    mb_plan_stats f = {0};
    if (!mb_matte_stage_needed(o)) {
        return MB_OK;
    }
    if (uses_vitmatte(o->detail)) {
        int w, h;
        mb_matte_limit(&w, &h, width, height, o->max_megapixels);
        mb_status status = mb_vitmatte_net_stats(&f, e->network, w, h, err);
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

mb_status mb_gray_from_image(mb_image_u8 *out, mb_image_f32 *fine, const mb_image *src, mb_error *err)
{
    mb_image_f32 plane = {0};
    mb_status status = mb_image_f32_from_image(&plane, src, err);
    if (status == MB_OK) {
        status = mb_image_u8_from_f32(out, &plane, err);
    }
    if (status == MB_OK && fine != NULL && src->depth != MB_DEPTH_U8) {
        *fine = plane;
        plane = (mb_image_f32){0};
    }
    mb_image_f32_dispose(&plane);
    return status;
}

typedef struct matting_call {
    mb_matte_stage *edge;
    mb_matte_stage_job *job;
} matting_call;

static mb_status run_matting(mb_image_f32 *alpha, void *user, const mb_image_u8 *photo, const mb_image_u8 *trimap,
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

void mb_add_warning(char *warning, size_t warning_bytes, const char *text)
{
    size_t at = strlen(warning);
    if (text[0] != '\0') {
        (void)snprintf(warning + at, warning_bytes - at, "%s%s", at > 0 ? "; " : "", text);
    }
}

mb_status mb_matte_stage_run(mb_matte_stage *e, mb_matte_stage_job *job, const mb_options *o, mb_error *err)
{
    mb_matte_options r = mb_matte_options_of(o);
    mb_warnings warnings = {0};
    matting_call call = {e, job};
    r.available = job->available;
    r.matting_memory = job->available / 2 > MB_CLOSED_FORM_MEMORY ? job->available / 2 : 0;
    bool given = job->mask == NULL;
    mb_matte_context c = {.pool = e->pool,
                          .cancel = mb_watch_cancel(job->watch),
                          .matting = e->network != NULL ? run_matting : NULL,
                          .matting_user = &call,
                          .warnings = &warnings,
                          .trimap = given ? NULL : job->trimap,
                          .fine_mask = job->fine_mask,
                          .fine = job->fine};
    mb_status status = given ? mb_matte_from_trimap(job->alpha, job->photo, job->trimap, &r, &c, err)
                             : mb_matte_from_mask(job->alpha, job->photo, job->mask, &r, &c, err);
    for (int i = 0; i < warnings.n; i++) {
        mb_add_warning(job->warning, job->warning_bytes, warnings.item[i].text);
    }
    if (e->network != NULL && status == MB_OK) {
        mb_add_warning(job->warning, job->warning_bytes, mb_vitmatte_net_warning(e->network));
    }
    return mb_watch_status(job->watch, status, err);
}

mb_status mb_trimap_make(mb_image *out, const mb_image *mask, int erode, int dilate, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 gray = {0}, trimap = {0};
    *out = (mb_image){0};
    MB_TRY(mb_image_check(mask, err));
    MB_TRY(mb_gray_from_image(&gray, NULL, mask, err));
    MB_TRY(mb_trimap_layerstyle(&trimap, &gray, erode, dilate, NULL, err));
    mb_image_take(out, &trimap);
done:
    mb_image_u8_dispose(&gray);
    mb_image_u8_dispose(&trimap);
    return status;
}
