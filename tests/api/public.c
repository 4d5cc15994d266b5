/* The public header as its users see it: every failing call says why, results and memory of the caller, two pipelines
 * on one model at once, cancelling, and the network's tensors. */
#include "harness/check.h"
#include "harness/models.h"

#include <mattebox.h>

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 40
#define H 30

static unsigned char pixels[H][W][3];

static mb_image photo(void)
{
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            for (int c = 0; c < 3; c++) {
                pixels[y][x][c] = (unsigned char)(x * 5 + y * (c + 1));
            }
        }
    }
    return (mb_image){.data = pixels, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
}

#define REFUSED(status, text, call)                                                                                    \
    do {                                                                                                               \
        mb_error e_ = {0};                                                                                             \
        mb_status s_ = (call)(&e_);                                                                                    \
        CHECK_MSG(s_ == (status) && e_.code == (status), "%s: %s", mb_status_name(s_), e_.message);                    \
        CHECK_MSG(strstr(e_.message, (text)) != NULL, "\"%s\" lacks \"%s\"", e_.message, (text));                      \
    } while (0)

static mb_context *context;
static mb_model *model;
static mb_options options;

static mb_status no_model(mb_error *err)
{
    mb_model *m = (mb_model *)&context;
    mb_status s = mb_model_open(&m, context, "/nowhere/x.mbw", err);
    CHECK(m == NULL);
    return s;
}
static mb_status bad_bytes(mb_error *err)
{
    mb_model *m = NULL;
    return mb_model_open_memory(&m, context, "not a model", 11, err);
}
static mb_status bad_size_field(mb_error *err)
{
    mb_options o = options;
    o.size = 3;
    return mb_options_check(&o, err);
}
static mb_status bad_erode(mb_error *err)
{
    mb_options o = options;
    o.erode = 256;
    return mb_options_check(&o, err);
}
static mb_status bad_input_size(mb_error *err)
{
    mb_options o = options;
    o.input_width = 33;
    mb_pipeline *p = NULL;
    return mb_pipeline_create(&p, context, model, NULL, &o, err);
}
static mb_status no_matting_model(mb_error *err)
{
    mb_options o = options;
    o.detail = MB_DETAIL_VITMATTE;
    mb_pipeline *p = NULL;
    return mb_pipeline_create(&p, context, model, NULL, &o, err);
}
static mb_status wrong_part(mb_error *err)
{
    mb_pipeline *p = NULL;
    return mb_pipeline_create(&p, context, NULL, model, &options, err);
}
static mb_status empty_photo(mb_error *err)
{
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_image none = {0};
    CHECK(mb_pipeline_create(&p, context, model, NULL, &options, NULL) == MB_OK);
    mb_status s = mb_pipeline_run(&r, p, &none, err);
    CHECK(r == NULL);
    mb_pipeline_free(p);
    return s;
}
static mb_status missing_photo(mb_error *err)
{
    mb_image i;
    return mb_image_load(&i, NULL, "/nowhere/photo.jpg", NULL, err);
}
static mb_status unknown_preset(mb_error *err)
{
    mb_options o;
    return mb_options_preset(&o, "x", err);
}
static mb_status bad_threads(mb_error *err)
{
    mb_context_options o;
    mb_context *c = NULL;
    mb_context_options_init(&o);
    o.threads = -1;
    return mb_context_create(&c, &o, err);
}

static mb_status missing_head(mb_error *err)
{
    mb_image_source s = {.size = sizeof s};
    return mb_image_probe(&s, "/nowhere/photo.jpg", err);
}
static mb_status head_of_folder(mb_error *err)
{
    mb_image_source s = {.size = sizeof s};
    return mb_image_probe(&s, "/", err);
}
static mb_status folder_as_model(mb_error *err)
{
    mb_model *m = NULL;
    return mb_model_open(&m, context, "/tmp", err);
}
/* A side beyond the limit: the size that is told keeps to it. */
static mb_status wide_input(mb_error *err)
{
    mb_network *n = NULL;
    mb_plan_info info = {.size = sizeof info};
    CHECK_OK(mb_network_create(&n, context, model, err), *err);
    mb_status status = mb_network_plan(&info, n, 1, 65600, 64, err);
    mb_network_free(n);
    return status;
}
/* A model without a path is named all the same. */
static mb_status nameless_part(mb_error *err)
{
    mb_pipeline *p = NULL;
    mb_model *m = NULL;
    FILE *f = fopen(test_model("tiny_legacy"), "rb");
    const size_t capacity = (size_t)64 << 20; /* the file has less */
    char *block = malloc(capacity + 64);
    REQUIRE(f != NULL && block != NULL);
    char *file = block + 64 - (uintptr_t)block % 64; /* a model in memory begins at a multiple of 64 */
    const size_t bytes = fread(file, 1, capacity, f);
    (void)fclose(f);
    CHECK_OK(mb_model_open_memory(&m, context, file, bytes, err), *err);
    mb_status status = mb_pipeline_create(&p, context, NULL, m, &options, err);
    CHECK(err->message[0] != ':');
    mb_model_free(m);
    free(block);
    return status;
}

