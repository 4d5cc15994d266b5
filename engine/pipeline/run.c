/* A run: a photo to its alpha and cut-out. The order of the steps is here; each step is elsewhere: the mask in
 * segment_stage.c, its refinement in matte_stage.c, what the result shows in compose_stage.c. */
#include "core/alloc.h"
#include "core/clock.h"
#include "core/machine.h"
#include "image/convert.h"
#include "pipeline/compose_stage.h"
#include "pipeline/matte_stage.h"
#include "pipeline/given.h"
#include "pipeline/pipeline.h"
#include "pipeline/segment_stage.h"

#include <stdio.h>
#include <string.h>

/* Progress of a run, as shares of the bar: the times that the stages took in this pipeline's last run of the kind. Before
 * the first one, guesses for the built-in network:
 *
 *   without refinement    network and segment 0 .. 0.95, compose .. 1
 *   with refinement       network and segment 0 .. 0.8, refine .. 0.92 or 1, compose .. 1
 *   the caller's mask     segment 0 .. 0.3 with GrabCut, refine .. 0.72 or 1, compose .. 1
 *
 * (0.6 of what is left after the mask goes to refine where foreground colours are estimated, else all of it.) */
#define SEGMENT_SHARE       0.8
#define SEGMENT_SHARE_ALONE 0.95
#define GRABCUT_SHARE       0.3

/* ---- results */

/* Pictures that were not wanted are empty. */
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

/* Mean of alpha, and the smallest box around what is above 0. */
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

/* What is asked for: a photo, and where the mask comes from. Borrowed from the caller until the run is finished. */
typedef struct request {
    const mb_image *photo;
    const mb_image *mask, *trimap; /* the caller's own, at most one of them; both NULL: the mask is found */
} request;

/* A run in progress: pictures that become the result. */
typedef struct run {
    request request;
    mb_image_u8 photo, mask, trimap, alpha; /* RGB, then grey; mask or trimap may be {0} */
    mb_image_f32 mask_f32, alpha_f32;       /* with 16-bit results: before rounding to 8 bits */
    mb_image_u8 own;                        /* the photo's own alpha; {0}: opaque, or to be ignored */
    int depth;                              /* of the results: 8 or 16 */
    mb_mask_job job;
    double share;         /* of the progress: up to the mask */
    double refined;       /* of the progress: up to the end of refining */
    double ms;            /* up to the mask, so far */
    mb_run_memory memory; /* as planned */
    unsigned generation;  /* of the pipeline's networks */
    mb_result *result;
} run;

/* Leaves an empty run of the pipeline's networks as they are now, so that a second call does nothing. */
static void run_dispose(run *r, const mb_pipeline *p)
{
    if (r->generation == p->generation) { /* else the network is gone, and its slots with it */
        mb_mask_release(&r->job);
    }
    mb_image_u8_dispose(&r->photo);
    mb_image_u8_dispose(&r->mask);
    mb_image_u8_dispose(&r->trimap);
    mb_image_u8_dispose(&r->alpha);
    mb_image_u8_dispose(&r->own);
    mb_image_f32_dispose(&r->mask_f32);
    mb_image_f32_dispose(&r->alpha_f32);
    mb_result_free(r->result);
    *r = (run){.generation = p->generation};
}

/* Bytes left for a refinement: of the caller's limit, and of what is free now. 1 where nothing is left: 0 would mean
 * "not known". */
static size_t left_for_matting(const mb_pipeline *p, const run *r)
{
    const size_t limit = p->context->options.max_memory, held = r->memory.beside_refine, now = mb_machine_memory();
    if (limit == 0) {
        return now;
    }
    const size_t left = limit > held ? limit - held : 1;
    return now > 0 && now < left ? now : left;
}

