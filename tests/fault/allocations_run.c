/* Every allocation of every call that runs something fails once: context, model, plan, cut-outs by all segmenters,
 * every refinement, a batch, the bare network, files to files. See harness/trial.h for what must hold. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "harness/check.h"
#include "harness/failing.h"
#include "harness/narrow.h"
#include "harness/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define W 40
#define H 33

static unsigned char rgb[H][W][3], soft[H][W], known[H][W];
static unsigned short deep[H][W][3];
static const mb_image photo = {.data = rgb, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8},
                      photo16 = {.data = deep, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16},
                      mask = {.data = soft, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8},
                      trimap = {.data = known, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
static char folder[] = "/tmp/mattebox-allocations-XXXXXX";
static char net[300], matting_net[300], photo_file[300], result_file[300], tensor_file[300], tensors_out[300];

/* What a scenario works with; all of it is freed at its end. */
typedef struct work {
    mb_context *context;
    mb_model *model, *matting;
    mb_pipeline *pipeline;
    mb_network *network;
} work;

static void finish(work *w)
{
    mb_network_free(w->network);
    mb_pipeline_free(w->pipeline);
    mb_model_free(w->matting);
    mb_model_free(w->model);
    mb_context_free(w->context);
}

static bool open_context(trial *t, work *w, int threads)
{
    mb_context_options c;
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = threads;
    return CALL(t, mb_context_create(&w->context, &c, &t->err));
}

static bool open_model(trial *t, work *w)
{
    return open_context(t, w, 1) && CALL(t, mb_model_open(&w->model, w->context, net, &t->err));
}

static mb_options small_options(void)
{
    mb_options o;
    mb_options_init(&o);
    o.input_width = o.input_height = 32;
    return o;
}

/* One run on the pipeline; false: stop here. */
static bool run(trial *t, work *w, const mb_image *picture)
{
    mb_result *r = NULL;
    const bool ok = CALL(t, mb_pipeline_run(&r, w->pipeline, picture, &t->err));
    if (ok) {
        trial_mix_result(t, r);
    }
    mb_result_free(r);
    return ok;
}

static bool refine(trial *t, work *w, const mb_image *picture, const mb_image *m, const mb_image *tri)
{
    mb_result *r = NULL;
    const bool ok = CALL(t, mb_pipeline_refine(&r, w->pipeline, picture, m, tri, &t->err));
    if (ok) {
        trial_mix_result(t, r);
    }
    mb_result_free(r);
    return ok;
}

/* ---- opening */

static void contexts(trial *t)
{
    work w = {0};
    if (open_context(t, &w, 3)) {
        trial_mix(t, mb_context_device(w.context), strlen(mb_context_device(w.context)));
    }
    finish(&w);
}

static void models(trial *t)
{
    work w = {0};
    char path[500];
    if (open_model(t, &w) && CALL(t, mb_model_verify(w.model, NULL, NULL, &t->err)) &&
        CALL(t, mb_model_open(&w.matting, w.context, "demo", &t->err)) &&
        CALL(t, mb_find_model(path, sizeof path, net, &t->err))) {
        trial_mix(t, mb_model_get_info(w.model)->summary, strlen(mb_model_get_info(w.model)->summary));
        trial_mix(t, mb_model_meta(w.matting, "arch.family"), 4);
    }
    (void)failing_disarm(); /* what follows has no error to give: it may find nothing */
    (void)mb_find_default_model(path, sizeof path);
    finish(&w);
}

static void model_in_memory(trial *t)
{
    static unsigned char *bytes;
    static size_t n;
    work w = {0};
    if (bytes == NULL) {
        FILE *f = fopen(matting_net, "rb");
        bytes = malloc((size_t)32 << 20);
        n = f != NULL && bytes != NULL ? fread(bytes, 1, (size_t)32 << 20, f) : 0;
        (void)fclose(f);
    }
    if (open_context(t, &w, 1) && CALL(t, mb_model_open_memory(&w.model, w.context, bytes, n, &t->err))) {
        trial_mix(t, &mb_model_get_info(w.model)->n_parameters, 8);
    }
    finish(&w);
}

