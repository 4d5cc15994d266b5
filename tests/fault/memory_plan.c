/* The plan of a run against what the run takes: never less, and not much more (mb_pipeline_plan, mb_result.peak_bytes). */
#include "harness/check.h"
#include "harness/failing.h"
#include "matting/closed_form.h"

#include <mattebox.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RATIO 1.4      /* of what is planned to what is used */
#define MOST_MORE  8000000L /* bytes that do not depend on the photo: tables, scratch of workers */

typedef struct memory_case {
    const char *name;
    void (*set)(mb_options *o);
    int mask;  /* the caller's own: no network runs */
    int depth; /* of the photo; 0: 8 */
} memory_case;

static mb_context *context;
static mb_model *model;

static void plain(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
}
static void guided(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
}
static void guided_small(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->guided_scale = 0.5;
}
static void pymatting(mb_options *o)
{
    o->detail = MB_DETAIL_PYMATTING;
}
static void alpha_only(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->want_cutout = 0;
}
static void own_colours(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->foreground = MB_FOREGROUND_NONE;
}
static void blurfusion(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->foreground = MB_FOREGROUND_BLURFUSION;
}
static void deep(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->depth = 16;
}
static void deep_own_colours(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->depth = 16;
    o->foreground = MB_FOREGROUND_NONE;
}
static void deep_blurfusion(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->depth = 16;
    o->foreground = MB_FOREGROUND_BLURFUSION;
}
static void deep_alpha(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->depth = 16;
    o->want_cutout = 0;
    o->feather = 2;
}
static void blurred(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->background = MB_BACKGROUND_BLUR;
}
static void blurred_little(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->foreground = MB_FOREGROUND_NONE;
    o->background = MB_BACKGROUND_BLUR;
    o->background_blur = 1;
}
static void cropped(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
    o->foreground = MB_FOREGROUND_NONE;
    o->crop = 1;
}
static void feathered(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->want_cutout = 0;
    o->feather = 3;
    o->largest = 1;
}
static void salient(mb_options *o)
{
    o->segment = MB_SEGMENT_SALIENCY;
    o->detail = MB_DETAIL_NONE;
}
static void salient_alpha(mb_options *o)
{
    o->segment = MB_SEGMENT_SALIENCY;
    o->detail = MB_DETAIL_NONE;
    o->want_cutout = 0;
}
static void salient_cut(mb_options *o)
{
    o->segment = MB_SEGMENT_SALIENCY;
    o->detail = MB_DETAIL_NONE;
    o->grabcut = 1;
    o->want_cutout = 0;
}
static void both(mb_options *o)
{
    o->segment = MB_SEGMENT_BOTH;
    o->detail = MB_DETAIL_NONE;
    o->want_cutout = 0;
}
static void cut(mb_options *o)
{
    o->detail = MB_DETAIL_NONE;
    o->grabcut = 1;
}

static const memory_case cases[] = {
    {"none", plain, 0, 0},
    {"guided", guided, 0, 0},
    {"guided, small", guided_small, 0, 0},
    {"alpha only", alpha_only, 0, 0},
    {"own colours", own_colours, 0, 0},
    {"blurfusion", blurfusion, 0, 0},
    {"16 bits", deep, 0, 0},
    {"a photo of 16 bits", guided, 0, 16},
    {"16 bits, own colours", deep_own_colours, 0, 0},
    {"16 bits, blurfusion", deep_blurfusion, 0, 0},
    {"16 bits, alpha", deep_alpha, 0, 0},
    {"blurred", blurred, 0, 0},
    {"blurred a little", blurred_little, 0, 0},
    {"cropped", cropped, 0, 0},
    {"feathered", feathered, 0, 0},
    {"saliency", salient, 0, 0},
    {"saliency, alpha", salient_alpha, 0, 0},
    {"saliency, cut", salient_cut, 0, 0},
    {"both", both, 0, 0},
    {"mask", plain, 1, 0},
    {"mask, guided", guided, 1, 0},
    {"mask, 16 bits", deep, 1, 16},
    {"mask, alpha of 16 bits", deep_alpha, 1, 16},
    {"mask, own colours", own_colours, 1, 0},
    {"mask, pymatting", pymatting, 1, 0},
    {"mask, cut", cut, 1, 0},
};