/* mask or trimap -> alpha. */
static mb_status refine(const mb_task *task, mb_pipeline *p, run *r, mb_error *err)
{
    size_t available = left_for_matting(p, r);
    mb_task limited = *task;
    limited.memory_limit = available;
    bool found = r->mask.v != NULL;
    mb_matte_job job = {.photo = &r->photo,
                        .mask = found ? &r->mask : NULL,
                        .user_trimap = found ? NULL : &r->trimap,
                        .mask_f32 = r->mask_f32.v != NULL ? &r->mask_f32 : NULL,
                        .options = &p->options,
                        .solver_memory = available / 2 > MB_CLOSED_FORM_MEMORY ? available / 2 : 0,
                        .want_f32 = r->depth == 16};
    mb_status status = mb_matte_stage_run(&limited, &p->matte, &job, r->result->warning, err);
    if (status != MB_OK) {
        mb_matte_job_dispose(&job);
        return status;
    }
    const size_t peak = r->memory.beside_refine + job.scratch_bytes; /* of what only the mask could tell */
    r->result->peak_bytes = peak > r->result->peak_bytes ? peak : r->result->peak_bytes;
    r->alpha = job.alpha;
    r->alpha_f32 = job.alpha_f32;
    if (found) {
        r->trimap = job.trimap;
    } else {
        mb_image_u8_dispose(&job.trimap); /* a copy of the user's */
    }
    return MB_OK;
}

/* alpha -> cut-out and the pictures of the result, each cropped if that is wanted; mask and trimap move into the
 * result. */
static mb_status compose(const mb_task *task, mb_pipeline *p, run *r, mb_error *err)
{
    const mb_options *o = &p->options;
    mb_compose_stage stage = {.options = o,
                              .depth = r->depth,
                              .user_photo = r->request.photo,
                              .photo = &r->photo,
                              .own = r->own.v != NULL ? &r->own : NULL,
                              .alpha = &r->alpha,
                              .alpha_f32 = &r->alpha_f32};
    mb_result *result = r->result;
    mb_status status = MB_OK;
    int dropped;
    bool cropped = false;
    MB_TRY(mb_compose_stage_shape(task, &stage, &dropped, err));
    MB_TRY(mb_compose_stage_bound(&stage, err));
    measure(result, &r->alpha);
    if (o->want_cutout) {
        MB_TRY(mb_compose_stage_cutout(task, &result->cutout, &stage, err));
    }
    mb_image_take(&result->mask, &r->mask);
    if (o->want_trimap) {
        mb_plain_trimap(&r->trimap);
        mb_image_take(&result->trimap, &r->trimap);
    }
    /* Alpha in 8 bits moves into the result, or is replaced there by 16 bits; its pixels live on in either case. */
    mb_image_u8 gray = r->alpha; /* still needed to crop by */
    MB_TRY(mb_compose_stage_alpha(&result->alpha, &stage, err));
    result->crop_width = gray.width;
    result->crop_height = gray.height;
    if (o->crop) {
        stage.alpha = &gray;
        MB_TRY(mb_compose_stage_crop(&cropped, result, &stage, err));
        if (!cropped) {
            mb_add_warning(result->warning, "nothing to crop to: alpha is empty");
        }
    }
done:
    return status;
}

/* The request brings its own mask or trimap: no network is run. */
static bool has_mask(const request *q)
{
    return q->mask != NULL || q->trimap != NULL;
}

/* mask: the share up to the mask, as a guess. */
static void set_shares(run *r, const mb_pipeline *p, double mask)
{
    const struct mb_stage_times *t = &p->last_run[has_mask(&r->request)];
    const double all = t->mask + t->refine + t->compose;
    const bool estimates = p->options.want_cutout && p->options.foreground != MB_FOREGROUND_NONE;
    r->share = mask;
    r->refined = mask + (estimates ? 0.6 : 1.0) * (1.0 - mask);
    if (all > 0) {
        r->share = t->mask / all;
        r->refined = (t->mask + t->refine) / all;
    }
}

static void remember_times(mb_pipeline *p, const run *r)
{
    p->last_run[has_mask(&r->request)] = (struct mb_stage_times){r->ms, r->result->ms_refine, r->result->ms_compose};
}

/* mask or trimap -> alpha, cut-out, result. first: share of the progress that is done. On success *out takes the
 * result. */