static void plans(trial *t)
{
    work w = {0};
    const mb_options o = small_options();
    mb_plan_info info = {.size = sizeof info};
    if (open_model(t, &w) && CALL(t, mb_pipeline_create(&w.pipeline, w.context, w.model, NULL, &o, &t->err)) &&
        CALL(t, mb_pipeline_plan(&info, w.pipeline, W, H, &t->err))) {
        trial_mix(t, &info, sizeof info);
    }
    if (w.model != NULL && CALL(t, mb_network_create(&w.network, w.context, w.model, &t->err)) &&
        CALL(t, mb_network_plan(&info, w.network, 2, 64, 32, &t->err))) {
        trial_mix(t, &info, sizeof info);
    }
    finish(&w);
}

/* ---- cutting out */

static void cut(trial *t, void (*change)(mb_options *o), int threads)
{
    work w = {0};
    mb_options o = small_options();
    change(&o);
    const bool vitmatte = o.detail == MB_DETAIL_VITMATTE;
    if (open_context(t, &w, threads) && CALL(t, mb_model_open(&w.model, w.context, net, &t->err)) &&
        (!vitmatte || CALL(t, mb_model_open(&w.matting, w.context, matting_net, &t->err))) &&
        CALL(t, mb_pipeline_create(&w.pipeline, w.context, w.model, w.matting, &o, &t->err)) && run(t, &w, &photo)) {
        o.largest = 1;
        o.invert = 1;
        (void)(CALL(t, mb_pipeline_set_options(w.pipeline, &o, &t->err)) && run(t, &w, &photo16));
    }
    finish(&w);
}

static void set_plain(mb_options *o)
{
    o->foreground = MB_FOREGROUND_ML;
}
static void set_flip(mb_options *o)
{
    o->flip = 1;
    o->precision = MB_PRECISION_BF16;
    o->recipe = MB_RECIPE_REMBG;
}
static void set_closed(mb_options *o)
{
    o->detail = MB_DETAIL_PYMATTING;
    o->want_trimap = 1;
    o->min_area = 4;
    o->feather = 1;
}
static void set_vitmatte(mb_options *o)
{
    o->detail = MB_DETAIL_VITMATTE;
    o->want_trimap = 1;
}
static void set_both(mb_options *o)
{
    o->segment = MB_SEGMENT_BOTH;
    o->grabcut = 1;
}
static void set_saliency(mb_options *o)
{
    o->segment = MB_SEGMENT_SALIENCY;
}

static void cut_plain(trial *t)
{
    cut(t, set_plain, 1);
}
static void cut_threads(trial *t)
{
    cut(t, set_plain, 3);
}
static void cut_flip(trial *t)
{
    cut(t, set_flip, 1);
}
static void cut_closed(trial *t)
{
    cut(t, set_closed, 1);
}
static void cut_vitmatte(trial *t)
{
    cut(t, set_vitmatte, 1);
}
static void cut_both(trial *t)
{
    cut(t, set_both, 1);
}
static void cut_saliency(trial *t)
{
    cut(t, set_saliency, 1);
}

static void file_to_file(trial *t)
{
    if (CALL(t, mb_cutout_file(net, photo_file, result_file, &t->err))) {
        trial_mix(t, "done", 4);
    }
}

/* Three pictures in flight at most; one is dropped. A failure of _finish costs that picture alone. */
static void batch(trial *t)
{
    work w = {0};
    const mb_options o = small_options();
    mb_pending *waiting[3] = {NULL, NULL, NULL};
    if (open_model(t, &w) && CALL(t, mb_pipeline_create(&w.pipeline, w.context, w.model, NULL, &o, &t->err))) {
        bool ok = true;
        for (int i = 0; ok && i < 3; i++) {
            ok = CALL(t, mb_pipeline_start(&waiting[i], w.pipeline, i == 1 ? &photo16 : &photo, &t->err));
        }
        for (int i = 0; ok && i < 2; i++) {
            mb_result *r = NULL;
            trial_begin(t);
            if (!trial_failed(t, mb_pipeline_finish(&r, waiting[i], &t->err), "finish")) {
                trial_mix_result(t, r);
            } else {
                t->lost = true;
                CHECK(r == NULL);
            }
            waiting[i] = NULL;
            mb_result_free(r);
        }
    }
    for (int i = 0; i < 3; i++) {
        mb_pending_free(waiting[i]);
    }
    finish(&w);
}

