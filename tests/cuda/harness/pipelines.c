/* Whole pipelines on the stand-ins: masks whose photos were prepared on the device are byte for byte those of the CPU's
 * preparation around the same network; pictures under way together give what they give one by one, whatever the order
 * in which streams work; what goes wrong with one does not disturb the others. */
#define _GNU_SOURCE /* setenv */
#include "core/hash.h"
#include "harness/check.h"
#include "harness/models.h"
#include "harness/random.h"
#include "weights/format.h"

#include <dlfcn.h>
#include <mattebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PHOTOS = 9, UNDER_WAY = 5, NET = 32 };

static mb_image photos[PHOTOS];

static void *standin(const char *symbol)
{
    static void *handle;
    handle = handle != NULL ? handle : dlopen(MB_STANDIN_FOLDER "/libcuda.so.1", RTLD_NOW);
    return handle != NULL ? dlsym(handle, symbol) : NULL;
}

static const char *trace(void)
{
    const char *(*f)(void) = NULL;
    void *p = standin("mb_standin_trace");
    memcpy(&f, &p, sizeof f);
    return f != NULL ? f() : "";
}

static void clear_trace(void)
{
    void (*f)(void) = NULL;
    void *p = standin("mb_standin_trace_clear");
    memcpy(&f, &p, sizeof f);
    if (CHECK(f != NULL)) {
        f();
    }
}

static void check_closed(void)
{
    int (*f)(void) = NULL;
    void *p = standin("mb_standin_open");
    memcpy(&f, &p, sizeof f);
    CHECK_MSG(f != NULL && f() == 0, "%d left open", f != NULL ? f() : -1);
}

/* Odd sizes, one pixel high and wide, grey, alpha, other orders, rows with gaps, 16 bits, larger than the network. */
static void make_photos(void)
{
    static const struct {
        int width, height;
        mb_pixels pixels;
        mb_depth depth;
    } rows[PHOTOS] = {{61, 37, MB_PIXELS_RGB, MB_DEPTH_U8},  {1, 50, MB_PIXELS_RGB, MB_DEPTH_U8},
                      {70, 1, MB_PIXELS_BGR, MB_DEPTH_U8},   {64, 64, MB_PIXELS_GRAY, MB_DEPTH_U8},
                      {33, 90, MB_PIXELS_RGBA, MB_DEPTH_U8}, {200, 31, MB_PIXELS_BGRA, MB_DEPTH_U8},
                      {45, 52, MB_PIXELS_RGB, MB_DEPTH_U16}, {64, 20, MB_PIXELS_RGB, MB_DEPTH_U8},
                      {129, 131, MB_PIXELS_RGB, MB_DEPTH_U8}};
    test_random random = {11};
    mb_error err;
    for (int i = 0; i < PHOTOS; i++) {
        CHECK_OK(mb_image_create(&photos[i], rows[i].width, rows[i].height, rows[i].pixels, rows[i].depth, &err), err);
        size_t samples = (size_t[]){1, 3, 3, 4, 4}[rows[i].pixels] * (rows[i].depth == MB_DEPTH_U16 ? 2 : 1);
        unsigned char *v = photos[i].data;
        for (size_t k = 0; k < samples * (size_t)rows[i].width * (size_t)rows[i].height; k++) {
            v[k] = (unsigned char)(test_random_below(&random, 64) + k / 5 % 190);
        }
    }
}

typedef struct setting {
    mb_context *context;
    mb_model *model, *matting;
    mb_pipeline *pipeline;
} setting;

static setting open_setting(mb_device device, mb_precision precision, const char *model, const char *matting,
                            const mb_options *o)
{
    setting s = {0};
    mb_error err;
    mb_context_options c;
    mb_context_options_init(&c);
    c.device = device;
    c.precision = precision;
    c.threads = 2;
    CHECK_OK(mb_context_create(&s.context, &c, &err), err);
    CHECK_OK(mb_model_open(&s.model, s.context, model, &err), err);
    if (matting != NULL) {
        CHECK_OK(mb_model_open(&s.matting, s.context, matting, &err), err);
    }
    CHECK_OK(mb_pipeline_create(&s.pipeline, s.context, s.model, s.matting, o, &err), err);
    return s;
}