TEST(colours)
{
    unsigned char rgba[4];
    mb_error err = {0};
    CHECK(mb_parse_colour(rgba, "teal", &err) == MB_OK && rgba[1] == 128 && rgba[3] == 255);
    CHECK(mb_parse_colour(rgba, "teel", &err) == MB_E_ARGUMENT && strstr(err.message, "\"teel\" is no colour") != NULL);
}

TEST(refusals)
{
    REFUSED(MB_E_IO, "/nowhere/x.mbw", no_model);
    REFUSED(MB_E_FORMAT, "not a .mbw file", bad_bytes);
    REFUSED(MB_E_ARGUMENT, "mb_options.size is 3", bad_size_field);
    REFUSED(MB_E_ARGUMENT, "erode 256: 1 to 255", bad_erode);
    REFUSED(MB_E_ARGUMENT, "multiples of", bad_input_size);
    REFUSED(MB_E_ARGUMENT, "needs a matting model", no_matting_model);
    REFUSED(MB_E_MISMATCH, "finds masks, it does not refine them", wrong_part);
    REFUSED(MB_E_MISMATCH, "finds masks, it does not refine them", nameless_part);
    REFUSED(MB_E_IO, "/nowhere/photo.jpg: no such file", missing_head);
    REFUSED(MB_E_IO, "/: cannot be read: ", head_of_folder);
    REFUSED(MB_E_IO, "/tmp: is a folder, not a model file", folder_as_model);
    REFUSED(MB_E_ARGUMENT, "the nearest is 64x65536", wide_input);
    REFUSED(MB_E_ARGUMENT, "0 x 0", empty_photo);
    REFUSED(MB_E_IO, "/nowhere/photo.jpg", missing_photo);
    REFUSED(MB_E_ARGUMENT, "preset", unknown_preset);
    REFUSED(MB_E_ARGUMENT, "threads -1", bad_threads);
    mb_pipeline_free(NULL); /* all of these take NULL */
    mb_result_free(NULL);
    mb_network_free(NULL);
    mb_model_free(NULL);
    mb_context_free(NULL);
    mb_image_dispose(NULL);
}

/* An old program's shorter struct, and a newer one's longer struct: both work. */
TEST(sizes)
{
    struct {
        mb_plan_info info;
        char more[16];
    } longer = {.info = {.size = sizeof longer}};
    mb_plan_info shorter = {.size = offsetof(mb_plan_info, macs)};
    mb_pipeline *p = NULL;
    mb_error err;
    CHECK_OK(mb_pipeline_create(&p, context, model, NULL, &options, &err), err);
    CHECK_OK(mb_pipeline_plan(&longer.info, p, W, H, &err), err);
    CHECK_OK(mb_pipeline_plan(&shorter, p, W, H, &err), err);
    CHECK(longer.info.n_nodes > 100 && longer.info.macs > 1e6 && longer.info.arena_bytes >= longer.info.lower_bound);
    CHECK(longer.info.size == sizeof longer && longer.more[0] == 0);
    CHECK(shorter.n_nodes == longer.info.n_nodes && shorter.macs == 0.0);
    mb_pipeline_free(p);
}

typedef struct worker {
    mb_result *result;
    mb_error err;
    const mb_image *image;
} worker;

static void *run_one(void *arg)
{
    worker *w = arg;
    mb_pipeline *p = NULL;
    if (mb_pipeline_create(&p, context, model, NULL, &options, &w->err) == MB_OK) {
        (void)(mb_pipeline_run(&w->result, p, w->image, &w->err) == MB_OK);
    }
    mb_pipeline_free(p);
    return NULL;
}

TEST(threads)
{
    enum { N = 3 };
    pthread_t threads[N];
    worker workers[N] = {0};
    const mb_image image = photo(); /* once: it fills what all of them read */
    for (int i = 0; i < N; i++) {
        workers[i].image = &image;
        CHECK(pthread_create(&threads[i], NULL, run_one, &workers[i]) == 0);
    }
    for (int i = 0; i < N; i++) {
        (void)pthread_join(threads[i], NULL);
        CHECK_MSG(workers[i].result != NULL, "%s", workers[i].err.message);
    }
    for (int i = 0; i < N && workers[0].result != NULL; i++) {
        const mb_result *r = workers[i].result;
        CHECK(r != NULL && r->alpha.width == W && r->cutout.height == H && r->cutout.pixels == MB_PIXELS_RGBA);
        CHECK(r != NULL && memcmp(r->cutout.data, workers[0].result->cutout.data, (size_t)W * H * 4) == 0);
    }
    for (int i = 0; i < N; i++) {
        mb_result_free(workers[i].result);
    }
}