/* ---- refinements */

typedef struct refinement {
    const char *name;
    mb_detail detail;
    mb_foreground foreground;
    mb_background background;
    int grabcut, with_trimap, deep, scaled;
} refinement;

static const refinement refinements[] = {
    {"none, blurfusion, blur", MB_DETAIL_NONE, MB_FOREGROUND_BLURFUSION, MB_BACKGROUND_BLUR, 0, 0, 0, 0},
    {"guided, ml, picture", MB_DETAIL_GUIDED, MB_FOREGROUND_ML, MB_BACKGROUND_PICTURE, 0, 0, 1, 0},
    {"guided, fast, GrabCut", MB_DETAIL_GUIDED, MB_FOREGROUND_NONE, MB_BACKGROUND_COLOUR, 1, 0, 0, 1},
    {"closed form, ml", MB_DETAIL_PYMATTING, MB_FOREGROUND_ML, MB_BACKGROUND_NONE, 0, 0, 0, 0},
    {"closed form, trimap, 16 bits", MB_DETAIL_PYMATTING, MB_FOREGROUND_BLURFUSION, MB_BACKGROUND_NONE, 0, 1, 1, 0},
    {"guided, trimap", MB_DETAIL_GUIDED, MB_FOREGROUND_ML, MB_BACKGROUND_BLUR, 0, 1, 0, 0},
    {"vitmatte", MB_DETAIL_VITMATTE, MB_FOREGROUND_ML, MB_BACKGROUND_NONE, 0, 0, 0, 0},
    {"vitmatte, trimap", MB_DETAIL_VITMATTE, MB_FOREGROUND_NONE, MB_BACKGROUND_NONE, 0, 1, 0, 0}};

static const refinement *chosen;

static void refine_chosen(trial *t)
{
    work w = {0};
    mb_options o;
    mb_options_init(&o);
    o.detail = chosen->detail;
    o.foreground = chosen->foreground;
    o.background = chosen->background;
    o.background_picture = &photo16;
    o.background_colour[3] = 200;
    o.grabcut = chosen->grabcut;
    o.guided_scale = chosen->scaled ? 0.5 : 1;
    o.want_trimap = 1;
    o.crop = 1;
    o.feather = 0.7;
    o.min_area = 3;
    if (open_context(t, &w, 1) &&
        (o.detail != MB_DETAIL_VITMATTE || CALL(t, mb_model_open(&w.matting, w.context, matting_net, &t->err))) &&
        CALL(t, mb_pipeline_create(&w.pipeline, w.context, NULL, w.matting, &o, &t->err))) {
        (void)refine(t, &w, chosen->deep ? &photo16 : &photo, chosen->with_trimap ? NULL : &mask,
                     chosen->with_trimap ? &trimap : NULL);
    }
    finish(&w);
}

TEST_ROWS(refine, refinements)
{
    chosen = row;
    trial_sweep(row->name, refine_chosen, 12);
}

/* ---- the bare network */

static void networks(trial *t)
{
    static float input[3 * 32 * 32];
    static float output[32 * 32];
    static const char *const taps[] = {"p4"};
    const mb_array in = {.data = input, .dims = {1, 3, 32, 32}};
    work w = {0};
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++) {
        input[i] = (float)(i % 17) * 0.1f - 0.8f;
    }
    if (open_model(t, &w) && CALL(t, mb_network_create(&w.network, w.context, w.model, &t->err)) &&
        CALL(t, mb_network_run(w.network, &in, NULL, 0, &t->err))) {
        int64_t dims[4];
        const char *name = mb_network_output_name(w.network, 0);
        if (CALL(t, mb_network_output_dims(dims, w.network, name, &t->err)) && dims[2] * dims[3] == 32 * 32 &&
            CALL(t, mb_network_read(output, 32 * 32, w.network, name, &t->err))) {
            trial_mix(t, output, sizeof output);
        }
        (void)CALL(t, mb_network_run(w.network, &in, taps, 1, &t->err));
    }
    finish(&w);
}