static void close_setting(setting *s)
{
    mb_pipeline_free(s->pipeline);
    mb_model_free(s->model);
    mb_model_free(s->matting);
    mb_context_free(s->context);
    *s = (setting){0};
}

static mb_options options_of(mb_recipe recipe, mb_detail detail)
{
    mb_options o;
    mb_options_init(&o);
    o.recipe = recipe;
    o.detail = detail;
    o.foreground = MB_FOREGROUND_NONE;
    o.input_width = o.input_height = NET;
    return o;
}

static size_t image_bytes(const mb_image *i)
{
    size_t samples = (size_t[]){1, 3, 3, 4, 4}[i->pixels], depth = (size_t[]){1, 2, 4}[i->depth];
    return i->data != NULL ? samples * depth * (size_t)i->width * (size_t)i->height : 0;
}

static bool same_image(const mb_image *a, const mb_image *b)
{
    return image_bytes(a) == image_bytes(b) && (a->data == NULL || memcmp(a->data, b->data, image_bytes(a)) == 0);
}

static bool same_result(const mb_result *a, const mb_result *b)
{
    return a != NULL && b != NULL && same_image(&a->mask, &b->mask) && same_image(&a->alpha, &b->alpha) &&
           same_image(&a->cutout, &b->cutout);
}

static mb_result *run(mb_pipeline *p, int photo)
{
    mb_result *r = NULL;
    mb_error err;
    CHECK_OK(mb_pipeline_run(&r, p, &photos[photo], &err), err);
    return r;
}

static void free_results(mb_result **r, int n)
{
    for (int i = 0; i < n; i++) {
        mb_result_free(r[i]);
        r[i] = NULL;
    }
}

/* ---- the same masks, wherever photos are prepared */

/* Runs every third photo both ways. The device's way waits for events, the other one does not. */
static void both_ways(const char *what, mb_precision precision, const char *model, const char *matting,
                      const mb_options *o, int first)
{
    mb_result *host[PHOTOS] = {NULL}, *device[PHOTOS] = {NULL};
    setting s = open_setting(MB_DEVICE_CUDA, precision, model, matting, o);
    for (int i = first; i < PHOTOS; i += 3) {
        setenv("MATTEBOX_CUDA_IMAGE_IO", "off", 1);
        host[i] = run(s.pipeline, i);
        clear_trace();
        unsetenv("MATTEBOX_CUDA_IMAGE_IO");
        device[i] = run(s.pipeline, i);
        CHECK_MSG(same_result(host[i], device[i]), "%s, photo %d: prepared on the device it is another result", what,
                  i);
        bool on_device = strchr(trace(), 'W') != NULL, fine = photos[i].depth == MB_DEPTH_U16 && o->depth != 8;
        CHECK_MSG(on_device == !(fine || o->flip || o->segment == MB_SEGMENT_SALIENCY), "%s, photo %d: %s", what, i,
                  trace());
    }
    free_results(host, PHOTOS);
    free_results(device, PHOTOS);
    close_setting(&s);
    check_closed();
}

/* The precision of the options is that of a context, for one pipeline: the same bytes either way. */
TEST(precisions)
{
    static const mb_precision all[] = {MB_PRECISION_F32, MB_PRECISION_TF32, MB_PRECISION_F16, MB_PRECISION_BF16};
    const mb_options plain = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    mb_result *f32 = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mb_options o = plain;
        o.precision = all[i];
        setting by_context = open_setting(MB_DEVICE_CUDA, all[i], test_model("tiny_legacy"), NULL, &plain);
        setting by_options = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny_legacy"), NULL, &o);
        mb_result *r[2] = {run(by_context.pipeline, 0), run(by_options.pipeline, 0)};
        CHECK_MSG(same_result(r[0], r[1]), "%s: another result than by the context", mb_precision_name((int)all[i]));
        if (i == 0) {
            f32 = r[1];
            r[1] = NULL;
        } else if (all[i] != MB_PRECISION_TF32) { /* whose rounding is the stand-in's business */
            CHECK_MSG(!same_result(r[1], f32), "%s: nothing has changed", mb_precision_name((int)all[i]));
        }
        free_results(r, 2);
        close_setting(&by_options);
        close_setting(&by_context);
    }
    free_results(&f32, 1);
    check_closed();
}

