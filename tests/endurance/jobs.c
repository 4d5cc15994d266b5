#include "jobs.h"

#include "../harness/image_hash.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 72
#define H 56

typedef struct stored {
    unsigned char *v;
    size_t n;
} stored;

struct shared {
    mb_context *context, *threaded; /* one thread a pipeline, and three */
    mb_model *model;
    unsigned char rgb[H][W][3], mask[H][W], trimap[H][W], strokes[H][W][4];
    unsigned short deep[H][W][3];
    stored *files;
    int n_files;
};

/* ---- hashes */

static uint64_t mix_result(uint64_t h, const mb_result *r)
{
    return hash_mix(hash_mix(hash_result(h, r), &r->box_x, 4 * sizeof r->box_x), &r->coverage, sizeof r->coverage);
}

static uint64_t mix_status(uint64_t h, mb_status status)
{
    const int number = (int)status;
    return hash_mix(h, &number, sizeof number);
}

/* ---- pictures */

static mb_image photo_of(const shared *s)
{
    return (mb_image){
        .data = (void *)(uintptr_t)s->rgb, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
}

static mb_image grey_of(const unsigned char v[H][W])
{
    return (mb_image){
        .data = (void *)(uintptr_t)v, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
}

static mb_image deep_of(const shared *s)
{
    return (mb_image){
        .data = (void *)(uintptr_t)s->deep, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16};
}

/* A soft disc over a noisy slope. */
static void draw(shared *s)
{
    unsigned noise = 1;
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            double in = (19 - hypot(x - 34, y - 29)) / 6 + 0.5;
            in = in < 0 ? 0 : in > 1 ? 1 : in;
            s->mask[y][x] = (unsigned char)(in * 255);
            s->trimap[y][x] = (unsigned char)(in <= 0 ? 0 : in >= 1 ? 255 : 128);
            memset(s->strokes[y][x], 0, 4);
            if (x > 30 && x < 36) {
                memset(s->strokes[y][x], y > 10 && y < 45 ? 255 : 0, 4);
                s->strokes[y][x][3] = 255;
            }
            for (int c = 0; c < 3; c++) {
                noise = noise * 1103515245u + 12345u;
                const double v = in * (c == 0 ? 210 : 60 + y) + (1 - in) * (40 + 30 * c + x) + (noise >> 16 & 15);
                s->rgb[y][x][c] = (unsigned char)v;
                s->deep[y][x][c] = (unsigned short)(v * 257 + (noise >> 20 & 63));
            }
        }
    }
}

/* ---- jobs. Each makes and frees all that it uses: what leaks shows as growth. */

typedef void (*change)(mb_options *o);

static void plain(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
}
static void guided(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->foreground = MB_FOREGROUND_BLURFUSION;
    o->depth = 16;
}
static void closed_form(mb_options *o)
{
    o->detail = MB_DETAIL_PYMATTING;
    o->foreground = MB_FOREGROUND_ML;
    o->background = MB_BACKGROUND_BLUR;
    o->want_trimap = 1;
}
static void grabcut(mb_options *o)
{
    o->grabcut = 1;
    o->crop = 1;
    o->feather = 1.5;
    o->min_area = 9;
}
static void saliency(mb_options *o)
{
    o->segment = MB_SEGMENT_SALIENCY;
    o->largest = 1;
}
static void both(mb_options *o)
{
    o->segment = MB_SEGMENT_BOTH;
    o->background = MB_BACKGROUND_COLOUR;
    memset(o->background_colour, 200, 4);
}

static mb_options options_of(change set)
{
    mb_options o;
    mb_options_init(&o);
    o.input_width = o.input_height = 64;
    set(&o);
    return o;
}

static uint64_t run_network(mb_context *context, const mb_model *model, const mb_image *photo, change set)
{
    const mb_options o = options_of(set);
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    uint64_t h = 1;
    mb_status status = mb_pipeline_create(&p, context, model, NULL, &o, NULL);
    for (int i = 0; status == MB_OK && i < 2; i++) { /* the second one finds everything prepared */
        status = mb_pipeline_run(&r, p, photo, NULL);
        h = status == MB_OK ? mix_result(h, r) : h;
        mb_result_free(r);
        r = NULL;
    }
    mb_pipeline_free(p);
    return mix_status(h, status);
}