static mb_status finish(const mb_task *task, mb_result **out, mb_pipeline *p, run *r, double first, mb_error *err)
{
    mb_status status = MB_OK;
    const double refined = r->refined;
    double start = mb_clock_ms();
    const mb_task refining = mb_progress_stage(task, "refine", first, refined - first);
    MB_TRY(refine(&refining, p, r, err));
    r->result->ms_refine = mb_clock_ms() - start;
    start = mb_clock_ms();
    const mb_task composing = mb_progress_stage(task, "compose", refined, 1.0 - refined);
    MB_TRY(compose(&composing, p, r, err));
    r->result->ms_compose = mb_clock_ms() - start;
    (void)mb_progress_stage(task, "compose", 1.0, 0.0);
    MB_TRY(mb_task_check(task, err));
    remember_times(p, r);
    *out = r->result;
    r->result = NULL;
done:
    return mb_task_result(task, status, err);
}

/* ---- the steps of a run */

/* The photo in RGB, an empty result, and the check of memory. */
static mb_status begin(run *r, mb_pipeline *p, mb_error *err)
{
    const mb_image *photo = r->request.photo;
    mb_status status = MB_OK;
    const mb_image *given = r->request.mask != NULL ? r->request.mask : r->request.trimap;
    MB_TRY(mb_image_check(photo, err));
    MB_TRY(mb_pipeline_check_memory(&r->memory, p, photo, given, err));
    r->depth = mb_compose_stage_depth(&p->options, photo);
    bool keeps = p->options.input_alpha == MB_INPUT_ALPHA_KEEP;
    MB_TRY(mb_image_u8_from_image(&r->photo, keeps ? &r->own : NULL, photo, err));
    mb_hide_transparent(&r->photo, &r->own);
    r->result = mb_calloc(1, sizeof *r->result);
    if (r->result == NULL) {
        status = mb_fail_memory(err, sizeof *r->result, "the result");
        goto done;
    }
    if (r->own.v != NULL) {
        mb_add_warning(r->result->warning,
                       "the photo's own transparency was kept (input_alpha=ignore looks beneath it)");
    }
    r->result->confidence = -1.0;
    r->result->peak_bytes = r->memory.total;
    p->held_bytes = r->memory.total;
done:
    return status;
}

/* The caller's own mask or trimap in place of the network's. */
static mb_status begin_with_mask(run *r, mb_pipeline *p, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_image *photo = r->request.photo, *mask = r->request.mask;
    const mb_image *source = mask != NULL ? mask : r->request.trimap;
    MB_TRY(mb_image_check(source, err));
    if (source->width != photo->width || source->height != photo->height) {
        status = mb_fail(err, MB_E_ARGUMENT, "the photo is %d x %d, its %s %d x %d: they must be of one size",
                         photo->width, photo->height, mask != NULL ? "mask" : "trimap", source->width, source->height);
        goto done;
    }
    MB_TRY(begin(r, p, err));
    set_shares(r, p, mask != NULL && p->options.grabcut ? GRABCUT_SHARE : 0.0);
    bool keeps_f32 = r->depth == 16 && !p->options.grabcut; /* grabcut starts from 8 bits, and ends there */
    MB_TRY(mb_gray_from_image(mask != NULL ? &r->mask : &r->trimap, keeps_f32 ? &r->mask_f32 : NULL, source, err));
    if (mask == NULL) {
        mb_part_trimap(&r->trimap, &r->mask_f32, &p->options);
    }
done:
    return status;
}

/* The mask network's work: on a device all of it is queued, elsewhere none is done yet. */
static mb_status begin_network(run *r, mb_pipeline *p, mb_error *err)
{
    const mb_options *o = &p->options;
    double start = mb_clock_ms();
    mb_progress_relay relay;
    const mb_task whole = mb_progress_begin(&relay, p->on_progress, p->user, p->pool);
    const mb_task task = mb_progress_stage(&whole, "network", 0.0, r->share * mb_segment_network_share(o));
    bool keeps_f32 = r->depth == 16 && mb_segment_keeps_f32(o);
    mb_mask_spec spec = {.recipe = mb_recipe_for(p->model, o->recipe),
                         .width = mb_pipeline_input_width(p),
                         .height = mb_pipeline_input_height(p),
                         .flip = o->flip,
                         .mask_f32 = keeps_f32 ? &r->mask_f32 : NULL};
    mb_status status = mb_mask_begin(&task, &r->job, p->network, &r->photo, &spec, err);
    r->ms = mb_clock_ms() - start;
    return status;
}

