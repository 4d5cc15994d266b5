/* The pipeline: a photo to its alpha and cut-out, and what that will take. The order of the steps is here; each step is
 * elsewhere: the mask in find.c, the edge in edge.c. */
#include "pipeline/pipeline.h"

#include "core/alloc.h"
#include "device.h"
#include "image/convert.h"
#include "pipeline/edge.h"
#include "pipeline/find.h"
#include "pipeline/look.h"

#include <stdio.h>
#include <string.h>

/* The mask network's share of the progress bar when a refinement follows. */
#define NETWORK_SHARE 0.8

void mb_pipeline_free(mb_pipeline *pipeline)
{
    if (pipeline != NULL) {
        mb_edge_dispose(&pipeline->edge);
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
    MB_TRY(mb_edge_init(&p->edge, p->context, &p->backend, p->matting, p->pool, err));
done:
    return status;
}

static mb_status remake_networks(mb_pipeline *p, const mb_backend *backend, mb_error *err)
{
    mb_edge_dispose(&p->edge);
    mb_network_free(p->network);
    p->network = NULL;
    p->backend = *backend;
    return make_networks(p, err);
}

/* With device auto, a GPU that fails or has not enough memory is left for good: this picture runs again, and all others
 * run, on the CPU. False: the error stands. The reason becomes the result's warning. */
static bool leave_gpu(mb_pipeline *p, mb_status status, mb_error *err)
{
    mb_backend cpu = {0};
    const char *said = strstr(err->message, "CUDA:");
    bool may = p->context->options.device == MB_DEVICE_AUTO && p->backend.memory != NULL;
    if (!may || (status != MB_E_DEVICE && status != MB_E_MEMORY) || said == NULL) {
        return false;
    }
    (void)snprintf(p->left_gpu, sizeof p->left_gpu, "%.*s; using the CPU", (int)strcspn(said, "\n"), said);
    mb_error again = {0};
    if (mb_backend_cpu(&cpu, &again) != MB_OK || remake_networks(p, &cpu, &again) != MB_OK) {
        return false;
    }
    *err = (mb_error){0};
    return true;
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
    return remake_networks(p, &wanted, err);
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
    mb_status status = mb_options_check(options, err);
    if (status == MB_OK) {
        status = mb_copy_sized(&o, sizeof o, options, "mb_options", err);
    }
    if (status == MB_OK) {
        status = mb_edge_check(&pipeline->edge, &o, err);
    }
    if (status == MB_OK && pipeline->model != NULL && o.input_width > 0) {
        status = mb_network_check_size(pipeline->model, o.input_height, o.input_width, err);
    }
    if (status == MB_OK) {
        status = use_precision(pipeline, o.precision, err);
    }
    if (status == MB_OK) {
        pipeline->options = o;
        pipeline->figures_known = false;
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

static int input_width(const mb_pipeline *p)
{
    return p->options.input_width > 0 ? p->options.input_width : p->model->info.input_width;
}

static int input_height(const mb_pipeline *p)
{
    return p->options.input_height > 0 ? p->options.input_height : p->model->info.input_height;
}

/* The mask network's figures: the same for every photo, so they are worked out once. */
static mb_status network_figures(mb_pipeline *p, mb_error *err)
{
    if (p->figures_known || p->network == NULL) {
        return MB_OK;
    }
    p->figures = (mb_plan_info){.size = sizeof p->figures};
    mb_status status = mb_network_plan(&p->figures, p->network, 1, input_height(p), input_width(p), err);
    p->figures_known = status == MB_OK;
    return status;
}

/* Bytes of pictures alive at once: the photo, mask, alpha and cut-out, the network's 8-bit input, and what the
 * cut-out's own steps need. Photos of 16 bits are known only when they come: planned as 8. */
static mb_status picture_bytes(size_t *out, const mb_pipeline *p, int width, int height, int depth, mb_error *err)
{
    size_t pixels, scratch = mb_edge_scratch(&p->options, width, height), look;
    if (width < 1 || height < 1 || !mb_mul_size(&pixels, (size_t)width, (size_t)height) ||
        !mb_mul_size(out, pixels, 3 + 1 + 1 + 4) || !mb_add_size(out, *out, (size_t)3 * 65536) ||
        (look = mb_look_bytes(&p->options, depth, pixels)) == SIZE_MAX ||
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
        *out = p->figures;
    }
    MB_TRY(picture_bytes(&out->picture_bytes, p, width, height, depth, err));
    if (!mb_add_size(&out->picture_bytes, out->picture_bytes, mb_find_bytes(&p->options, width, height))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels needs more than there is", width, height);
    }
    MB_TRY(mb_edge_plan(&edge, &p->edge, &p->options, width, height, err));
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
                {"--detail guided", &guided, mb_edge_works(&kept) && kept.detail != MB_DETAIL_GUIDED},
                {"--foreground none", &plain, kept.want_cutout && kept.foreground != MB_FOREGROUND_NONE}};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mb_plan_info info;
        p->options = *rows[i].o;
        bool fits = rows[i].differs &&
                    plan(&info, p, photo->width, photo->height, mb_look_depth(&kept, photo), NULL) == MB_OK &&
                    info.total_bytes <= limit;
        size_t at = strlen(text);
        if (fits && at < bytes) {
            (void)snprintf(text + at, bytes - at, "%s (%.2f GB), or ", rows[i].option, (double)info.total_bytes * 1e-9);
        }
    }
    p->options = kept;
}

/* Refuses before any work what cannot fit. */
static mb_status check_memory(size_t *total, mb_pipeline *p, const mb_image *photo, mb_error *err)
{
    mb_plan_info info;
    mb_status status = plan(&info, p, photo->width, photo->height, mb_look_depth(&p->options, photo), err);
    if (status != MB_OK) {
        return status;
    }
    if (p->context->backend.memory != NULL && p->context->options.max_memory == 0) {
        info.weight_bytes = info.arena_bytes = 0; /* on the device, which looks after its own memory */
        info.total_bytes = info.picture_bytes;
    }
    *total = info.total_bytes;
    size_t limit = p->context->options.max_memory;
    if (limit == 0) {
        /* What earlier runs of this pipeline hold is not free any more, but will be used again. */
        limit = mb_memory_limit(p->context);
        limit = limit > 0 && !mb_add_size(&limit, limit, p->held_bytes) ? SIZE_MAX : limit;
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

/* ---- results */

void mb_result_free(mb_result *result)
{
    if (result != NULL) {
        mb_image_dispose(&result->mask);
        mb_image_dispose(&result->trimap);
        mb_image_dispose(&result->alpha);
        mb_image_dispose(&result->cutout);
        mb_free(result);
    }
}

/* Mean and bounding box of alpha. */
static void measure(mb_result *r, const mb_picture *alpha)
{
    uint64_t sum = 0;
    int x0 = alpha->width, x1 = -1, y0 = alpha->height, y1 = -1;
    for (int y = 0; y < alpha->height; y++) {
        const uint8_t *row = alpha->v + (size_t)y * (size_t)alpha->width;
        for (int x = 0; x < alpha->width; x++) {
            sum += row[x];
            if (row[x] > 0) {
                x0 = x < x0 ? x : x0;
                x1 = x > x1 ? x : x1;
                y0 = y < y0 ? y : y0;
                y1 = y;
            }
        }
    }
    r->coverage = (double)sum / (255.0 * (double)alpha->width * (double)alpha->height);
    if (x1 >= 0) {
        r->box_x = x0;
        r->box_y = y0;
        r->box_width = x1 - x0 + 1;
        r->box_height = y1 - y0 + 1;
    }
}

/* A run in progress: pictures that become the result. */
typedef struct run {
    mb_picture photo, mask, trimap, alpha;
    mb_plane fine_mask, fine; /* with 16-bit results */
    const mb_image *given;    /* the caller's photo */
    int depth;
    mb_result *result;
} run;

static void run_dispose(run *r)
{
    mb_picture_dispose(&r->photo);
    mb_picture_dispose(&r->mask);
    mb_picture_dispose(&r->trimap);
    mb_picture_dispose(&r->alpha);
    mb_plane_dispose(&r->fine_mask);
    mb_plane_dispose(&r->fine);
    mb_result_free(r->result);
}

/* Bytes left for a refinement, while photo, mask and the mask network are held. */
static size_t left_for_edge(const mb_pipeline *p, const run *r)
{
    size_t limit = mb_memory_limit(p->context), held;
    if (p->context->options.max_memory == 0) {
        return limit; /* what is free now */
    }
    held = (size_t)r->photo.width * (size_t)r->photo.height * 9 + p->figures.arena_bytes + p->figures.weight_bytes;
    return limit > held ? limit - held : 1;
}

static mb_status refine(mb_pipeline *p, run *r, mb_watch *watch, mb_error *err)
{
    mb_edge_job job = {.photo = &r->photo,
                       .mask = r->mask.v != NULL ? &r->mask : NULL,
                       .trimap = &r->trimap,
                       .alpha = &r->alpha,
                       .fine_mask = r->fine_mask.v != NULL ? &r->fine_mask : NULL,
                       .fine = r->depth == 16 ? &r->fine : NULL,
                       .warning = r->result->warning,
                       .warning_bytes = sizeof r->result->warning,
                       .available = left_for_edge(p, r),
                       .watch = watch};
    return mb_edge_refine(&p->edge, &job, &p->options, err);
}

/* Everything that the result shows, from alpha. */
static mb_status compose(mb_pipeline *p, run *r, mb_watch *watch, mb_error *err)
{
    const mb_options *o = &p->options;
    mb_look look = {o, p->pool, watch, r->depth, r->given, &r->photo, &r->alpha, &r->fine};
    mb_result *result = r->result;
    mb_status status = MB_OK;
    int dropped;
    bool cropped = false;
    MB_TRY(mb_look_shape(&look, &dropped, err));
    measure(result, &r->alpha);
    if (o->want_cutout) {
        MB_TRY(mb_look_cutout(&result->cutout, &look, err));
    }
    mb_image_take(&result->mask, &r->mask);
    if (o->want_trimap) {
        mb_image_take(&result->trimap, &r->trimap);
    }
    mb_picture gray = r->alpha; /* still needed to crop by */
    MB_TRY(mb_look_alpha(&result->alpha, &look, err));
    result->crop_width = gray.width;
    result->crop_height = gray.height;
    if (o->crop) {
        look.alpha = &gray;
        MB_TRY(mb_look_crop(&cropped, result, &look, err));
        if (!cropped) {
            mb_edge_warn(result->warning, sizeof result->warning, "nothing to crop to: alpha is empty");
        }
    }
done:
    return status;
}

/* mask or trimap -> alpha, cut-out, result. */
static mb_status finish(mb_result **out, mb_pipeline *p, run *r, double first, mb_error *err)
{
    mb_status status = MB_OK;
    bool estimates = p->options.want_cutout && p->options.foreground != MB_FOREGROUND_NONE;
    double start = mb_now_ms(), refined = first + (estimates ? 0.6 : 1.0) * (1.0 - first);
    mb_watch watch;
    mb_watch_begin(&watch, p->on_progress, p->user);
    mb_watch_stage(&watch, "refine", first, refined - first);
    MB_TRY(refine(p, r, &watch, err));
    r->result->ms_refine = mb_now_ms() - start;
    start = mb_now_ms();
    mb_watch_stage(&watch, "compose", refined, 1.0 - refined);
    MB_TRY(compose(p, r, &watch, err));
    r->result->ms_compose = mb_now_ms() - start;
    (void)mb_watch_node(&watch, 1.0, "");
    MB_TRY(mb_watch_status(&watch, MB_OK, err));
    *out = r->result;
    r->result = NULL;
done:
    return mb_watch_status(&watch, status, err);
}

static mb_status begin(run *r, mb_pipeline *p, const mb_image *photo, mb_error *err)
{
    mb_status status = mb_image_check(photo, err);
    size_t total = 0;
    if (status == MB_OK) {
        status = check_memory(&total, p, photo, err);
    }
    r->given = photo;
    r->depth = mb_look_depth(&p->options, photo);
    if (status == MB_OK) {
        status = mb_picture_from_image(&r->photo, NULL, photo, err);
    }
    if (status == MB_OK) {
        r->result = mb_calloc(1, sizeof *r->result);
        if (r->result == NULL) {
            return mb_fail_memory(err, sizeof *r->result, "the result");
        }
        r->result->peak_bytes = total;
        p->held_bytes = total;
    }
    return status;
}

static mb_status run_once(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    mb_status status = MB_OK;
    run r = {0};
    *out = NULL;
    bool with_network = pipeline->options.find != MB_FIND_SALIENCY;
    if (with_network && pipeline->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "this pipeline was created without a model that finds masks");
    }
    MB_TRY(begin(&r, pipeline, photo, err));
    double start = mb_now_ms();
    bool alone = !mb_edge_works(&pipeline->options);
    mb_mask_spec spec = {.share = alone ? 0.95 : NETWORK_SHARE};
    if (with_network) {
        spec.recipe = mb_recipe_for(pipeline->model, pipeline->options.recipe);
        spec.width = input_width(pipeline);
        spec.height = input_height(pipeline);
        spec.mirror = pipeline->options.mirror;
    }
    /* What moves the mask by colours starts from 8 bits, and ends there. */
    bool fine = r.depth == 16 && pipeline->options.find == MB_FIND_NETWORK && !pipeline->options.snap;
    spec.fine = fine ? &r.fine_mask : NULL;
    MB_TRY(mb_find_mask(&r.mask, pipeline->network, &r.photo, &spec, &pipeline->options, err));
    r.result->ms_network = mb_now_ms() - start;
    if (with_network) {
        mb_edge_warn(r.result->warning, sizeof r.result->warning, mb_network_warning(pipeline->network));
    }
    MB_TRY(finish(out, pipeline, &r, spec.share, err));
done:
    run_dispose(&r);
    return status;
}

mb_status mb_pipeline_run(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    mb_error local = {0};
    mb_status status = run_once(out, pipeline, photo, &local);
    if (status != MB_OK && leave_gpu(pipeline, status, &local)) {
        status = run_once(out, pipeline, photo, &local);
        if (status == MB_OK) {
            mb_edge_warn((*out)->warning, sizeof(*out)->warning, pipeline->left_gpu);
        }
    }
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", local.message);
}

static mb_status refine_once(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, const mb_image *mask,
                             const mb_image *trimap, mb_error *err)
{
    mb_status status = MB_OK;
    run r = {0};
    const mb_image *given = mask != NULL ? mask : trimap;
    *out = NULL;
    if ((mask == NULL) == (trimap == NULL)) {
        return mb_fail(err, MB_E_ARGUMENT, "give a mask or a trimap, not %s", mask == NULL ? "neither" : "both");
    }
    MB_TRY(mb_image_check(given, err));
    if (given->width != photo->width || given->height != photo->height) {
        status = mb_fail(err, MB_E_ARGUMENT, "the photo is %d x %d, its %s %d x %d: they must be of one size",
                         photo->width, photo->height, mask != NULL ? "mask" : "trimap", given->width, given->height);
        goto done;
    }
    MB_TRY(begin(&r, pipeline, photo, err));
    bool fine = r.depth == 16 && !pipeline->options.snap;
    MB_TRY(mb_edge_take_gray(mask != NULL ? &r.mask : &r.trimap, fine ? &r.fine_mask : NULL, given, err));
    if (mask != NULL) {
        MB_TRY(mb_find_snap(&r.mask, &r.photo, &pipeline->options, err));
    }
    MB_TRY(finish(out, pipeline, &r, 0.0, err));
done:
    run_dispose(&r);
    return status;
}

mb_status mb_pipeline_refine(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, const mb_image *mask,
                             const mb_image *trimap, mb_error *err)
{
    mb_error local = {0};
    mb_status status = refine_once(out, pipeline, photo, mask, trimap, &local);
    if (status != MB_OK && leave_gpu(pipeline, status, &local)) {
        status = refine_once(out, pipeline, photo, mask, trimap, &local);
        if (status == MB_OK) {
            mb_edge_warn((*out)->warning, sizeof(*out)->warning, pipeline->left_gpu);
        }
    }
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", local.message);
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
    mb_result *result = NULL;
    MB_TRY(mb_find_model(path, sizeof path, model, err));
    MB_TRY(mb_context_create(&context, NULL, err));
    MB_TRY(mb_model_open(&m, context, path, err));
    MB_TRY(mb_image_load(&image, NULL, photo, NULL, err));
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