/* Two halves of a run; on the CPU nothing overlaps, and the results are the same. */
TEST(pending)
{
    mb_pipeline *p = NULL;
    mb_pending *x[3] = {NULL};
    mb_result *want = NULL, *r = NULL;
    mb_error err;
    mb_image image = photo(), none = {0};
    CHECK_OK(mb_pipeline_create(&p, context, model, NULL, &options, &err), err);
    CHECK_OK(mb_pipeline_run(&want, p, &image, &err), err);
    CHECK_OK(mb_pipeline_start(&x[0], p, &image, &err), err);
    CHECK_OK(mb_pipeline_start(&x[1], p, &none, &err), err);
    CHECK_OK(mb_pipeline_start(&x[2], p, &image, &err), err);
    CHECK(mb_pipeline_set_options(p, &options, &err) == MB_E_ARGUMENT);
    CHECK(mb_pipeline_finish(&r, x[1], &err) == MB_E_ARGUMENT && r == NULL);
    CHECK_OK(mb_pipeline_finish(&r, x[0], &err), err);
    CHECK(r != NULL && want != NULL && memcmp(r->cutout.data, want->cutout.data, (size_t)W * H * 4) == 0);
    mb_pending_free(x[2]);
    mb_pending_free(NULL);
    CHECK_OK(mb_pipeline_set_options(p, &options, &err), err);
    mb_result_free(r);
    mb_result_free(want);
    mb_pipeline_free(p);
}

static int cancel_at_half(void *user, const mb_progress *p)
{
    double *last = user;
    CHECK(p->done >= *last && p->done <= 1.0);
    *last = p->done;
    return p->done > 0.5;
}

TEST(cancel)
{
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_error err;
    mb_image image = photo();
    double last = 0.0;
    CHECK_OK(mb_pipeline_create(&p, context, model, NULL, &options, &err), err);
    mb_pipeline_set_progress(p, cancel_at_half, &last);
    CHECK(mb_pipeline_run(&r, p, &image, NULL) == MB_E_CANCELLED && r == NULL && last > 0.5);
    mb_pipeline_set_progress(p, NULL, NULL);
    CHECK_OK(mb_pipeline_run(&r, p, &image, &err), err); /* as good as new */
    mb_result_free(r);
    mb_pipeline_free(p);
}

/* A mask from elsewhere, in rows and depths of the caller; every classical method. */
TEST(refine)
{
    static float mask[H][W + 3];
    mb_image image = photo(), m = {.data = mask,
                                   .width = W,
                                   .height = H,
                                   .row_bytes = sizeof mask[0],
                                   .pixels = MB_PIXELS_GRAY,
                                   .depth = MB_DEPTH_F32};
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            mask[y][x] = x > 8 && x < 30 && y > 6 && y < 26 ? 1.0f : 0.0f;
        }
    }
    const mb_detail details[] = {MB_DETAIL_NONE, MB_DETAIL_GUIDED, MB_DETAIL_PYMATTING};
    for (size_t i = 0; i < 3; i++) {
        mb_options o = options;
        mb_pipeline *p = NULL;
        mb_result *r = NULL;
        mb_error err;
        o.detail = details[i];
        o.erode = o.dilate = 2;
        o.foreground = MB_FOREGROUND_ML;
        CHECK_OK(mb_pipeline_create(&p, context, NULL, NULL, &o, &err), err);
        CHECK_OK(mb_pipeline_refine(&r, p, &image, &m, NULL, &err), err);
        if (r != NULL) {
            const unsigned char *a = r->alpha.data;
            CHECK(a[16 * W + 20] == 255 && a[0] == 0 && r->box_width > 10 && r->coverage > 0.2);
        }
        mb_result_free(r);
        r = NULL;
        CHECK(mb_pipeline_run(&r, p, &image, NULL) == MB_E_ARGUMENT);
        mb_pipeline_free(p);
    }
    mb_image t = {0};
    mb_error err;
    CHECK_OK(mb_trimap_make(&t, &m, 1, 2, &err), err);
    CHECK(((unsigned char *)t.data)[16 * W + 20] == 255 && ((unsigned char *)t.data)[16 * W + 32] == 127);
    mb_image_dispose(&t);
}