TEST(recipes)
{
    static const mb_precision precisions[] = {MB_PRECISION_F32, MB_PRECISION_F16, MB_PRECISION_BF16};
    for (int r = MB_RECIPE_LAYERSTYLE; r <= MB_RECIPE_REMBG; r++) {
        mb_options o = options_of((mb_recipe)r, MB_DETAIL_NONE);
        both_ways(mb_recipe_name(r), precisions[r % 3], test_model(r % 2 ? "tiny7" : "tiny_legacy"), NULL, &o, r % 3);
    }
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    o.flip = 1; /* what the device does not do */
    both_ways("mirror", MB_PRECISION_F32, test_model("tiny7"), NULL, &o, 2);
}

TEST(presets)
{
    static const char *const names[] = {"birefnet-ultra", "birefnet-ultra-v2"};
    mb_error err;
    for (int i = 0; i < 2; i++) {
        mb_options o;
        CHECK_OK(mb_options_preset(&o, names[i], &err), err);
        o.input_width = o.input_height = NET;
        o.process_detail = 1;
        both_ways(names[i], MB_PRECISION_F32, test_model(i == 0 ? "tiny_legacy" : "tiny7"),
                  test_model("vitmatte_tiny4"), &o, i);
    }
}

/* A photo for which the device has no room is prepared by the host: the result is the same, and there is no message. */
TEST(no_room)
{
    mb_error err;
    mb_image large = {0};
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    CHECK_OK(mb_image_create(&large, 3000, 2000, MB_PIXELS_RGB, MB_DEPTH_U8, &err), err);
    for (size_t i = 0; i < (size_t)3000 * 2000 * 3; i++) {
        ((unsigned char *)large.data)[i] = (unsigned char)(i / 7);
    }
    mb_result *r[2] = {NULL, NULL};
    setting s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    CHECK_OK(mb_pipeline_run(&r[0], s.pipeline, &large, &err), err);
    close_setting(&s);
    setenv("MB_STANDIN_TOTAL", "75000000", 1);
    s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    double need = 0.0;
    CHECK(mb_pipeline_run(&r[1], s.pipeline, &large, &err) == MB_E_MEMORY);
    CHECK_MSG(sscanf(err.message, "CUDA: needs %lf MB", &need) == 1, "%s", err.message);
    close_setting(&s);
    char total[32]; /* the network fits, with the 64 MiB that must stay free; 25 MB for the photo do not */
    (void)snprintf(total, sizeof total, "%.0f", need * 1e6 + (64 << 20) + 10e6);
    setenv("MB_STANDIN_TOTAL", total, 1);
    s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    clear_trace();
    CHECK_OK(mb_pipeline_run(&r[1], s.pipeline, &large, &err), err);
    CHECK(r[1] != NULL && r[1]->warning[0] == '\0' && strlen(trace()) > 0); /* at last a wait for the stream, not for */
    CHECK_MSG(trace()[strlen(trace()) - 1] == 'S', "%s", trace());          /* the event of a mask under way */
    CHECK(same_result(r[0], r[1]));
    unsetenv("MB_STANDIN_TOTAL");
    close_setting(&s);
    free_results(r, 2);
    mb_image_dispose(&large);
}

/* ---- f16 that overflows: found on the device, computed again */

