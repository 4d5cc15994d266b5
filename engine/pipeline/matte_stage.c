/* Refinement: which method, with which trimap, in LayerStyle's order of steps (docs/models/refine.md section 1). */
#include "pipeline/matte_stage.h"

#include "image/convert.h"
#include "matting/trimap.h"
#include "matting/vitmatte.h"
#include "pipeline/vitmatte_net.h"

#include <stdio.h>
#include <string.h>

/* False: the mask is the result. */
bool mb_matte_stage_needed(const mb_options *o)
{
    return o->process_detail && o->detail != MB_DETAIL_NONE;
}

/* The network shares the pipeline's pool: the two never run at the same time. */
mb_status mb_matte_stage_init(mb_matte_stage *stage, mb_context *context, const mb_backend *backend,
                              const mb_model *matting, mb_pool *pool, mb_error *err)
{
    *stage = (mb_matte_stage){0};
    if (matting == NULL) {
        return MB_OK;
    }
    mb_status status = mb_model_normalization(&stage->normalization, matting, err);
    return status == MB_OK ? mb_network_create_on(&stage->network, context, backend, matting, pool, err) : status;
}

void mb_matte_stage_dispose(mb_matte_stage *stage)
{
    mb_network_free(stage->network);
    *stage = (mb_matte_stage){0};
}

/* Refused when the options are set, not in the middle of a batch. */
mb_status mb_matte_stage_check(const mb_matte_stage *stage, const mb_options *o, mb_error *err)
{
    if (mb_matte_needs_network(o) && stage->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "detail %s needs a matting model\npass VITMatte weights, or use detail=pymatting or "
                       "detail=guided, which need none",
                       mb_detail_name((int)o->detail));
    }
    return MB_OK;
}

double mb_matte_stage_scratch(const mb_options *o, int width, int height, bool want_f32)
{
    return mb_matte_needs_network(o) ? mb_vitmatte_scratch_bytes(o, width, height, want_f32)
                                     : mb_matte_scratch_bytes(o, width, height, want_f32);
}

/* The network sees the photo reduced to max_megapixels, then padded to its step. */
mb_status mb_matte_stage_stats(mb_plan_stats *out, mb_matte_stage *stage, const mb_options *o, int width, int height,
                               mb_error *err)
{
    *out = (mb_plan_stats){0};
    if (!mb_matte_needs_network(o)) {
        return MB_OK;
    }
    int w, h;
    const mb_model *model = stage->network->model;
    mb_vitmatte_limit(&w, &h, width, height, o->max_megapixels);
    return mb_network_stats(out, stage->network, 1, mb_network_padded(model, h), mb_network_padded(model, w), err);
}

/* By luminance where the picture has colours. Rounded from the same f32 plane that may be handed out. */
mb_status mb_gray_from_image(mb_image_u8 *out, mb_image_f32 *mask_f32, const mb_image *src, mb_error *err)
{
    mb_image_f32 plane = {0};
    mb_status status = mb_image_f32_from_image(&plane, src, err);
    if (status == MB_OK) {
        status = mb_image_u8_from_f32(out, &plane, err);
    }
    if (status == MB_OK && mask_f32 != NULL && src->depth != MB_DEPTH_U8) {
        *mask_f32 = plane;
        plane = (mb_image_f32){0};
    }
    mb_image_f32_dispose(&plane);
    return status;
}

/* Several are joined by "; "; what does not fit is cut. */
void mb_add_warning(char warning[256], const char *text)
{
    size_t at = strlen(warning);
    if (text[0] != '\0') {
        (void)snprintf(warning + at, 256 - at, "%s%s", at > 0 ? "; " : "", text);
    }
}

/* VITMatte: picture side, network, picture side. */
static mb_status run_network(const mb_task *task, mb_matte_stage *stage, mb_matte_job *job, char overflow[256],
                             mb_error *err)
{
    mb_vitmatte_input input = {0};
    mb_image_f32 alpha = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_vitmatte_prepare(task, &input, job, err));
    MB_TRY(mb_vitmatte_net_run(task, &alpha, overflow, stage->network, &stage->normalization, input.photo, input.trimap,
                               err));
    MB_TRY(mb_vitmatte_finish(task, job, &input, &alpha, err));
done:
    if (status != MB_OK) {
        mb_matte_job_dispose(job);
    }
    mb_vitmatte_input_dispose(&input);
    mb_image_f32_dispose(&alpha);
    return status;
}

/* Warnings of the method and of the network reach the result also after an error: they may explain it. */
mb_status mb_matte_stage_run(const mb_task *task, mb_matte_stage *stage, mb_matte_job *job, char warning[256],
                             mb_error *err)
{
    char overflow[256] = ""; /* of the network's run: "" or one line */
    mb_warnings warnings = {0};
    mb_task own = *task;
    own.warnings = &warnings;
    mb_status status = mb_matte_needs_network(job->options) ? run_network(&own, stage, job, overflow, err)
                                                            : mb_matte_run(&own, job, err);
    for (int i = 0; i < warnings.n; i++) {
        mb_add_warning(warning, warnings.item[i].text);
    }
    mb_add_warning(warning, overflow);
    return mb_task_result(task, status, err);
}

/* Public: the trimap that the vitmatte details make, for callers that want to change it by hand. */
mb_status mb_trimap_make(mb_image *out, const mb_image *mask, int erode, int dilate, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 gray = {0}, trimap = {0};
    *out = (mb_image){0};
    MB_TRY(mb_image_check(mask, err));
    MB_TRY(mb_gray_from_image(&gray, NULL, mask, err));
    MB_TRY(mb_trimap_layerstyle(NULL, &trimap, &gray, erode, dilate, err));
    mb_image_take(out, &trimap);
done:
    mb_image_u8_dispose(&gray);
    mb_image_u8_dispose(&trimap);
    return status;
}