static uint64_t cut_none(const shared *s)
{
    const mb_image photo = photo_of(s);
    return run_network(s->context, s->model, &photo, plain);
}
static uint64_t cut_guided(const shared *s)
{
    const mb_image photo = deep_of(s);
    return run_network(s->threaded, s->model, &photo, guided);
}
static uint64_t cut_closed_form(const shared *s)
{
    const mb_image photo = photo_of(s);
    return run_network(s->threaded, s->model, &photo, closed_form);
}
static uint64_t cut_saliency(const shared *s)
{
    const mb_image photo = photo_of(s);
    return run_network(s->context, NULL, &photo, saliency);
}
static uint64_t cut_both(const shared *s)
{
    const mb_image photo = photo_of(s);
    return run_network(s->context, s->model, &photo, both);
}

static uint64_t refine(mb_context *context, const mb_image *photo, const mb_image *mask, const mb_image *trimap,
                       change set)
{
    const mb_options o = options_of(set);
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_status status = mb_pipeline_create(&p, context, NULL, NULL, &o, NULL);
    if (status == MB_OK) {
        status = mb_pipeline_refine(&r, p, photo, mask, trimap, NULL);
    }
    const uint64_t h = status == MB_OK ? mix_result(2, r) : 2;
    mb_result_free(r);
    mb_pipeline_free(p);
    return mix_status(h, status);
}

static uint64_t refine_guided(const shared *s)
{
    const mb_image photo = deep_of(s), mask = grey_of(s->mask);
    return refine(s->context, &photo, &mask, NULL, guided);
}
static uint64_t refine_trimap(const shared *s)
{
    const mb_image photo = photo_of(s), trimap = grey_of(s->trimap);
    return refine(s->threaded, &photo, NULL, &trimap, closed_form);
}
static uint64_t refine_grabcut(const shared *s)
{
    const mb_image photo = photo_of(s), mask = grey_of(s->mask);
    return refine(s->context, &photo, &mask, NULL, grabcut);
}
static uint64_t refine_wrong(const shared *s) /* an error: both given */
{
    const mb_image photo = photo_of(s), mask = grey_of(s->mask);
    return refine(s->context, &photo, &mask, &mask, plain);
}

static uint64_t pending(const shared *s)
{
    const mb_options o = options_of(plain);
    const mb_image photo = photo_of(s), other = deep_of(s);
    mb_pipeline *p = NULL;
    mb_pending *a = NULL, *b = NULL;
    mb_result *r = NULL;
    uint64_t h = 3;
    mb_status status = mb_pipeline_create(&p, s->context, s->model, NULL, &o, NULL);
    if (status == MB_OK) {
        status = mb_pipeline_start(&a, p, &photo, NULL);
    }
    if (status == MB_OK) {
        status = mb_pipeline_start(&b, p, &other, NULL);
    }
    if (status == MB_OK) {
        status = mb_pipeline_finish(&r, a, NULL);
        a = NULL;
        h = status == MB_OK ? mix_result(h, r) : h;
        mb_result_free(r);
    }
    mb_pending_free(a);
    mb_pending_free(b); /* started and dropped */
    mb_pipeline_free(p);
    return mix_status(h, status);
}

static int stops(void *user, const mb_progress *progress)
{
    (void)progress;
    int *left = user;
    return (*left)-- <= 0;
}

/* Cancelled at the third call, then run to its end. */
static uint64_t cancelled(const shared *s)
{
    const mb_options o = options_of(closed_form);
    const mb_image photo = photo_of(s);
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    uint64_t h = 4;
    int left = 3;
    mb_status status = mb_pipeline_create(&p, s->context, s->model, NULL, &o, NULL);
    if (status == MB_OK) {
        mb_pipeline_set_progress(p, stops, &left);
        const mb_status first = mb_pipeline_run(&r, p, &photo, NULL);
        h = mix_status(h, first);
        mb_result_free(r);
        r = NULL;
        mb_pipeline_set_progress(p, NULL, NULL);
        status = mb_pipeline_run(&r, p, &photo, NULL);
        h = status == MB_OK ? mix_result(h, r) : h;
    }
    mb_result_free(r);
    mb_pipeline_free(p);
    return mix_status(h, status);
}