/* A copy of a model whose input is divided by 1e-6: what f16 cannot hold. */
static const char *wild_model(void)
{
    static char path[600];
    (void)snprintf(path, sizeof path, "%s.wild", test_model("tiny7"));
    FILE *in = fopen(test_model("tiny7"), "rb"), *out = fopen(path, "wb");
    static unsigned char bytes[64 << 20];
    size_t n = in != NULL ? fread(bytes, 1, sizeof bytes, in) : 0;
    mb_file_header h;
    static const char before[] = "0.229,0.224,0.225", after[] = "1e-06,1e-06,1e-06";
    bool found = false;
    if (CHECK(out != NULL && n > sizeof h && n < sizeof bytes)) {
        memcpy(&h, bytes, sizeof h);
        for (size_t i = 64; i < 64 + h.meta_bytes; i++) {
            if (memcmp(bytes + i, before, sizeof before - 1) == 0) {
                memcpy(bytes + i, after, sizeof after - 1);
                found = true;
            }
        }
        h.digest = 0;
        memcpy(bytes, &h, sizeof h);
        mb_xxh64 x;
        mb_xxh64_init(&x);
        mb_xxh64_update(&x, bytes, (size_t)h.data_offset);
        h.digest = mb_xxh64_digest(&x);
        memcpy(bytes, &h, sizeof h);
        CHECK(found && fwrite(bytes, 1, n, out) == n);
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
    return path;
}

TEST(overflow)
{
    mb_error err;
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    setting s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F16, wild_model(), NULL, &o);
    setting wide = open_setting(MB_DEVICE_CUDA, MB_PRECISION_BF16, wild_model(), NULL, &o);
    mb_pending *x[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mb_pipeline_start(&x[i], s.pipeline, &photos[i * 4], &err), err);
    }
    for (int i = 0; i < 2; i++) {
        mb_result *r = NULL, *want = run(wide.pipeline, i * 4);
        CHECK_OK(mb_pipeline_finish(&r, x[i], &err), err);
        CHECK_MSG(r != NULL && strstr(r->warning, "f16 overflowed") != NULL &&
                      strstr(r->warning, "computed again in bf16") != NULL,
                  "%s", r != NULL ? r->warning : "");
        CHECK(same_result(r, want));
        mb_result_free(r);
        mb_result_free(want);
    }
    close_setting(&s);
    close_setting(&wide);
    check_closed();
}

/* ---- pictures under way together */

typedef struct saboteur {
    int calls, stop_at;
} saboteur;
static int stop(void *user, const mb_progress *p)
{
    saboteur *s = user;
    (void)p;
    return ++s->calls == s->stop_at;
}

/* Some photos with `depth` under way at a time. broken: a photo that is none; stopped: cancelled when it starts. */
static void overlapped(mb_pipeline *p, mb_result **want, int depth, int broken, int stopped)
{
    mb_pending *x[UNDER_WAY] = {NULL};
    mb_image none = {0};
    mb_error err = {0};
    saboteur s = {0, 1};
    for (int i = 0; i < UNDER_WAY + depth - 1; i++) {
        if (i < UNDER_WAY) {
            mb_pipeline_set_progress(p, i == stopped ? stop : NULL, &s);
            CHECK_OK(mb_pipeline_start(&x[i], p, i == broken ? &none : &photos[i], &err), err);
            mb_pipeline_set_progress(p, NULL, NULL);
        }
        int k = i - depth + 1;
        if (k < 0) {
            continue;
        }
        mb_result *r = NULL;
        mb_status status = mb_pipeline_finish(&r, x[k], &err);
        if (k == broken || k == stopped) {
            CHECK_MSG(status == (k == broken ? MB_E_ARGUMENT : MB_E_CANCELLED) && r == NULL, "%d: %s", k, err.message);
        } else {
            CHECK_OK(status, err);
            CHECK_MSG(same_result(r, want[k]), "photo %d of %d under way", k, depth);
        }
        mb_result_free(r);
    }
}

