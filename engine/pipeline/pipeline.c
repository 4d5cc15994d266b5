/* A pipeline: its networks, its options, and what a run will take. The runs: run.c.
 *
 * Before any work the sum of what a run holds at once is compared with the limit (mb_pipeline_check_memory):
 *   weights and arenas of the networks       from their plans, exact (none is built for it, see mb_runner_stats)
 *   photo, mask, alpha, cut-out              bytes of their pixels
 *   segmentation, refinement, composing      measured bytes per pixel, see the stage's own ..._bytes
 * The refusal names what would fit instead (suggest). */
#include "pipeline/pipeline.h"

#include "core/alloc.h"
#include "device.h"
#include "pipeline/compose_stage.h"
#include "pipeline/segment_stage.h"
#include "core/sized.h"

#include <stdio.h>
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

/* ---- planning */

/* The options' size, or the one that the model recommends. */
int mb_pipeline_input_width(const mb_pipeline *p)
{
    return p->options.input_width > 0 ? p->options.input_width : p->model->info.input_width;
}

int mb_pipeline_input_height(const mb_pipeline *p)
{
    return p->options.input_height > 0 ? p->options.input_height : p->model->info.input_height;
}

/* The mask network's stats: the same for every photo, so they are worked out once. */
static mb_status network_stats(mb_pipeline *p, mb_error *err)
{
    if (p->stats_known || p->network == NULL) {
        return MB_OK;
    }
    p->stats = (mb_plan_info){.size = sizeof p->stats};
    mb_status status =
        mb_network_plan(&p->stats, p->network, 1, mb_pipeline_input_height(p), mb_pipeline_input_width(p), err);
    p->stats_known = status == MB_OK;
    return status;
}

/* Bytes of pictures alive at once: the photo, mask, alpha and cut-out, the network's 8-bit input, and what finding the
 * subject, the refinement or the cut-out's own steps need. Photos of 16 bits are known only when they come: planned as
 * 8. */
static mb_status picture_bytes(size_t *out, const mb_options *o, int width, int height, int depth, mb_error *err)
{
    size_t pixels, compose, scratch = mb_matte_stage_scratch(o, width, height);
    if (width < 1 || height < 1 || !mb_mul_size(&pixels, (size_t)width, (size_t)height) ||
        !mb_mul_size(out, pixels, 3 + 1 + 1 + 4) || !mb_add_size(out, *out, (size_t)3 * 65536) ||
        (compose = mb_compose_stage_bytes(o, depth, pixels)) == SIZE_MAX ||
        !mb_add_size(out, *out, compose > scratch ? compose : scratch)) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d x %d pixels", width, height);
    }
    if (!mb_add_size(out, *out, mb_segment_bytes(o, width, height))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels exceeds the address space", width, height);
    }
    return MB_OK;
}

/* What a run with these options takes: the pipeline's own, or others with the same size of the mask network. */
static mb_status plan(mb_plan_info *out, mb_pipeline *p, const mb_options *o, int width, int height, int depth,
                      mb_error *err)
{
    mb_status status = MB_OK;
    mb_plan_stats matting;
    MB_TRY(network_stats(p, err));
    *out = (mb_plan_info){.size = sizeof *out};
    if (p->network != NULL) {
        *out = p->stats;
    }
    MB_TRY(picture_bytes(&out->picture_bytes, o, width, height, depth, err));
    MB_TRY(mb_matte_stage_stats(&matting, &p->matte, o, width, height, err));
    out->n_nodes += matting.n_nodes;
    out->macs += matting.macs;
    out->weight_bytes += matting.weight_bytes;
    out->arena_bytes += matting.arena_bytes;
    out->lower_bound = out->lower_bound > matting.lower_bound ? out->lower_bound : matting.lower_bound;
    out->total_bytes = out->weight_bytes + out->arena_bytes + out->picture_bytes;
done:
    return status;
}