/* A disc with a soft outline before stripes; its mask. Freed by the caller. */
static void draw(mb_image *photo, mb_image *mask, int width, int height, int depth)
{
    mb_error err = {0};
    REQUIRE_OK(mb_image_create(photo, width, height, MB_PIXELS_RGB, depth == 16 ? MB_DEPTH_U16 : MB_DEPTH_U8, &err),
               err);
    REQUIRE_OK(mb_image_create(mask, width, height, MB_PIXELS_GRAY, depth == 16 ? MB_DEPTH_U16 : MB_DEPTH_U8, &err),
               err);
    const double radius = 0.3 * height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const double d = hypot(x - 0.5 * width, y - 0.5 * height), a = fmin(fmax((radius - d) / 4 + 0.5, 0), 1);
            const double rgb[3] = {a * 0.8 + (1 - a) * 0.2, a * 0.3 + (1 - a) * (0.4 + 0.1 * sin(x * 0.05)),
                                   a * 0.2 + (1 - a) * (0.6 + 0.1 * sin(y * 0.04))};
            const size_t at = (size_t)y * (size_t)width + (size_t)x;
            for (size_t k = 0; k < 4; k++) {
                unsigned char *v = k < 3 ? photo->data : mask->data;
                const size_t i = k < 3 ? 3 * at + k : at;
                const double value = k < 3 ? rgb[k] : a;
                if (depth == 16) {
                    const unsigned short wide = (unsigned short)(65535 * value);
                    memcpy(v + 2 * i, &wide, 2);
                } else {
                    v[i] = (unsigned char)(255 * value);
                }
            }
        }
    }
}

static void check(const memory_case *c, int width, int height)
{
    mb_error err = {0};
    mb_options o;
    mb_image photo = {0}, mask = {0};
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_options_init(&o);
    o.foreground = MB_FOREGROUND_ML;
    c->set(&o);
    const long before = failing_bytes();
    draw(&photo, &mask, width, height, c->depth);
    (void)failing_most_bytes(true);
    REQUIRE_OK(mb_pipeline_create(&p, context, model, NULL, &o, &err), err);
    REQUIRE_OK(c->mask ? mb_pipeline_refine(&r, p, &photo, &mask, NULL, &err) : mb_pipeline_run(&r, p, &photo, &err),
               err);
    const long used =
        failing_most_bytes(false) - before - (c->mask ? 0 : (long)width * height * (c->depth == 16 ? 2 : 1));
    const long planned = (long)r->peak_bytes;
    if (getenv("MATTEBOX_TEST_SHOW") != NULL) {
        printf("%-24s %5d x %-5d planned %7.1f used %7.1f ratio %.2f %s\n", c->name, width, height,
               1e-6 * (double)planned, 1e-6 * (double)used, (double)planned / (double)used, r->warning);
    }
    CHECK_MSG(planned >= used, "%s, %d x %d: planned %ld, used %ld", c->name, width, height, planned, used);
    /* How long an outline is shows with the mask: an ordinary one is planned, and a disc's is short. */
    const double ratio = o.process_detail && o.detail == MB_DETAIL_PYMATTING ? 2.0 : MOST_RATIO;
    CHECK_MSG((double)planned <= ratio * (double)used + MOST_MORE, "%s, %d x %d: planned %ld, used %ld", c->name, width,
              height, planned, used);
    mb_result_free(r);
    mb_pipeline_free(p);
    mb_image_dispose(&photo);
    mb_image_dispose(&mask);
}

SETUP
{
    mb_error err = {0};
    mb_context_options o;
    mb_context_options_init(&o);
    o.device = MB_DEVICE_CPU;
    o.threads = 2;
    REQUIRE_OK(mb_context_create(&context, &o, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, MB_MODEL_FILE, &err), err);
}

TEST(every_kind_of_run)
{
    const int sides[][2] = {{1200, 900}, {3000, 2000}, {4000, 3000}, {6000, 4000}};
    const size_t n = test_long() ? 4 : 2;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < n; k++) {
            check(&cases[i], sides[k][0], sides[k][1]);
        }
    }
}

/* A disc's outline as a band of unknown pixels, solved within what it is allowed. */
static void check_band(double band, int threads, mb_solver solver)
{
    enum { WIDTH = 600, HEIGHT = 450 };
    mb_error err = {0};
    mb_image photo = {0}, mask = {0};
    mb_task task = {0};
    mb_closed_form_report report;
    mb_image_f32 alpha = {0};
    draw(&photo, &mask, WIDTH, HEIGHT, 8);
    unsigned char *v = mask.data;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            const double d = hypot(x - 0.5 * WIDTH, y - 0.5 * HEIGHT) - 0.3 * HEIGHT;
            v[y * WIDTH + x] = d < -0.5 * band ? 255 : d > 0.5 * band ? 0 : 128;
        }
    }
    const mb_image_u8 trimap = {WIDTH, HEIGHT, 1, v}, rgb = {WIDTH, HEIGHT, 3, photo.data};
    const mb_image_view view = mb_image_view_u8(&rgb);
    const mb_closed_form_options o = {.solver = solver};
    REQUIRE_OK(mb_pool_create(&task.pool, threads, &err), err);
    const long before = failing_bytes();
    (void)failing_most_bytes(true);
    REQUIRE_OK(mb_closed_form(&task, &alpha, &view, &trimap, &o, &report, &err), err);
    const long used = failing_most_bytes(false) - before, said = (long)report.bytes;
    CHECK_MSG(said >= used && (double)said <= 1.7 * (double)used, "band %g, %d threads: %d unknown, said %ld, used %ld",
              band, threads, report.unknown, said, used);
    mb_image_f32_dispose(&alpha);
    /* Within the limit of the task, whatever that leaves of the solvers. */
    for (int each = 1000; each < 3000 && solver == MB_SOLVER_AUTO; each += 400) {
        task.memory_limit = (size_t)each * (size_t)report.unknown + (size_t)4 * WIDTH * HEIGHT;
        (void)failing_most_bytes(true);
        REQUIRE_OK(mb_closed_form(&task, &alpha, &view, &trimap, &o, &report, &err), err);
        const long most = failing_most_bytes(false) - before;
        CHECK_MSG(most <= (long)task.memory_limit, "band %g: %ld bytes, %zu are allowed", band, most,
                  task.memory_limit);
        mb_image_f32_dispose(&alpha);
    }
    mb_pool_free(task.pool);
    mb_image_dispose(&photo);
    mb_image_dispose(&mask);
}

