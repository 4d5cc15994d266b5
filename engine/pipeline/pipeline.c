/* The pipeline's making, its options, and what a run will take. The runs: run.c. */
#include "pipeline/pipeline.h"

#include "core/file.h"

#include "core/alloc.h"
#include "device.h"
#include "pipeline/matte_stage.h"
#include "pipeline/segment_stage.h"
#include "pipeline/compose_stage.h"

#include <stdio.h>
#include <string.h>

void mb_pipeline_free(mb_pipeline *pipeline)
{
    if (pipeline != NULL) {
        mb_matte_stage_dispose(&pipeline->edge);
        mb_network_free(pipeline->network);
        mb_pool_free(pipeline->pool);
        mb_free(pipeline);
    }
}

static mb_status check_models(const mb_model *model, const mb_model *matting, mb_error *err)
{
    if (model != NULL && !model->info.finds_masks) {
        return mb_fail(err, MB_E_MISMATCH,
                       "%.200s: a %s model refines masks, it does not find them\npass a BiRefNet model",
                       model->info.path, model->info.architecture);
    }
    if (matting != NULL && matting->info.finds_masks) {
        return mb_fail(err, MB_E_MISMATCH,
                       "%.200s: a %s model finds masks, it does not refine them\npass a VITMatte model",
                       matting->info.path, matting->info.architecture);
    }
    return MB_OK;
}

static mb_status make_networks(mb_pipeline *p, mb_error *err)
{
    mb_status status = MB_OK;
    if (p->model != NULL) {
        MB_TRY(mb_network_create_on(&p->network, p->context, &p->backend, p->model, p->pool, err));
        mb_network_set_progress(p->network, p->on_progress, p->user);
    }
    MB_TRY(mb_matte_stage_init(&p->edge, p->context, &p->backend, p->matting, p->pool, err));
done:
    return status;
}

mb_status mb_pipeline_remake(mb_pipeline *p, const mb_backend *backend, mb_error *err)
{
    p->generation++;
    mb_matte_stage_dispose(&p->edge);
    mb_network_free(p->network);
    p->network = NULL;
    p->backend = *backend;
    return make_networks(p, err);
}

/* Another precision means other plans: the networks are made anew. */
static mb_status use_precision(mb_pipeline *p, mb_precision precision, mb_error *err)
{
    mb_backend wanted = p->context->backend;
    if (precision == p->precision) {
        return MB_OK;
    }
    mb_status status = precision != MB_PRECISION_AUTO ? mb_device_set_precision(&wanted, precision, err) : MB_OK;
    if (status != MB_OK) {
        return status;
    }
    p->precision = precision;
    return mb_pipeline_remake(p, &wanted, err);
}

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
    p->backend = context->backend;
    MB_TRY(make_networks(p, err));
    MB_TRY(mb_pipeline_set_options(p, options != NULL ? options : &p->options, err));
    *out = p;
    p = NULL;
done:
    mb_pipeline_free(p);
    return status;
}

mb_status mb_pipeline_set_options(mb_pipeline *pipeline, const mb_options *options, mb_error *err)
{
    mb_options o;
    mb_options_init(&o);
    if (pipeline->n_pending > 0) {
        return mb_fail(err, MB_E_ARGUMENT, "options change between pictures: finish those that were started first");
    }
    mb_status status = mb_options_check(options, err);
    if (status == MB_OK) {
        status = mb_copy_sized(&o, sizeof o, options, "mb_options", err);
    }
    if (status == MB_OK) {
        status = mb_matte_stage_check(&pipeline->edge, &o, err);
    }
    if (status == MB_OK && pipeline->model != NULL && o.input_width > 0) {
        status = mb_network_check_size(pipeline->model, o.input_height, o.input_width, err);
    }
    if (status == MB_OK) {
        status = use_precision(pipeline, o.precision, err);
    }
    if (status == MB_OK) {
        pipeline->options = o;
        pipeline->stats_known = false;
    }
    return status;
}

void mb_pipeline_set_progress(mb_pipeline *pipeline, mb_progress_callback callback, void *user)
{
    pipeline->on_progress = callback;
    pipeline->user = user;
    if (pipeline->network != NULL) {
        mb_network_set_progress(pipeline->network, callback, user);
    }
}

/* ---- planning */

int mb_pipeline_input_width(const mb_pipeline *p)
{
    return p->options.input_width > 0 ? p->options.input_width : p->model->info.input_width;
}

int mb_pipeline_input_height(const mb_pipeline *p)
{
    return p->options.input_height > 0 ? p->options.input_height : p->model->info.input_height;
}

/* The mask network's figures: the same for every photo, so they are worked out once. */
static mb_status network_figures(mb_pipeline *p, mb_error *err)
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

/* Bytes of pictures alive at once: the photo, mask, alpha and cut-out, the network's 8-bit input, and what the
 * cut-out's own steps need. Photos of 16 bits are known only when they come: planned as 8. */
static mb_status picture_bytes(size_t *out, const mb_pipeline *p, int width, int height, int depth, mb_error *err)
{
    size_t pixels, scratch = mb_matte_stage_scratch(&p->options, width, height), look;
    if (width < 1 || height < 1 || !mb_mul_size(&pixels, (size_t)width, (size_t)height) ||
        !mb_mul_size(out, pixels, 3 + 1 + 1 + 4) || !mb_add_size(out, *out, (size_t)3 * 65536) ||
        (look = mb_compose_stage_bytes(&p->options, depth, pixels)) == SIZE_MAX ||
        !mb_add_size(out, *out, look > scratch ? look : scratch)) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d x %d pixels", width, height);
    }
    return MB_OK;
}