/* Everything up to the network. */
static mb_status run_begin(run *r, mb_pipeline *p, const request *q, mb_error *err)
{
    const mb_options *o = &p->options;
    *r = (run){.request = *q, .generation = p->generation};
    if (has_mask(q)) {
        return begin_with_mask(r, p, err);
    }
    bool with_network = o->segment != MB_SEGMENT_SALIENCY;
    if (with_network && p->network == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "this pipeline was created without a model that finds masks");
    }
    set_shares(r, p, mb_matte_stage_needed(o) ? SEGMENT_SHARE : SEGMENT_SHARE_ALONE);
    mb_status status = begin(r, p, err);
    return status == MB_OK && with_network ? begin_network(r, p, err) : status;
}

/* The mask where the caller has none, and everything after it. */
static mb_status run_complete(mb_result **out, run *r, mb_pipeline *p, mb_error *err)
{
    mb_status status = MB_OK;
    mb_progress_relay relay;
    const mb_task task = mb_progress_begin(&relay, p->on_progress, p->user, p->pool);
    const mb_task segmenting = mb_task_part(&task, 0.0, r->share);
    if (!has_mask(&r->request)) {
        double start = mb_clock_ms();
        MB_TRY(mb_segment_mask(&segmenting, &r->mask, &r->job, &r->photo, &p->options, err));
        r->ms += mb_clock_ms() - start;
        r->result->ms_network = r->ms;
        mb_add_warning(r->result->warning, r->job.warning);
        r->result->confidence = r->job.confidence.value;
        r->result->doubtful = r->job.confidence.value < r->job.confidence.limit;
        (void)snprintf(r->result->confidence_basis, sizeof r->result->confidence_basis, "%s", r->job.confidence.basis);
    } else if (r->request.mask != NULL) {
        const double start = mb_clock_ms();
        MB_TRY(mb_segment_grabcut(&segmenting, &r->mask, &r->photo, &p->options, err));
        r->ms = mb_clock_ms() - start;
    }
    MB_TRY(finish(&task, out, p, r, r->share, err));
done:
    return mb_task_result(&task, status, err);
}

/* ---- one picture, or several in flight */

/* A picture between start and finish.
 *
 *   WAITING   nothing is done yet: elsewhere than on a device nothing could overlap
 *   STARTED   run_begin succeeded: on a device the network's work is queued
 *   FAILED    run_begin failed: err says why
 *
 * A STARTED or FAILED picture is lost when the networks it began with are gone, because another picture has moved the
 * pipeline to the CPU in the meantime (its generation is not the pipeline's any more).
 *
 * Errors are returned by finish. It runs a picture once more, on the CPU, in two cases: the picture is lost; or it
 * failed on the GPU and the context's device is `auto` (then the pipeline moves to the CPU for good first). */
typedef enum pending_state { WAITING, STARTED, FAILED } pending_state;

struct mb_pending {
    mb_pipeline *pipeline;
    request request;
    pending_state state;
    run run;
    mb_error err; /* of FAILED */
};

/* WAITING -> STARTED or FAILED. */
static void pending_begin(mb_pending *x)
{
    x->state = run_begin(&x->run, x->pipeline, &x->request, &x->err) == MB_OK ? STARTED : FAILED;
}

/* Where pictures can overlap (on a device) the work begins now, else in finish: then nothing is held in between. */
static void pending_init(mb_pending *x, mb_pipeline *p, request q)
{
    *x = (mb_pending){.pipeline = p, .request = q, .state = WAITING, .run.generation = p->generation};
    p->n_pending++;
    if (mb_image_io_wanted(p->backend.image_io)) {
        pending_begin(x);
    }
}

/* The networks that it began with are gone. */
static bool is_lost(const mb_pending *x)
{
    return x->state != WAITING && x->run.generation != x->pipeline->generation;
}

