/* One run: the mask by a network, from the client or kept from before; then strokes, matting, composition. */
#include "photos.h"
#include "stages.h"

#include <string.h>

static int on_progress(void *user, const mb_progress *p)
{
    work *w = user;
    atomic_store(&w->permille, (int)(1000.0 * p->done));
    atomic_store(&w->stage, p->stage);
    return work_stops(w);
}

/* Everything that a mask depends on. */
static void mask_key(char key[PHOTO_KEY_BYTES], const work *w)
{
    const mb_options *o = &w->options;
    (void)snprintf(key, PHOTO_KEY_BYTES, "%s %d %d %d %d %d %d %d", w->network, (int)o->recipe, o->input_width,
                   o->input_height, (int)o->segment, o->flip, o->grabcut, (int)o->input_alpha);
}

/* The mask alone, without what comes after it. */
static mb_status find_mask(lane *n, work *w, mb_error *err)
{
    mb_pipeline *p = NULL;
    mb_options o = w->options;
    mb_result *result = NULL;
    o.process_detail = 0;
    o.want_cutout = o.want_trimap = 0;
    o.min_area = o.largest = o.invert = o.crop = 0;
    o.feather = 0.0;
    o.depth = 8;
    o.background = MB_BACKGROUND_NONE;
    mb_status status = lane_pipeline(n, &p, w->model, w->matting, &o, err);
    if (status == MB_OK) {
        double start = clock_ms();
        mb_pipeline_set_progress(p, on_progress, w);
        status = mb_pipeline_run(&result, p, &w->j.photo, err);
        mb_pipeline_set_progress(p, NULL, NULL);
        w->ms_run += clock_ms() - start;
    }
    if (status == MB_OK) {
        char key[PHOTO_KEY_BYTES];
        w->ms_network += result->ms_network;
        w->mask = result->mask;
        result->mask = (mb_image){0};
        w->confidence = result->confidence;
        w->doubtful = result->doubtful;
        if (w->kept != NULL) {
            mask_key(key, w);
            photo_keep_mask(w->kept, &w->mask, key, result);
        }
    }
    mb_result_free(result);
    return status;
}

/* With strokes or rembg's rules the mask is needed before matting; with a kept photo the one of last time will do. */
static mb_status prepare_mask(lane *n, work *w, mb_error *err)
{
    int first = w->hints.data != NULL || w->rembg.on;
    mb_status status = MB_OK;
    if (w->kind != WORK_CUT || w->mask.data != NULL || w->trimap.data != NULL) {
        first = 0;
    } else if (w->kept != NULL && w->options.depth != 16 && w->j.photo.depth == MB_DEPTH_U8) {
        char key[PHOTO_KEY_BYTES];
        mask_key(key, w);
        int found = photo_mask(w->kept, &w->mask, key, &w->confidence, &w->doubtful);
        w->mask_was_kept = found > 0;
        if (found < 0) {
            return own_error(err, MB_E_MEMORY, "out of memory");
        }
        if (found > 0) {
            w->options.grabcut = 0; /* it is in the mask */
        }
        first = first && found == 0;
    }
    if (first) {
        status = find_mask(n, w, err);
        w->options.grabcut = 0;
    }
    double start = clock_ms();
    if (status == MB_OK && w->hints.data != NULL && w->mask.data != NULL) {
        mb_image drawn = {0};
        status = mb_mask_apply_strokes(&drawn, &w->mask, &w->j.photo, &w->hints, err);
        if (status == MB_OK) {
            mb_image_dispose(&w->mask);
            w->mask = drawn;
        }
    }
    if (status == MB_OK && w->rembg.smooth) {
        status = rembg_smooth(&w->mask, err);
    }
    if (status == MB_OK && w->rembg.matting) {
        status = rembg_trimap(&w->trimap, &w->mask, &w->rembg, err);
    }
    w->ms_run += clock_ms() - start;
    return status;
}

/* The run itself; the result is in w->j.result. */
static mb_status compute(lane *n, work *w, mb_error *err)
{
    mb_pipeline *p = NULL;
    mb_status status = lane_pipeline(n, &p, w->mask.data != NULL || w->trimap.data != NULL ? "" : w->model, w->matting,
                                     &w->options, err);
    if (status != MB_OK) {
        return status;
    }
    double start = clock_ms();
    status = fit_background(&w->j, &w->b, p, err);
    mb_pipeline_set_progress(p, on_progress, w);
    if (status == MB_OK && w->trimap.data != NULL) {
        status = mb_pipeline_refine(&w->j.result, p, &w->j.photo, NULL, &w->trimap, err);
    } else if (status == MB_OK && w->mask.data != NULL) {
        status = mb_pipeline_refine(&w->j.result, p, &w->j.photo, &w->mask, NULL, err);
    } else if (status == MB_OK) {
        status = mb_pipeline_run(&w->j.result, p, &w->j.photo, err);
        if (status == MB_OK) {
            w->confidence = w->j.result->confidence;
            w->doubtful = w->j.result->doubtful;
        }
        if (status == MB_OK && w->kept != NULL) {
            char key[PHOTO_KEY_BYTES];
            mask_key(key, w);
            photo_keep_mask(w->kept, &w->j.result->mask, key, w->j.result);
        }
    }
    mb_pipeline_set_progress(p, NULL, NULL);
    if (status == MB_OK) {
        status = finish_colours(&w->j, &w->b, err);
    }
    w->ms_run += clock_ms() - start;
    return status;
}

static void note_result(work *w)
{
    mb_result *r = w->j.result;
    char words[2 * sizeof r->warning];
    w->ms_network += r->ms_network;
    w->ms_refine = r->ms_refine;
    w->ms_compose = r->ms_compose;
    if (r->warning[0] != '\0') {
        add_warning(&w->j, option_words(words, sizeof words, r->warning, MB_OK));
    }
    if (w->doubtful && r->coverage >= 0.0005) {
        add_warning(&w->j, "doubtful, look at it");
    }
    if (r->coverage < 0.0005) {
        add_warning(&w->j, "no foreground found");
    }
}

void stage_run(lane *n, work *w)
{
    mb_error err = {0};
    if (work_stops(w)) {
        work_fail_stopped(w);
        return;
    }
    w->confidence = -1.0;
    mb_status status = prepare_mask(n, w, &err);
    if (status == MB_OK) {
        status = compute(n, w, &err);
    }
    if (status != MB_OK) {
        work_fail_with(w, status == MB_E_FORMAT ? 500 : 0, &err);
    } else {
        note_result(w);
    }
}
