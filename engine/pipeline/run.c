/* A run: a photo to its alpha and cut-out. The order of the steps is here; each step is elsewhere: the mask in find.c,
 * the edge in edge.c, what the result shows in look.c. */
#include "core/alloc.h"
#include "image/convert.h"
#include "pipeline/matte_stage.h"
#include "pipeline/segment_stage.h"
#include "pipeline/compose_stage.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

/* The mask network's share of the progress bar when a refinement follows. */
#define NETWORK_SHARE 0.8

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
static void measure(mb_result *r, const mb_image_u8 *alpha)
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
    mb_image_u8 photo, mask, trimap, alpha;
    mb_image_u8 own;              /* the photo's own alpha; v NULL: opaque, or of no interest */
    mb_image_f32 fine_mask, fine; /* with 16-bit results */
    const mb_image *given;        /* the caller's photo */
    int depth;
    mb_mask_job job;
    double share;        /* of the progress bar: up to the mask */
    double ms;           /* of the network's part so far */
    unsigned generation; /* of the pipeline's networks */
    mb_result *result;
} run;

static void run_dispose(run *r, const mb_pipeline *p)
{
    if (r->generation == p->generation) { /* else the network is gone, and its slots with it */
        mb_mask_drop(&r->job);
    }
    mb_image_u8_dispose(&r->photo);
    mb_image_u8_dispose(&r->mask);
    mb_image_u8_dispose(&r->trimap);
    mb_image_u8_dispose(&r->alpha);
    mb_image_u8_dispose(&r->own);
    mb_image_f32_dispose(&r->fine_mask);
    mb_image_f32_dispose(&r->fine);
    mb_result_free(r->result);
    *r = (run){.generation = p->generation};
}

/* Bytes left for a refinement, while photo, mask and the mask network are held. */
static size_t left_for_edge(const mb_pipeline *p, const run *r)
{
    size_t limit = mb_memory_limit(p->context), held;
    if (p->context->options.max_memory == 0) {
        return limit; /* what is free now */
    }
    held = (size_t)r->photo.width * (size_t)r->photo.height * 9 + p->stats.arena_bytes + p->stats.weight_bytes;
    return limit > held ? limit - held : 1;
}

static mb_status refine(mb_pipeline *p, run *r, mb_watch *watch, mb_error *err)
{
    mb_matte_stage_job job = {.photo = &r->photo,
                              .mask = r->mask.v != NULL ? &r->mask : NULL,
                              .trimap = &r->trimap,
                              .alpha = &r->alpha,
                              .fine_mask = r->fine_mask.v != NULL ? &r->fine_mask : NULL,
                              .fine = r->depth == 16 ? &r->fine : NULL,
                              .warning = r->result->warning,
                              .warning_bytes = sizeof r->result->warning,
                              .available = left_for_edge(p, r),
                              .watch = watch};
    return mb_matte_stage_run(&p->edge, &job, &p->options, err);
}

/* Everything that the result shows, from alpha. */
static mb_status compose(mb_pipeline *p, run *r, mb_watch *watch, mb_error *err)
{
    const mb_options *o = &p->options;
    mb_compose_stage look = {.options = o,
                             .pool = p->pool,
                             .watch = watch,
                             .depth = r->depth,
                             .given = r->given,
                             .photo = &r->photo,
                             .own = r->own.v != NULL ? &r->own : NULL,
                             .alpha = &r->alpha,
                             .fine = &r->fine};
    mb_result *result = r->result;
    mb_status status = MB_OK;
    int dropped;
    bool cropped = false;
    MB_TRY(mb_compose_stage_shape(&look, &dropped, err));
    MB_TRY(mb_compose_stage_bound(&look, err));
    measure(result, &r->alpha);
    if (o->want_cutout) {
        MB_TRY(mb_compose_stage_cutout(&result->cutout, &look, err));
    }
    mb_image_take(&result->mask, &r->mask);
    if (o->want_trimap) {
        mb_image_take(&result->trimap, &r->trimap);
    }
    mb_image_u8 gray = r->alpha; /* still needed to crop by */
    MB_TRY(mb_compose_stage_alpha(&result->alpha, &look, err));
    result->crop_width = gray.width;
    result->crop_height = gray.height;
    if (o->crop) {
        look.alpha = &gray;
        MB_TRY(mb_compose_stage_crop(&cropped, result, &look, err));
        if (!cropped) {
            mb_add_warning(result->warning, sizeof result->warning, "nothing to crop to: alpha is empty");
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

/* The photo as it is seen, over white, or over black where what is visible is nearly white: whatever looks for a
 * subject must not find what nobody can see. An alpha that is opaque throughout is dropped. */
static void hide_transparent(mb_image_u8 *photo, mb_image_u8 *own)
{
    const size_t n = own->v != NULL ? (size_t)photo->width * (size_t)photo->height : 0;
    uint64_t visible = 0, light = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = photo->v + 3 * i;
        visible += own->v[i];
        light += (uint64_t)own->v[i] * mb_luma8(p[0], p[1], p[2]);
    }
    if (visible == (uint64_t)n * 255) {
        mb_image_u8_dispose(own);
        return;
    }
    const unsigned behind = light > 170 * visible ? 0 : 255;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 3; c++) {
            const unsigned v = photo->v[3 * i + c], a = own->v[i];
            photo->v[3 * i + c] = (uint8_t)((v * a + behind * (255 - a) + 127) / 255);
        }
    }
}

