/* Pipelines by model, and what their runs have taken. */
#include "lanes.h"

#include "../message.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PIPELINES_KEPT 2
#define MODELS_TIMED   32
#define DETAILS        6

typedef struct timed {
    char model[WORK_MODEL_BYTES];
    double ms;
} timed;

struct lanes {
    server *s;
    mb_context *context;
    served_models *models;
    pthread_mutex_t lock;
    timed network[MODELS_TIMED];
    double refine[DETAILS]; /* ms per megapixel; 0: not yet */
    double rest;
};

typedef struct slot {
    mb_pipeline *pipeline;
    char model[WORK_MODEL_BYTES], matting[WORK_MODEL_BYTES];
    unsigned long used;
} slot;

struct lane {
    lanes *l;
    slot slots[PIPELINES_KEPT];
    unsigned long clock;
};

int lanes_create(lanes **out, server *s)
{
    lanes *l = calloc(1, sizeof *l);
    *out = l;
    if (l == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    l->s = s;
    (void)pthread_mutex_init(&l->lock, NULL);
    int code = args_context(&l->context, s->a);
    if (code == CODE_OK && mb_context_device_note(l->context)[0] != '\0') {
        message_note("%s", mb_context_device_note(l->context));
    }
    return code == CODE_OK ? served_models_create(&l->models, s->a, l->context) : code;
}

void lanes_free(lanes *l)
{
    if (l != NULL) {
        served_models_free(l->models);
        mb_context_free(l->context);
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
    }
}

served_models *lanes_models(lanes *l)
{
    return l->models;
}

mb_context *lanes_context(lanes *l)
{
    return l->context;
}

lane *lane_create(lanes *l)
{
    lane *n = calloc(1, sizeof *n);
    if (n != NULL) {
        n->l = l;
    }
    return n;
}

void lane_free(lane *n)
{
    for (int i = 0; n != NULL && i < PIPELINES_KEPT; i++) {
        mb_pipeline_free(n->slots[i].pipeline);
    }
    free(n);
}

/* A pipeline that has more than is asked for will do; an empty slot is the next best, then the oldest. */
static slot *choose(lane *n, const char *model, const char *matting)
{
    slot *oldest = &n->slots[0];
    for (int i = 0; i < PIPELINES_KEPT; i++) {
        slot *t = &n->slots[i];
        if (t->pipeline != NULL && (model[0] == '\0' || strcmp(t->model, model) == 0) &&
            (matting[0] == '\0' || strcmp(t->matting, matting) == 0)) {
            return t;
        }
        oldest = t->used < oldest->used ? t : oldest;
    }
    for (int i = 0; i < PIPELINES_KEPT; i++) { /* the same model with other matting weights: made anew in its place */
        if (n->slots[i].pipeline != NULL && model[0] != '\0' && strcmp(n->slots[i].model, model) == 0) {
            return &n->slots[i];
        }
    }
    return oldest;
}

mb_status lane_pipeline(lane *n, mb_pipeline **out, const char *model, const char *matting, const mb_options *options,
                        mb_error *err)
{
    const mb_model *network = NULL, *weights = NULL;
    slot *t = choose(n, model, matting);
    *out = NULL;
    t->used = ++n->clock;
    int fits = t->pipeline != NULL && (model[0] == '\0' || strcmp(t->model, model) == 0) &&
               (matting[0] == '\0' || strcmp(t->matting, matting) == 0);
    if (fits) {
        mb_status status = mb_pipeline_set_options(t->pipeline, options, err);
        *out = status == MB_OK ? t->pipeline : NULL;
        return status;
    }
    mb_pipeline_free(t->pipeline);
    t->pipeline = NULL;
    t->model[0] = t->matting[0] = '\0';
    mb_status status = model[0] != '\0' ? served_models_open(n->l->models, &network, model, err) : MB_OK;
    if (status == MB_OK && matting[0] != '\0') {
        status = served_models_open(n->l->models, &weights, matting, err);
    }
    if (status == MB_OK) {
        status = mb_pipeline_create(&t->pipeline, n->l->context, network, weights, options, err);
    }
    if (status == MB_OK) {
        (void)snprintf(t->model, sizeof t->model, "%s", model);
        (void)snprintf(t->matting, sizeof t->matting, "%s", matting);
        *out = t->pipeline;
    }
    return status;
}

/* ---- times */

static void mix(double *old, double now)
{
    *old = *old > 0.0 ? 0.7 * *old + 0.3 * now : now;
}

static timed *timed_model(lanes *l, const char *model)
{
    for (int i = 0; i < MODELS_TIMED; i++) {
        if (l->network[i].model[0] == '\0' || strcmp(l->network[i].model, model) == 0) {
            return &l->network[i];
        }
    }
    return NULL;
}

void lanes_learn(lanes *l, const work *w)
{
    double megapixels = 1e-6 * (double)w->j.photo.width * (double)w->j.photo.height;
    if (megapixels <= 0.0) {
        return;
    }
    (void)pthread_mutex_lock(&l->lock);
    if (w->ms_network > 0.0 && !w->mask_was_kept && w->options.input_width == 0) {
        timed *t = timed_model(l, w->network);
        if (t != NULL) {
            (void)snprintf(t->model, sizeof t->model, "%s", w->network);
            mix(&t->ms, w->ms_network);
        }
    }
    int detail = w->options.process_detail ? (int)w->options.detail : 0;
    if (detail > 0 && detail < DETAILS && w->ms_refine > 0.0) {
        mix(&l->refine[detail], w->ms_refine / megapixels);
    }
    mix(&l->rest, (w->ms_decode + w->ms_compose + w->ms_encode) / megapixels);
    (void)pthread_mutex_unlock(&l->lock);
}

/* What one thread of an AVX-512 machine takes per megapixel, from docs/performance-log.md: until something has run. */
static const double typical_refine[DETAILS] = {0.0, 10.0, 40.0, 2000.0, 2000.0, 5000.0};
#define TYPICAL_REST 120.0

lane_costs lanes_costs(lanes *l, const char *model, int detail)
{
    lane_costs c = {0};
    (void)pthread_mutex_lock(&l->lock);
    const timed *t = timed_model(l, model);
    c.network_ms = t != NULL && t->model[0] != '\0' ? t->ms : 0.0;
    c.rest_ms = l->rest > 0.0 ? l->rest : TYPICAL_REST;
    if (detail > 0 && detail < DETAILS) {
        c.refine_is_measured = l->refine[detail] > 0.0;
        c.refine_ms = c.refine_is_measured ? l->refine[detail] : typical_refine[detail];
    }
    (void)pthread_mutex_unlock(&l->lock);
    return c;
}

static int ends(void *user, const mb_progress *progress)
{
    const server *s = user;
    (void)progress;
    return atomic_load(&s->draining);
}

/* A ramp: a picture of one colour would be refused before the network. What it gives is not looked at. */
void lane_warm(lane *n)
{
    served_choice choice;
    char list[8];
    mb_error err = {0};
    mb_options o;
    mb_image picture = {0};
    mb_pipeline *p = NULL;
    mb_result *result = NULL;
    (void)served_models_choose(n->l->models, &choice, NULL, list, sizeof list);
    mb_options_init(&o);
    if (choice.builtin_default && mb_options_preset(&o, "small", &err) != MB_OK) {
        return;
    }
    o.segment = choice.saliency ? MB_SEGMENT_SALIENCY : o.segment;
    if (mb_image_create(&picture, 96, 96, MB_PIXELS_RGB, MB_DEPTH_U8, &err) != MB_OK) {
        return;
    }
    unsigned char *v = picture.data;
    for (size_t i = 0; i < (size_t)96 * 96 * 3; i++) {
        v[i] = (unsigned char)(i % 251);
    }
    mb_status status = lane_pipeline(n, &p, choice.name, "", &o, &err);
    if (status == MB_OK) {
        mb_pipeline_set_progress(p, ends, n->l->s);
        status = mb_pipeline_run(&result, p, &picture, &err);
    }
    if (status == MB_OK) {
        double start = clock_ms();
        mb_result_free(result);
        result = NULL;
        if (choice.name[0] != '\0' && mb_pipeline_run(&result, p, &picture, &err) == MB_OK) { /* prepared now: timed */
            (void)pthread_mutex_lock(&n->l->lock);
            timed *t = timed_model(n->l, choice.name);
            if (t != NULL) {
                (void)snprintf(t->model, sizeof t->model, "%s", choice.name);
                t->ms = result->ms_network > 0.0 ? result->ms_network : clock_ms() - start;
            }
            (void)pthread_mutex_unlock(&n->l->lock);
        }
    } else if (status != MB_E_CANCELLED) {
        message_warning("the first run failed", err.message);
    }
    if (p != NULL) {
        mb_pipeline_set_progress(p, NULL, NULL);
    }
    mb_result_free(result);
    mb_image_dispose(&picture);
}