/* Photos of 16 bits are not known yet: planned as 8 unless the options ask for 16. */
mb_status mb_pipeline_plan(mb_plan_info *out, mb_pipeline *pipeline, int width, int height, mb_error *err)
{
    mb_plan_info info;
    const mb_options *o = &pipeline->options;
    mb_status status = mb_check_sized(out, "mb_plan_info", err);
    if (status == MB_OK) {
        status = plan(&info, pipeline, o, width, height, o->depth == 16 ? 16 : 8, err);
    }
    if (status == MB_OK) {
        mb_return_sized(out, &info, sizeof info);
    }
    return status;
}

/* What would fit: options that make the plan smaller, each with what it then takes. */
static void suggest(char *text, size_t bytes, mb_pipeline *p, const mb_image *photo, size_t limit)
{
    const mb_options *o = &p->options;
    mb_options smaller = *o, guided = *o, plain = *o;
    smaller.max_megapixels = 1.0;
    guided.detail = MB_DETAIL_GUIDED;
    plain.foreground = MB_FOREGROUND_NONE;
    const struct {
        const char *option;
        const mb_options *o;
        bool differs;
    } rows[] = {{"max_megapixels=1", &smaller, mb_matte_needs_network(o) && o->max_megapixels > 1.0},
                {"detail=guided", &guided, mb_matte_stage_needed(o) && o->detail != MB_DETAIL_GUIDED},
                {"foreground=none", &plain, o->want_cutout && o->foreground != MB_FOREGROUND_NONE}};
    int depth = mb_compose_stage_depth(o, photo);
    text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mb_plan_info info;
        bool fits = rows[i].differs && plan(&info, p, rows[i].o, photo->width, photo->height, depth, NULL) == MB_OK &&
                    info.total_bytes <= limit;
        size_t at = strlen(text);
        if (fits && at < bytes) {
            (void)snprintf(text + at, bytes - at, "%s (%.2f GB), or ", rows[i].option, (double)info.total_bytes * 1e-9);
        }
    }
}

/* Against the caller's limit, or against what the machine has free now plus what this pipeline holds already. A device
 * checks its own memory when a plan is made ready. */
mb_status mb_pipeline_check_memory(size_t *total, mb_pipeline *p, const mb_image *photo, mb_error *err)
{
    mb_plan_info info;
    const mb_options *o = &p->options;
    mb_status status = plan(&info, p, o, photo->width, photo->height, mb_compose_stage_depth(o, photo), err);
    if (status != MB_OK) {
        return status;
    }
    /* Without a limit of the caller's the device's own memory is the device's affair; pictures are the host's. */
    if (p->backend.memory != NULL && p->context->options.max_memory == 0) {
        info.weight_bytes = info.arena_bytes = 0; /* on the device, which looks after its own memory */
        info.total_bytes = info.picture_bytes;
    }
    if (photo->pixels == MB_PIXELS_RGBA || photo->pixels == MB_PIXELS_BGRA) { /* its own alpha is held as well */
        info.picture_bytes += (size_t)photo->width * (size_t)photo->height;
        info.total_bytes += (size_t)photo->width * (size_t)photo->height;
    }
    *total = info.total_bytes;
    size_t limit = p->context->options.max_memory;
    if (limit == 0) {
        /* What earlier runs of this pipeline hold is not free any more, but will be used again. */
        limit = mb_memory_limit(p->context);
        size_t again = p->n_pending > 1 ? 0 : p->held_bytes;
        limit = limit > 0 && !mb_add_size(&limit, limit, again) ? SIZE_MAX : limit;
    }
    if (limit > 0 && info.total_bytes > limit) {
        double need = (double)info.total_bytes, unit = need < 1e9 ? 1e6 : 1e9;
        char hint[200];
        suggest(hint, sizeof hint, p, photo, limit);
        const char *name = need < 1e9 ? "MB" : "GB";
        return mb_fail(
            err, MB_E_MEMORY,
            "this needs %.1f %s (networks %.1f, weights %.1f, pictures and refinement %.1f), %.1f %s %s\n%sa smaller "
            "input size or picture, or a larger max_memory",
            need / unit, name, (double)info.arena_bytes / unit, (double)info.weight_bytes / unit,
            (double)info.picture_bytes / unit, (double)limit / unit, name,
            p->context->options.max_memory > 0 ? "are allowed" : "are free", hint);
    }
    return MB_OK;
}