static void test_overlap(const char *lazy, mb_detail detail)
{
    mb_result *want[UNDER_WAY] = {NULL};
    mb_options o = options_of(MB_RECIPE_MODELCARD, detail);
    o.depth = 8; /* all photos by the device */
    const char *matting = detail == MB_DETAIL_VITMATTE ? test_model("vitmatte_tiny4") : NULL;
    setting s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), matting, &o);
    for (int i = 0; i < UNDER_WAY; i++) {
        want[i] = run(s.pipeline, i);
    }
    close_setting(&s);
    setenv("MB_STANDIN_LAZY", lazy, 1);
    s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), matting, &o);
    overlapped(s.pipeline, want, 2, -1, -1);
    overlapped(s.pipeline, want, 2, 1, 3);
    overlapped(s.pipeline, want, 4, 2, 0); /* from the third on the host prepares what has no slot */
    mb_pending *dropped = NULL;
    mb_error err;
    CHECK_OK(mb_pipeline_start(&dropped, s.pipeline, &photos[0], &err), err);
    CHECK(mb_pipeline_set_options(s.pipeline, &o, &err) == MB_E_ARGUMENT);
    mb_pending_free(dropped);
    CHECK_OK(mb_pipeline_set_options(s.pipeline, &o, &err), err);
    CHECK_OK(mb_pipeline_start(&dropped, s.pipeline, &photos[0], &err), err);
    mb_pending_free(dropped); /* its work is still queued when the pipeline goes */
    close_setting(&s);
    unsetenv("MB_STANDIN_LAZY");
    free_results(want, UNDER_WAY);
    check_closed();
}