static mb_status begin(run *r, mb_pipeline *p, const mb_image *photo, mb_error *err)
{
    mb_status status = mb_image_check(photo, err);
    size_t total = 0;
    if (status == MB_OK) {
        status = mb_pipeline_check_memory(&total, p, photo, err);
    }
    r->given = photo;
    r->depth = mb_compose_stage_depth(&p->options, photo);
    if (status == MB_OK) {
        status = mb_image_u8_from_image(&r->photo, p->options.input_alpha == MB_INPUT_ALPHA_KEEP ? &r->own : NULL,
                                        photo, err);
        hide_transparent(&r->photo, &r->own);
    }
    if (status == MB_OK) {
        r->result = mb_calloc(1, sizeof *r->result);
        if (r->result == NULL) {
            return mb_fail_memory(err, sizeof *r->result, "the result");
        }
        if (r->own.v != NULL) {
            mb_add_warning(r->result->warning, sizeof r->result->warning,
                           "the photo's own transparency was kept (--input-alpha ignore: looks beneath it)");
        }
        r->result->peak_bytes = total;
        p->held_bytes = total;
    }
    return status;
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
    if (mb_backend_cpu(&cpu, &again) != MB_OK || mb_pipeline_remake(p, &cpu, &again) != MB_OK) {
        return false;
    }
    *err = (mb_error){0};
    return true;
}

/* Everything up to the network: on a device all of its work is queued, elsewhere none is done yet. */
static mb_status run_begin(run *r, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_options *o = &pipeline->options;
    *r = (run){.generation = pipeline->generation};
    bool with_network = o->segment != MB_SEGMENT_SALIENCY, alone = !mb_matte_stage_needed(o);
    if (with_network && pipeline->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "this pipeline was created without a model that finds masks");
    }
    MB_TRY(begin(r, pipeline, photo, err));
    double start = mb_now_ms();
    r->share = alone ? 0.95 : NETWORK_SHARE;
    if (with_network) {
        /* What moves the mask by colours starts from 8 bits, and ends there. */
        bool fine = r->depth == 16 && o->segment == MB_SEGMENT_NETWORK && !o->grabcut;
        mb_mask_spec spec = {.recipe = mb_recipe_for(pipeline->model, o->recipe),
                             .width = mb_pipeline_input_width(pipeline),
                             .height = mb_pipeline_input_height(pipeline),
                             .flip = o->flip,
                             .share = r->share,
                             .fine = fine ? &r->fine_mask : NULL};
        MB_TRY(mb_mask_begin(&r->job, pipeline->network, &r->photo, &spec, err));
    }
    r->ms = mb_now_ms() - start;
done:
    return status;
}

static mb_status run_complete(mb_result **out, run *r, mb_pipeline *pipeline, mb_error *err)
{
    mb_status status = MB_OK;
    double start = mb_now_ms();
    MB_TRY(mb_segment_mask(&r->mask, &r->job, &r->photo, &pipeline->options, err));
    r->result->ms_network = r->ms + mb_now_ms() - start;
    mb_add_warning(r->result->warning, sizeof r->result->warning, r->job.warning);
    MB_TRY(finish(out, pipeline, r, r->share, err));
done:
    return status;
}