static uint64_t encode(const shared *s)
{
    static const mb_format formats[] = {MB_FORMAT_PNG, MB_FORMAT_JPEG, MB_FORMAT_WEBP};
    uint64_t h = 5;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const mb_image photo = i == 0 ? deep_of(s) : photo_of(s);
        mb_save_options save;
        void *bytes = NULL;
        size_t n = 0;
        mb_image back = {0};
        mb_save_options_init(&save);
        save.format = formats[i];
        save.threads = 2;
        mb_status status = mb_image_encode(&bytes, &n, &photo, &save, NULL);
        h = mix_status(hash_mix(h, bytes, n), status);
        if (status == MB_OK) {
            status = mb_image_load_memory(&back, NULL, bytes, n, NULL, NULL);
            h = mix_status(hash_image(h, &back), status);
        }
        mb_image_dispose(&back);
        mb_buffer_free(bytes);
    }
    return h;
}

static uint64_t animate(const shared *s)
{
    static const mb_format formats[] = {MB_FORMAT_PNG, MB_FORMAT_WEBP};
    const mb_image photo = photo_of(s);
    uint64_t h = 6;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        mb_save_options save;
        mb_animation *a = NULL;
        mb_frames *f = NULL;
        void *bytes = NULL;
        size_t n = 0;
        mb_save_options_init(&save);
        save.format = formats[i];
        mb_status status = mb_animation_create(&a, 2, &save, NULL);
        for (int k = 0; status == MB_OK && k < 3; k++) {
            status = mb_animation_add(a, &photo, 40 + k, NULL);
        }
        if (status == MB_OK) {
            status = mb_animation_encode(&bytes, &n, a, NULL);
        }
        h = mix_status(hash_mix(h, bytes, n), status);
        if (status == MB_OK && mb_frames_open_memory(&f, bytes, n, NULL, NULL) == MB_OK) {
            mb_image frame = {0};
            double ms = 0;
            status = mb_frames_read(&frame, NULL, &ms, f, 2, NULL, NULL);
            h = mix_status(hash_image(hash_mix(h, &ms, sizeof ms), &frame), status);
            mb_image_dispose(&frame);
        }
        mb_frames_free(f);
        mb_buffer_free(bytes);
        mb_animation_free(a);
    }
    return h;
}

static uint64_t masks(const shared *s)
{
    const mb_image photo = photo_of(s), mask = grey_of(s->mask);
    const mb_image strokes = {
        .data = (void *)(uintptr_t)s->strokes, .width = W, .height = H, .pixels = MB_PIXELS_RGBA, .depth = MB_DEPTH_U8};
    mb_image a = {0}, b = {0}, c = {0};
    char note[100] = "";
    uint64_t h = mix_status(7, mb_trimap_make(&a, &mask, 4, 5, NULL));
    h = mix_status(h, mb_mask_apply_strokes(&b, &mask, &photo, &strokes, NULL));
    h = mix_status(h, mb_mask_read(&c, note, sizeof note, &strokes, NULL, NULL));
    h = hash_image(hash_image(hash_image(h, &a), &b), &c);
    mb_image_dispose(&a);
    mb_image_dispose(&b);
    mb_image_dispose(&c);
    return hash_mix(h, note, strlen(note));
}

static uint64_t open_all(const shared *s)
{
    mb_context_options c;
    mb_context *context = NULL;
    mb_model *model = NULL, *bad = NULL;
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 2;
    mb_status status = mb_context_create(&context, &c, NULL);
    uint64_t h = mix_status(8, status);
    if (status == MB_OK) {
        status = mb_model_open(&model, context, "demo", NULL);
        h = mix_status(h, mb_model_open_memory(&bad, context, s->rgb, sizeof s->rgb, NULL));
    }
    if (status == MB_OK) {
        h = hash_mix(h, mb_model_get_info(model)->summary, strlen(mb_model_get_info(model)->summary));
    }
    mb_model_free(bad);
    mb_model_free(model);
    mb_context_free(context);
    return mix_status(h, status);
}

static uint64_t plan(const shared *s)
{
    mb_network *network = NULL;
    mb_plan_info info = {.size = sizeof info};
    mb_status status = mb_network_create(&network, s->context, s->model, NULL);
    if (status == MB_OK) {
        status = mb_network_plan(&info, network, 2, 128, 64, NULL);
    }
    mb_network_free(network);
    return mix_status(hash_mix(9, &info, sizeof info), status);
}