/* The next photo goes over, and its network is queued, before anybody waits for this one. */
TEST(order)
{
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    mb_pending *x[3] = {NULL};
    mb_result *r = NULL;
    mb_error err;
    setting s = open_setting(MB_DEVICE_CUDA, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    for (int i = 0; i < 2; i++) { /* the second run is recorded, the third is a graph */
        mb_result_free(run(s.pipeline, 0));
    }
    clear_trace();
    CHECK_OK(mb_pipeline_start(&x[0], s.pipeline, &photos[0], &err), err);
    CHECK_OK(mb_pipeline_start(&x[1], s.pipeline, &photos[0], &err), err);
    CHECK_MSG(strcmp(trace(), "UGZDUGZD") == 0, "%s", trace());
    CHECK_MSG(strchr(trace(), 'S') == NULL, "%s", trace());
    clear_trace();
    CHECK_OK(mb_pipeline_finish(&r, x[0], &err), err);
    mb_result_free(r);
    CHECK_MSG(strcmp(trace(), "W") == 0, "%s", trace());
    clear_trace();
    CHECK_OK(mb_pipeline_start(&x[2], s.pipeline, &photos[0], &err), err);
    CHECK_MSG(strchr(trace(), 'W') == NULL && strchr(trace(), 'S') == NULL && strchr(trace(), 'G') != NULL, "%s",
              trace());
    for (int i = 1; i < 3; i++) {
        CHECK_OK(mb_pipeline_finish(&r, x[i], &err), err);
        mb_result_free(r);
    }
    close_setting(&s);
}

/* A device that dies: with auto every picture that was under way is computed by the CPU, with cuda each says why. */
static void fault_at(mb_device device, int number, mb_result **by_cpu, mb_result **by_gpu)
{
    char copy[16];
    (void)snprintf(copy, sizeof copy, "%d", number);
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    setenv("MB_STANDIN_FAIL_COPY", copy, 1);
    setting s = open_setting(device, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    mb_pending *x[3] = {NULL};
    int failed = 0, warned = 0;
    for (int i = 0; i < 4; i++) {
        mb_error err = {0};
        mb_result *r = NULL;
        if (i < 3) {
            CHECK_OK(mb_pipeline_start(&x[i], s.pipeline, &photos[i], &err), err);
        }
        if (i == 0) {
            continue;
        }
        mb_status status = mb_pipeline_finish(&r, x[i - 1], &err);
        if (status == MB_OK) {
            bool left = strstr(r->warning, "using the CPU") != NULL || warned > 0;
            mb_result *want = (left ? by_cpu : by_gpu)[i - 1];
            warned += left;
            CHECK_MSG(same_image(&r->mask, &want->mask), "photo %d after a fault at copy %s", i - 1, copy);
        } else {
            failed++;
            CHECK_MSG(device == MB_DEVICE_CUDA && status == MB_E_DEVICE && strstr(err.message, "illegal") != NULL,
                      "%s: %s", mb_status_name(status), err.message);
        }
        mb_result_free(r);
    }
    CHECK_MSG(device == MB_DEVICE_CUDA ? failed > 0 : failed == 0 && warned > 0, "%d failed, %d warned", failed,
              warned);
    close_setting(&s);
    unsetenv("MB_STANDIN_FAIL_COPY");
}

static int copies(void)
{
    int n = 0;
    for (const char *t = trace(); *t != '\0'; t++) {
        n += *t == 'U' || *t == 'D' || *t == 'M';
    }
    return n;
}

/* At copies of the first picture and of the last, and at some between. */
static void test_faults(mb_device device)
{
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    mb_result *by_cpu[3] = {NULL}, *by_gpu[3] = {NULL};
    setting s = open_setting(MB_DEVICE_CPU, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    for (int i = 0; i < 3; i++) {
        by_cpu[i] = run(s.pipeline, i);
    }
    close_setting(&s);
    s = open_setting(device, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    int before = copies();
    by_gpu[0] = run(s.pipeline, 0);
    int first = copies();
    for (int i = 1; i < 3; i++) {
        by_gpu[i] = run(s.pipeline, i);
    }
    int last = copies();
    close_setting(&s);
    CHECK_MSG(before < first && first < last, "%d %d %d", before, first, last);
    const int at[] = {before + 1, first, first + 1, first + 2, last};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        fault_at(device, at[i], by_cpu, by_gpu);
    }
    free_results(by_cpu, 3);
    free_results(by_gpu, 3);
}

/* A GPU that was left is not taken up again when the options change the precision. */
TEST(precision_after_fault)
{
    mb_error err = {0};
    char copy[16];
    mb_options o = options_of(MB_RECIPE_MODELCARD, MB_DETAIL_NONE);
    setting s = open_setting(MB_DEVICE_CPU, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    mb_result *want = run(s.pipeline, 0);
    close_setting(&s);
    s = open_setting(MB_DEVICE_AUTO, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    (void)snprintf(copy, sizeof copy, "%d", copies() + 1); /* the next one: the check of the context made the others */
    close_setting(&s);
    setenv("MB_STANDIN_FAIL_COPY", copy, 1);
    s = open_setting(MB_DEVICE_AUTO, MB_PRECISION_F32, test_model("tiny7"), NULL, &o);
    mb_result *r = run(s.pipeline, 0);
    CHECK_MSG(r != NULL && strstr(r->warning, "using the CPU") != NULL, "%s", r != NULL ? r->warning : "");
    mb_result_free(r);
    static const mb_precision precisions[] = {MB_PRECISION_F32, MB_PRECISION_AUTO};
    for (int i = 0; i < 2; i++) {
        clear_trace();
        o.precision = precisions[i];
        CHECK_OK(mb_pipeline_set_options(s.pipeline, &o, &err), err);
        r = run(s.pipeline, 0);
        CHECK_MSG(r != NULL && r->warning[0] == '\0' && same_image(&r->mask, &want->mask), "%s",
                  r != NULL ? r->warning : "");
        CHECK_MSG(trace()[0] == '\0', "the device was asked again: %s", trace());
        mb_result_free(r);
    }
    mb_result_free(want);
    close_setting(&s);
    unsetenv("MB_STANDIN_FAIL_COPY");
}

TEST(overlap_at_once)
{
    test_overlap("0", MB_DETAIL_NONE);
}
TEST(overlap_late)
{
    test_overlap("1", MB_DETAIL_GUIDED);
}
TEST(overlap_ahead)
{
    test_overlap("2", MB_DETAIL_NONE);
}
TEST(overlap_vitmatte)
{
    test_overlap("1", MB_DETAIL_VITMATTE);
}
TEST(faults_auto)
{
    test_faults(MB_DEVICE_AUTO);
}
TEST(faults_cuda)
{
    test_faults(MB_DEVICE_CUDA);
}

/* pipelines [NAME]: all parts, or one. */

SETUP
{
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
    setenv("MATTEBOX_CACHE", "", 1);
    setenv("MATTEBOX_TUNE", "off", 1);
    make_photos();
}

TEARDOWN
{
    for (int i = 0; i < PHOTOS; i++) {
        mb_image_dispose(&photos[i]);
    }
}