/* ---- one picture, or several under way */

struct mb_pending {
    mb_pipeline *pipeline;
    const mb_image *photo;
    run r;
    bool begun;
    mb_status status; /* of what has begun */
    mb_error err;
};

static void pending_begin(mb_pending *x, mb_pipeline *p, const mb_image *photo)
{
    *x = (mb_pending){.pipeline = p, .photo = photo};
    p->n_pending++;
    if (mb_image_io_wanted(p->backend.image_io)) { /* elsewhere nothing can overlap */
        x->begun = true;
        x->status = run_begin(&x->r, p, photo, &x->err);
    }
}

static mb_status pending_complete(mb_result **out, mb_pending *x)
{
    mb_pipeline *p = x->pipeline;
    bool lost = x->begun && x->r.generation != p->generation; /* another picture has left the device meanwhile */
    if (lost) {
        return mb_fail(&x->err, MB_E_DEVICE, "%s", p->left_gpu);
    }
    if (!x->begun) {
        x->status = run_begin(&x->r, p, x->photo, &x->err);
    }
    if (x->status == MB_OK) {
        x->status = run_complete(out, &x->r, p, &x->err);
    }
    return x->status;
}

static void pending_end(mb_pending *x)
{
    run_dispose(&x->r, x->pipeline);
    x->pipeline->n_pending--;
}

static mb_status pending_finish(mb_result **out, mb_pending *x, mb_error *err)
{
    mb_pipeline *p = x->pipeline;
    *out = NULL;
    mb_status status = pending_complete(out, x);
    bool lost = x->begun && x->r.generation != p->generation;
    run_dispose(&x->r, p);
    if (status != MB_OK && (lost || leave_gpu(p, status, &x->err))) {
        x->err = (mb_error){0};
        status = run_begin(&x->r, p, x->photo, &x->err);
        if (status == MB_OK) {
            status = run_complete(out, &x->r, p, &x->err);
        }
        if (status == MB_OK) {
            mb_add_warning((*out)->warning, sizeof(*out)->warning, p->left_gpu);
        }
    }
    pending_end(x);
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", x->err.message);
}

mb_status mb_pipeline_run(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    mb_pending x;
    pending_begin(&x, pipeline, photo);
    return pending_finish(out, &x, err);
}

mb_status mb_pipeline_start(mb_pending **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    *out = mb_calloc(1, sizeof **out);
    if (*out == NULL) {
        return mb_fail_memory(err, sizeof **out, "a picture under way");
    }
    pending_begin(*out, pipeline, photo);
    return MB_OK;
}

mb_status mb_pipeline_finish(mb_result **out, mb_pending *pending, mb_error *err)
{
    mb_status status = pending_finish(out, pending, err);
    mb_free(pending);
    return status;
}

void mb_pending_free(mb_pending *pending)
{
    if (pending != NULL) {
        pending_end(pending);
        mb_free(pending);
    }
}

/* ---- a mask from elsewhere */

/* What a given trimap says for sure becomes 0 and 255; between the thresholds it stays as it is. */
static void part_trimap(mb_image_u8 *trimap, mb_image_f32 *fine, const mb_options *o)
{
    const size_t n = (size_t)trimap->width * (size_t)trimap->height;
    for (size_t i = 0; i < n; i++) {
        uint8_t *v = trimap->v + i;
        const bool background = *v <= o->trimap_low, foreground = *v >= o->trimap_high;
        *v = background ? 0 : foreground ? 255 : *v;
        if (fine->v != NULL && (background || foreground)) {
            fine->v[i] = foreground ? 1.0f : 0.0f;
        }
    }
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
    bool fine = r.depth == 16 && !pipeline->options.grabcut;
    MB_TRY(mb_gray_from_image(mask != NULL ? &r.mask : &r.trimap, fine ? &r.fine_mask : NULL, given, err));
    if (trimap != NULL) {
        part_trimap(&r.trimap, &r.fine_mask, &pipeline->options);
    } else {
        MB_TRY(mb_segment_grabcut(&r.mask, &r.photo, &pipeline->options, err));
    }
    MB_TRY(finish(out, pipeline, &r, 0.0, err));
done:
    run_dispose(&r, pipeline);
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
            mb_add_warning((*out)->warning, sizeof(*out)->warning, pipeline->left_gpu);
        }
    }
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", local.message);
}