static mb_status plan(mb_plan_info *out, mb_pipeline *p, int width, int height, int depth, mb_error *err)
{
    mb_status status = MB_OK;
    mb_plan_info edge = {.size = sizeof edge};
    MB_TRY(network_figures(p, err));
    *out = (mb_plan_info){.size = sizeof *out};
    if (p->network != NULL) {
        *out = p->stats;
    }
    MB_TRY(picture_bytes(&out->picture_bytes, p, width, height, depth, err));
    if (!mb_add_size(&out->picture_bytes, out->picture_bytes, mb_segment_bytes(&p->options, width, height))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels needs more than there is", width, height);
    }
    MB_TRY(mb_matte_stage_plan(&edge, &p->edge, &p->options, width, height, err));
    out->n_nodes += edge.n_nodes;
    out->macs += edge.macs;
    out->weight_bytes += edge.weight_bytes;
    out->arena_bytes += edge.arena_bytes;
    out->lower_bound = out->lower_bound > edge.lower_bound ? out->lower_bound : edge.lower_bound;
    out->total_bytes = out->weight_bytes + out->arena_bytes + out->picture_bytes;
done:
    return status;
}

mb_status mb_pipeline_plan(mb_plan_info *out, mb_pipeline *pipeline, int width, int height, mb_error *err)
{
    mb_plan_info info, unused;
    mb_status status = mb_copy_sized(&unused, sizeof unused, out, "mb_plan_info", err);
    if (status == MB_OK) {
        status = plan(&info, pipeline, width, height, pipeline->options.depth == 16 ? 16 : 8, err);
    }
    if (status == MB_OK) {
        size_t room = out->size;
        memcpy(out, &info, room < sizeof info ? room : sizeof info);
        out->size = room;
    }
    return status;
}

/* What would fit: options that make the plan smaller, each with what it then takes. */
static void suggest(char *text, size_t bytes, mb_pipeline *p, const mb_image *photo, size_t limit)
{
    const mb_options kept = p->options;
    mb_options smaller = kept, guided = kept, plain = kept;
    smaller.max_megapixels = 1.0;
    guided.detail = MB_DETAIL_GUIDED;
    plain.foreground = MB_FOREGROUND_NONE;
    const struct {
        const char *option;
        const mb_options *o;
        bool differs;
    } rows[] = {{"--max-megapixels 1", &smaller, kept.detail >= MB_DETAIL_VITMATTE && kept.max_megapixels > 1.0},
                {"--detail guided", &guided, mb_matte_stage_needed(&kept) && kept.detail != MB_DETAIL_GUIDED},
                {"--foreground none", &plain, kept.want_cutout && kept.foreground != MB_FOREGROUND_NONE}};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mb_plan_info info;
        p->options = *rows[i].o;
        bool fits = rows[i].differs &&
                    plan(&info, p, photo->width, photo->height, mb_compose_stage_depth(&kept, photo), NULL) == MB_OK &&
                    info.total_bytes <= limit;
        size_t at = strlen(text);
        if (fits && at < bytes) {
            (void)snprintf(text + at, bytes - at, "%s (%.2f GB), or ", rows[i].option, (double)info.total_bytes * 1e-9);
        }
    }
    p->options = kept;
}

mb_status mb_pipeline_check_memory(size_t *total, mb_pipeline *p, const mb_image *photo, mb_error *err)
{
    mb_plan_info info;
    mb_status status = plan(&info, p, photo->width, photo->height, mb_compose_stage_depth(&p->options, photo), err);
    if (status != MB_OK) {
        return status;
    }
    if (p->context->backend.memory != NULL && p->context->options.max_memory == 0) {
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
            "--input-size or picture, or a larger --max-memory",
            need / unit, name, (double)info.arena_bytes / unit, (double)info.weight_bytes / unit,
            (double)info.picture_bytes / unit, (double)limit / unit, name,
            p->context->options.max_memory > 0 ? "are allowed" : "are free", hint);
    }
    return MB_OK;
}

/* ---- level 1 */

mb_status mb_cutout_file(const char *model, const char *photo, const char *png, mb_error *err)
{
    mb_status status = MB_OK;
    char path[4096];
    mb_context *context = NULL;
    mb_model *m = NULL;
    mb_pipeline *pipeline = NULL;
    mb_image image = {0};
    mb_load_options load;
    mb_result *result = NULL;
    MB_TRY(mb_find_model(path, sizeof path, model, err));
    MB_TRY(mb_refuse_same_file(png, photo, "the photo", err));
    MB_TRY(mb_refuse_same_file(png, path, "the model", err));
    MB_TRY(mb_context_create(&context, NULL, err));
    MB_TRY(mb_model_open(&m, context, path, err));
    mb_load_options_init(&load);
    load.keep_alpha = 1;
    MB_TRY(mb_image_load(&image, NULL, photo, &load, err));
    MB_TRY(mb_pipeline_create(&pipeline, context, m, NULL, NULL, err));
    MB_TRY(mb_pipeline_run(&result, pipeline, &image, err));
    MB_TRY(mb_image_save(&result->cutout, png, NULL, err));
done:
    mb_result_free(result);
    mb_image_dispose(&image);
    mb_pipeline_free(pipeline);
    mb_model_free(m);
    mb_context_free(context);
    return status;
}
