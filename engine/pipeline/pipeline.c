/* A pipeline: its networks and its options. What a run takes: memory.c. The runs: run.c. */
#include "pipeline/pipeline.h"

#include "core/alloc.h"
#include "device.h"
#include "core/sized.h"

#include <string.h>

/* Networks first: they use the pool and the back end. */
void mb_pipeline_free(mb_pipeline *pipeline)
{
    if (pipeline != NULL) {
        mb_matte_stage_dispose(&pipeline->matte);
        mb_network_free(pipeline->network);
        mb_pool_free(pipeline->pool);
        mb_free(pipeline);
    }
}

/* Each model in its place: a mistake of the caller is named before any plan is made. */
static mb_status check_models(const mb_model *model, const mb_model *matting, mb_error *err)
{
    if (model != NULL && !model->info.finds_masks) {
        return mb_fail(err, MB_E_MISMATCH,
                       "%.200s: a %s model refines masks, it does not find them\npass a BiRefNet model",
                       mb_model_label(model), model->info.architecture);
    }
    if (matting != NULL && matting->info.finds_masks) {
        return mb_fail(err, MB_E_MISMATCH,
                       "%.200s: a %s model finds masks, it does not refine them\npass a VITMatte model",
                       mb_model_label(matting), matting->info.architecture);
    }
    return MB_OK;
}

static bool is_bf16(const mb_backend *b)
{
    return b->bf16_products || b->activations == MB_BF16;
}

/* Which of several masks is taken may turn on the last bits of bf16, and the mask network is a tenth of that work: there it
 * runs in f32 (docs/precision.md). */
static mb_status set_mask_backend(mb_pipeline *p, mb_segmenter segment, mb_error *err)
{
    p->mask_backend = p->backend;
    return segment == MB_SEGMENT_BOTH && is_bf16(&p->backend)
               ? mb_device_set_precision(&p->mask_backend, MB_PRECISION_F32, err)
               : MB_OK;
}

/* Both networks. On an error what was made is freed with the pipeline. */
static mb_status make_networks(mb_pipeline *p, mb_segmenter segment, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(set_mask_backend(p, segment, err));
    if (p->model != NULL) {
        MB_TRY(mb_network_create_on(&p->network, p->context, &p->mask_backend, p->model, p->pool, err));
    }
    MB_TRY(mb_matte_stage_init(&p->matte, p->context, &p->backend, p->matting, p->pool, err));
done:
    return status;
}

/* The networks anew on the base back end in this precision, for masks found so. Pictures that were started are lost (run.c). */
static mb_status rebuild_networks(mb_pipeline *p, mb_precision precision, mb_segmenter segment, mb_error *err)
{
    mb_backend backend = p->base;
    mb_status status = precision != MB_PRECISION_AUTO ? mb_device_set_precision(&backend, precision, err) : MB_OK;
    if (status != MB_OK) {
        return status;
    }
    p->generation++;
    mb_matte_stage_dispose(&p->matte);
    mb_network_free(p->network);
    p->network = NULL;
    p->backend = backend;
    p->precision = precision;
    p->stats_known = false;
    return make_networks(p, segment, err);
}

/* p->base stays the CPU from here on, whatever options come later. */
mb_status mb_pipeline_move_to_cpu(mb_pipeline *p, mb_error *err)
{
    mb_backend cpu = {0};
    mb_status status = mb_backend_cpu(&cpu, err);
    if (status == MB_OK) {
        p->base = cpu;
        status = rebuild_networks(p, p->precision, p->options.segment, err);
    }
    return status;
}

/* Options are checked last, since they depend on the models. A change of precision in them rebuilds the networks, and so
 * may a judged mask; it costs nothing yet: no plan exists. */
mb_status mb_pipeline_create(mb_pipeline **out, mb_context *context, const mb_model *model, const mb_model *matting,
                             const mb_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    mb_pipeline *p = mb_calloc(1, sizeof *p);
    if (p == NULL) {
        return mb_fail_memory(err, sizeof *p, "the pipeline");
    }
    p->context = context;
    p->model = model;
    mb_options_init(&p->options);
    MB_TRY(check_models(model, matting, err));
    MB_TRY(mb_pool_create(&p->pool, context->threads, err));
    p->matting = matting;
    p->base = context->backend;
    p->backend = p->base;
    MB_TRY(make_networks(p, p->options.segment, err));
    MB_TRY(mb_pipeline_set_options(p, options != NULL ? options : &p->options, err));
    *out = p;
    p = NULL;
done:
    mb_pipeline_free(p);
    return status;
}

void mb_pipeline_set_background(mb_pipeline *pipeline, const unsigned char colour[4], const mb_image *picture)
{
    memcpy(pipeline->options.background_colour, colour, 4);
    if (picture != NULL) {
        pipeline->options.background_picture = picture;
    }
}

/* All checks come before anything changes: after an error the old options are in force. */
mb_status mb_pipeline_set_options(mb_pipeline *pipeline, const mb_options *options, mb_error *err)
{
    mb_options o;
    mb_options_init(&o);
    if (pipeline->n_pending > 0) {
        return mb_fail(err, MB_E_ARGUMENT, "options cannot change while pictures are in flight: finish them first");
    }
    mb_status status = mb_options_check(options, err);
    if (status == MB_OK) {
        status = mb_copy_sized(&o, sizeof o, options, "mb_options", err);
    }
    if (status == MB_OK) {
        status = mb_matte_stage_check(&pipeline->matte, &o, err);
    }
    if (status == MB_OK && pipeline->model != NULL && o.input_width > 0) {
        status = mb_network_check_size(pipeline->model, o.input_height, o.input_width, err);
    }
    const bool other_mask =
        is_bf16(&pipeline->backend) && (o.segment == MB_SEGMENT_BOTH) != (pipeline->options.segment == MB_SEGMENT_BOTH);
    if (status == MB_OK && (o.precision != pipeline->precision || other_mask)) {
        status = rebuild_networks(pipeline, o.precision, o.segment, err); /* another precision means other plans */
    }
    if (status == MB_OK) {
        pipeline->options = o;
        pipeline->stats_known = false;
        memset(pipeline->last_run, 0, sizeof pipeline->last_run);
    }
    return status;
}

/* The mask network reports by itself; the other stages through the run's watch. */
void mb_pipeline_set_progress(mb_pipeline *pipeline, mb_progress_callback callback, void *user)
{
    pipeline->on_progress = callback;
    pipeline->user = user;
}