static void tensors(trial *t)
{
    work w = {0};
    (void)(open_model(t, &w) && CALL(t, mb_network_create(&w.network, w.context, w.model, &t->err)) &&
           CALL(t, mb_network_run_file(w.network, tensor_file, tensors_out, NULL, 0, &t->err)));
    finish(&w);
}

static const struct {
    const char *name;
    scenario run;
    long few; /* allocations at the start that fail one by one without --long */
} scenarios[] = {{"context, three threads", contexts, 100},
                 {"models", models, 10},
                 {"model in memory", model_in_memory, 60},
                 {"plans", plans, 30},
                 {"cut", cut_plain, 20},
                 {"cut, three threads", cut_threads, 10},
                 {"cut, flipped, 16 bits", cut_flip, 10},
                 {"cut, closed form", cut_closed, 10},
                 {"cut, vitmatte", cut_vitmatte, 10},
                 {"cut, both segmenters", cut_both, 2},
                 {"cut, saliency", cut_saliency, 5},
                 {"file to file", file_to_file, 1},
                 {"batch", batch, 10},
                 {"network", networks, 10},
                 {"tensors", tensors, 10}};

TEST_ROWS(sweep, scenarios)
{
    trial_sweep(row->name, row->run, row->few);
}

static void draw(void)
{
    unsigned noise = 1;
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            double in = (12 - hypot(x - 19, y - 16)) / 5 + 0.5;
            in = in < 0 ? 0 : in > 1 ? 1 : in;
            soft[y][x] = (unsigned char)(in * 255);
            known[y][x] = (unsigned char)(in <= 0 ? 0 : in >= 1 ? 255 : 128);
            for (int c = 0; c < 3; c++) {
                noise = noise * 1103515245u + 12345u;
                const double v = in * (c == 0 ? 210 : 60 + y) + (1 - in) * (40 + 30 * c + x) + (noise >> 16 & 15);
                rgb[y][x][c] = (unsigned char)v;
                deep[y][x][c] = (unsigned short)(v * 257);
            }
        }
    }
}

/* A tensor of [1,3,32,32] as a safetensors file. */
static void write_tensor(void)
{
    static const char head[] = "{\"input\":{\"dtype\":\"F32\",\"shape\":[1,3,32,32],\"data_offsets\":[0,12288]}}";
    static float values[3 * 32 * 32];
    const unsigned long long n = sizeof head - 1;
    FILE *f = fopen(tensor_file, "wb");
    REQUIRE(f != NULL);
    CHECK(fwrite(&n, 8, 1, f) == 1 && fwrite(head, 1, sizeof head - 1, f) == sizeof head - 1 &&
          fwrite(values, 4, 3072, f) == 3072);
    CHECK_EQ(fclose(f), 0);
}

static void write_network(const char *path, int which)
{
    size_t n = 0;
    void *bytes = narrow_network(&n, which);
    FILE *f = fopen(path, "wb");
    REQUIRE(bytes != NULL && f != NULL && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
    mb_free_aligned(bytes);
}

SETUP
{
    mb_error err = {0};
    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(net, sizeof net, "%s/net.mbw", folder);
    (void)snprintf(matting_net, sizeof matting_net, "%s/matting.mbw", folder);
    write_network(net, NARROW_V1);
    write_network(matting_net, NARROW_VITMATTE);
    (void)snprintf(photo_file, sizeof photo_file, "%s/a.png", folder);
    (void)snprintf(result_file, sizeof result_file, "%s/b.png", folder);
    (void)snprintf(tensor_file, sizeof tensor_file, "%s/a.safetensors", folder);
    (void)snprintf(tensors_out, sizeof tensors_out, "%s/b.safetensors", folder);
    draw();
    write_tensor();
    REQUIRE_OK(mb_image_save(&photo, photo_file, NULL, &err), err);
}

TEARDOWN
{
    trial_summary();
    (void)unlink(net);
    (void)unlink(matting_net);
    (void)unlink(photo_file);
    (void)unlink(result_file);
    (void)unlink(tensor_file);
    (void)unlink(tensors_out);
    CHECK_EQ(rmdir(folder), 0); /* no temporary file is left either */
}