/* Exactly one of mask and trimap, of the photo's size; the caller's own trimap is the result's, if one is wanted. */
TEST(refine_arguments)
{
    static unsigned char v[H][W], small[4];
    mb_image image = photo(), m = {.data = v, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8},
             other = {.data = small, .width = 2, .height = 2, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
    mb_options o = options;
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_error err;
    o.detail = MB_DETAIL_PYMATTING;
    o.want_trimap = 1;
    CHECK_OK(mb_pipeline_create(&p, context, NULL, NULL, &o, &err), err);
    CHECK(mb_pipeline_refine(&r, p, &image, NULL, NULL, &err) == MB_E_ARGUMENT && r == NULL);
    CHECK_MSG(strcmp(err.message, "got neither a mask nor a trimap: pass either a mask or a trimap") == 0, "%s",
              err.message);
    err = (mb_error){0};
    CHECK(mb_pipeline_refine(&r, p, &image, &m, &m, &err) == MB_E_ARGUMENT && r == NULL);
    CHECK_MSG(strcmp(err.message, "got both a mask and a trimap: pass either a mask or a trimap") == 0, "%s",
              err.message);
    for (int i = 0; i < 2; i++) {
        err = (mb_error){0};
        CHECK(mb_pipeline_refine(&r, p, &image, i == 0 ? &other : NULL, i == 1 ? &other : NULL, &err) == MB_E_ARGUMENT);
        CHECK_MSG(strstr(err.message, i == 0 ? "its mask 2 x 2" : "its trimap 2 x 2") != NULL, "%s", err.message);
    }
    for (int i = 0; i < W * H; i++) {
        v[i / W][i % W] = (unsigned char)(i % W < 12 ? 255 : i % W < 30 ? 100 : 0);
    }
    CHECK_OK(mb_pipeline_refine(&r, p, &image, NULL, &m, &err), err);
    if (r != NULL) {
        CHECK(r->mask.data == NULL && r->trimap.data != NULL);
        const unsigned char *t = r->trimap.data; /* in the three values that results have */
        CHECK(t != NULL && t[2] == 255 && t[20] == 127 && t[W - 2] == 0);
        CHECK(((unsigned char *)r->alpha.data)[2] == 255 && ((unsigned char *)r->alpha.data)[W - 2] == 0);
        CHECK_MSG(r->warning[0] == '\0', "%s", r->warning);
    }
    mb_result_free(r);
    r = NULL;
    o.erode = o.dilate = 1;
    CHECK_OK(mb_pipeline_set_options(p, &o, &err), err);
    CHECK_OK(mb_pipeline_refine(&r, p, &image, &m, NULL, &err), err); /* closed-form matting's own is 128 */
    for (int i = 0, unknown = 0; r != NULL && i < W * H; i++) {
        const unsigned char t = ((unsigned char *)r->trimap.data)[i];
        unknown += t == 127;
        CHECK_MSG(t == 0 || t == 127 || t == 255, "%d", t);
        CHECK(i < W * H - 1 || unknown > 0);
    }
    mb_result_free(r);
    r = NULL;
    o.detail = MB_DETAIL_GUIDED;
    CHECK_OK(mb_pipeline_set_options(p, &o, &err), err);
    CHECK_OK(mb_pipeline_refine(&r, p, &image, NULL, &m, &err), err);
    CHECK(r != NULL && strstr(r->warning, "detail guided does not solve a trimap") != NULL);
    mb_result_free(r);
    mb_pipeline_free(p);
}

TEST(network)
{
    mb_network *n = NULL;
    mb_error err;
    float *input = calloc(3 * 32 * 32, sizeof *input);
    mb_array a = {input, {1, 3, 32, 32}};
    const char *taps[] = {"p4"}, *wrong[] = {"no.such.node"};
    int64_t dims[4] = {0};
    float logits[32 * 32];
    mb_node_row row;
    CHECK_OK(mb_network_create(&n, context, model, &err), err);
    CHECK(mb_network_n_outputs(n) == 0 && mb_network_node(&row, n, 0) == 0);
    CHECK_OK(mb_network_run(n, &a, taps, 1, &err), err);
    CHECK_OK(mb_network_output_dims(dims, n, "p4", &err), err);
    CHECK(dims[0] == 1 && dims[2] >= 1);
    CHECK_OK(mb_network_read(logits, 32 * 32, n, "logits", &err), err);
    CHECK(logits[0] == logits[0]);
    CHECK(mb_network_read(logits, 7, n, "logits", NULL) == MB_E_ARGUMENT);
    CHECK(mb_network_node(&row, n, 0) == 1 && row.name != NULL && row.kernel != NULL);
    CHECK(mb_network_run(n, &a, wrong, 1, NULL) == MB_E_ARGUMENT);
    a.dims[1] = 4;
    CHECK(mb_network_run(n, &a, NULL, 0, NULL) == MB_E_ARGUMENT);
    mb_network_free(n);
    free(input);
}

SETUP
{
    mb_context_options c;
    mb_error err;
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 2;
    mb_options_init(&options);
    options.input_width = options.input_height = 32;
    REQUIRE_OK(mb_context_create(&context, &c, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, test_model("tiny_legacy"), &err), err);
}

TEARDOWN
{
    mb_model_free(model);
    mb_context_free(context);
}