TEST(bands)
{
    const double band[] = {5, 25, 120};
    for (int i = 0; i < 3; i++) {
        check_band(band[i], 1, MB_SOLVER_CHOLESKY);
        check_band(band[i], 4, MB_SOLVER_AUTO);
        check_band(band[i], 2, MB_SOLVER_PCG);
    }
}

/* How much is unknown shows with the mask: what cannot fit is refused then, and what was used is said. */
TEST(wide_bands)
{
    enum { WIDTH = 600, HEIGHT = 450 };
    mb_error err = {0};
    mb_options o;
    mb_image photo = {0}, mask = {0};
    mb_context *narrow = NULL;
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_context_options co;
    mb_options_init(&o);
    o.detail = MB_DETAIL_PYMATTING;
    draw(&photo, &mask, WIDTH, HEIGHT, 8);
    unsigned char *v = mask.data;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        v[i] = i % WIDTH < 150 ? 0 : i % WIDTH > 450 ? 255 : 128;
    }
    const long before = failing_bytes();
    (void)failing_most_bytes(true);
    REQUIRE_OK(mb_pipeline_create(&p, context, NULL, NULL, &o, &err), err);
    REQUIRE_OK(mb_pipeline_refine(&r, p, &photo, &mask, NULL, &err), err);
    const long used = failing_most_bytes(false) - before, said = (long)r->peak_bytes;
    CHECK_MSG(said >= used && (double)said <= 1.7 * (double)used, "said %ld, used %ld", said, used);
    mb_result_free(r);
    mb_pipeline_free(p);
    mb_context_options_init(&co);
    co.device = MB_DEVICE_CPU;
    co.threads = 2;
    co.max_memory = (size_t)100 << 20;
    REQUIRE_OK(mb_context_create(&narrow, &co, &err), err);
    REQUIRE_OK(mb_pipeline_create(&p, narrow, NULL, NULL, &o, &err), err);
    (void)failing_most_bytes(true);
    CHECK(mb_pipeline_refine(&r, p, &photo, &mask, NULL, &err) == MB_E_MEMORY);
    CHECK_CONTAINS(err.message, " unknown pixels (");
    CHECK(failing_most_bytes(false) - before < 10000000);
    mb_pipeline_free(p);
    mb_context_free(narrow);
    mb_image_dispose(&photo);
    mb_image_dispose(&mask);
}

/* Where the mask is the caller's, no network that finds one takes memory. */
TEST(refine_without_the_network)
{
    mb_error err = {0};
    mb_options o;
    mb_image photo = {0}, mask = {0};
    mb_context *narrow = NULL;
    mb_model *own = NULL;
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_context_options co;
    mb_options_init(&o);
    o.detail = MB_DETAIL_NONE;
    mb_context_options_init(&co);
    co.device = MB_DEVICE_CPU;
    co.threads = 2;
    co.max_memory = 10000000;
    draw(&photo, &mask, 300, 200, 8);
    REQUIRE_OK(mb_context_create(&narrow, &co, &err), err);
    REQUIRE_OK(mb_model_open(&own, narrow, MB_MODEL_FILE, &err), err);
    REQUIRE_OK(mb_pipeline_create(&p, narrow, own, NULL, &o, &err), err);
    CHECK(mb_pipeline_run(&r, p, &photo, &err) == MB_E_MEMORY);
    CHECK_OK(mb_pipeline_refine(&r, p, &photo, &mask, NULL, &err), err);
    mb_result_free(r);
    mb_pipeline_free(p);
    mb_model_free(own);
    mb_context_free(narrow);
    mb_image_dispose(&photo);
    mb_image_dispose(&mask);
}

TEARDOWN
{
    mb_model_free(model);
    mb_context_free(context);
}