static void pending_dispose(mb_pending *x)
{
    run_dispose(&x->run, x->pipeline);
    x->pipeline->n_pending--;
}

/* With device auto, a GPU that fails or has not enough memory is left for good: by this picture and all that follow.
 * False: the error stands. The reason becomes a warning of the result. */
static bool leave_gpu(mb_pipeline *p, mb_status status, const mb_error *err)
{
    const char *said = strstr(err->message, "CUDA:");
    bool may = p->context->options.device == MB_DEVICE_AUTO && p->backend.memory != NULL;
    if (!may || (status != MB_E_DEVICE && status != MB_E_MEMORY) || said == NULL) {
        return false;
    }
    (void)snprintf(p->left_gpu, sizeof p->left_gpu, "%.*s; using the CPU", (int)strcspn(said, "\n"), said);
    mb_error ignored = {0};
    return mb_pipeline_move_to_cpu(p, &ignored) == MB_OK;
}

/* The rest of the picture's run, in the state that it is in. */
static mb_status pending_complete(mb_result **out, mb_pending *x)
{
    if (x->state == WAITING) {
        pending_begin(x);
    }
    return x->state == STARTED ? run_complete(out, &x->run, x->pipeline, &x->err) : x->err.code;
}

/* The one place where a picture is run again. It frees what the picture holds, not x itself. */
static mb_status pending_finish(mb_result **out, mb_pending *x, mb_error *err)
{
    mb_pipeline *p = x->pipeline;
    mb_status status = MB_OK;
    /* Lost: the pipeline has left the GPU already, and leave_gpu would not be asked. */
    bool again = is_lost(x);
    *out = NULL;
    if (!again) {
        status = pending_complete(out, x);
        again = status != MB_OK && leave_gpu(p, status, &x->err);
    }
    if (again) {
        run_dispose(&x->run, p);
        x->err = (mb_error){0};
        x->state = WAITING;
        status = pending_complete(out, x);
        if (status == MB_OK) {
            mb_add_warning((*out)->warning, p->left_gpu);
        }
    }
    pending_dispose(x);
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", x->err.message);
}

/* Start and finish at once. */
static mb_status run_now(mb_result **out, mb_pipeline *p, request q, mb_error *err)
{
    mb_pending x;
    pending_init(&x, p, q);
    return pending_finish(out, &x, err);
}

mb_status mb_pipeline_run(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    return run_now(out, pipeline, (request){.photo = photo}, err);
}

/* A run whose mask or trimap is the caller's; what it has beyond 8 bits is kept where nothing needs it in 8. */
mb_status mb_pipeline_refine(mb_result **out, mb_pipeline *pipeline, const mb_image *photo, const mb_image *mask,
                             const mb_image *trimap, mb_error *err)
{
    *out = NULL;
    if ((mask == NULL) == (trimap == NULL)) {
        return mb_fail(err, MB_E_ARGUMENT, "got %s: pass either a mask or a trimap",
                       mask == NULL ? "neither a mask nor a trimap" : "both a mask and a trimap");
    }
    return run_now(out, pipeline, (request){photo, mask, trimap}, err);
}

/* Errors of the picture itself are kept for finish, so that a caller has one place to handle them. */
mb_status mb_pipeline_start(mb_pending **out, mb_pipeline *pipeline, const mb_image *photo, mb_error *err)
{
    *out = mb_calloc(1, sizeof **out);
    if (*out == NULL) {
        return mb_fail_memory(err, sizeof **out, "a picture in flight");
    }
    pending_init(*out, pipeline, (request){.photo = photo});
    return MB_OK;
}

mb_status mb_pipeline_finish(mb_result **out, mb_pending *pending, mb_error *err)
{
    mb_status status = pending_finish(out, pending, err);
    mb_free(pending);
    return status;
}

/* For a picture that nobody wants any more: its queued work is left to end by itself. */
void mb_pending_free(mb_pending *pending)
{
    if (pending != NULL) {
        pending_dispose(pending);
        mb_free(pending);
    }
}