static const struct {
    const char *name;
    uint64_t (*run)(const shared *s);
} jobs[] = {{"cut", cut_none},
            {"cut, guided, 16 bits, three threads", cut_guided},
            {"cut, closed form, three threads", cut_closed_form},
            {"saliency", cut_saliency},
            {"both", cut_both},
            {"refine, guided", refine_guided},
            {"refine, trimap", refine_trimap},
            {"refine, GrabCut", refine_grabcut},
            {"refine, wrong", refine_wrong},
            {"pending", pending},
            {"cancelled", cancelled},
            {"encode", encode},
            {"animate", animate},
            {"masks", masks},
            {"open", open_all},
            {"plan", plan}};
#define N_JOBS ((int)(sizeof jobs / sizeof jobs[0]))

/* A file, its pixels or its error, whole and with its second half missing. */
static uint64_t decode(const stored *f)
{
    uint64_t h = 10;
    for (int cut = 0; cut < 2; cut++) {
        mb_load_options load;
        mb_metadata metadata;
        mb_image image = {0};
        mb_frames *frames = NULL;
        const size_t n = cut ? f->n / 2 + 1 : f->n;
        mb_load_options_init(&load);
        mb_metadata_init(&metadata);
        load.keep_alpha = load.keep_depth = 1;
        load.max_megapixels = 20;
        load.metadata = &metadata;
        mb_status status = mb_image_load_memory(&image, NULL, f->v, n, &load, NULL);
        h = mix_status(hash_image(h, &image), status);
        h = hash_mix(h, metadata.icc, metadata.icc_bytes);
        mb_image_dispose(&image);
        mb_metadata_dispose(&metadata);
        load.metadata = NULL;
        status = mb_frames_open_memory(&frames, f->v, n, &load, NULL);
        h = mix_status(h, status);
        const int last = status == MB_OK ? mb_frames_get_info(frames)->n_frames - 1 : 0;
        if (status == MB_OK) {
            status = mb_frames_read(&image, NULL, NULL, frames, last < 3 ? last : 3, &load, NULL);
            h = mix_status(hash_image(h, &image), status);
            mb_image_dispose(&image);
        }
        mb_frames_free(frames);
    }
    return h;
}

int jobs_count(const shared *s)
{
    return N_JOBS + s->n_files;
}

const char *job_name(const shared *s, int i)
{
    (void)s;
    return i < N_JOBS ? jobs[i].name : "decode";
}

uint64_t job_run(const shared *s, int i)
{
    return i < N_JOBS ? jobs[i].run(s) : decode(&s->files[i - N_JOBS]);
}

/* ---- what they share */

static bool read_file(stored *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    long n = 0;
    bool ok = f != NULL && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0;
    out->v = ok ? malloc((size_t)n) : NULL;
    out->n = out->v != NULL ? fread(out->v, 1, (size_t)n, f) : 0;
    if (f != NULL) {
        (void)fclose(f);
    }
    return out->n > 0 && out->n == (size_t)n;
}

shared *shared_create(char **files, int n_files, mb_error *err)
{
    shared *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    draw(s);
    s->files = calloc((size_t)n_files + 1, sizeof *s->files);
    for (int i = 0; s->files != NULL && i < n_files; i++) {
        if (!read_file(&s->files[s->n_files++], files[i])) {
            (void)snprintf(err->message, sizeof err->message, "%s: cannot be read", files[i]);
            shared_free(s);
            return NULL;
        }
    }
    mb_context_options c;
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 1;
    mb_status status = mb_context_create(&s->context, &c, err);
    c.threads = 3;
    if (status == MB_OK) {
        status = mb_context_create(&s->threaded, &c, err);
    }
    if (status == MB_OK) {
        status = mb_model_open(&s->model, s->context, "demo", err);
    }
    if (status != MB_OK) {
        shared_free(s);
        return NULL;
    }
    return s;
}

void shared_free(shared *s)
{
    if (s == NULL) {
        return;
    }
    mb_model_free(s->model);
    mb_context_free(s->threaded);
    mb_context_free(s->context);
    for (int i = 0; i < s->n_files; i++) {
        free(s->files[i].v);
    }
    free(s->files);
    free(s);
}
