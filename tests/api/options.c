/* The options of a run, row by row of engine/options/options.def: every legal value is accepted, what lies beyond each
 * end is refused with the range, every value has an effect on a result (or on the plan), and the comments of the public
 * header tell the range and the default of the table. A row without an effect here fails the test. */
#include "harness/check.h"
#include "harness/image_hash.h"
#include "harness/models.h"
#include "options/options.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 96
#define H 64

/* ---- ranges */

static unsigned char dot[4];
static const mb_image picture_of_dot = {
    .data = dot, .width = 1, .height = 1, .pixels = MB_PIXELS_RGBA, .depth = MB_DEPTH_U8};

/* The default options with one value, and whatever else that value needs to be legal. */
static mb_options with(mb_option_id id, double value)
{
    mb_options o;
    mb_options_init(&o);
    o.background_picture = &picture_of_dot;
    if (id == MB_OPTION_input_width || id == MB_OPTION_input_height) {
        o.input_width = o.input_height = 64;
    }
    mb_option_set(&o, id, value);
    if (value == 0.0) {
        o.input_width = o.input_height = 0;
    }
    return o;
}

static void accepted(mb_option_id id, double value)
{
    mb_options o = with(id, value);
    mb_error err = {0};
    CHECK_MSG(mb_options_check(&o, &err) == MB_OK, "%s = %g: %s", mb_option_rows[id].field, value, err.message);
}

static void refused(mb_option_id id, double value, const char *range)
{
    mb_options o = with(id, value);
    mb_error err = {0};
    char want[160];
    (void)snprintf(want, sizeof want, "%s %.10g: %s", mb_option_rows[id].field, value, range);
    CHECK_MSG(mb_options_check(&o, &err) == MB_E_ARGUMENT, "%s = %g is accepted", mb_option_rows[id].field, value);
    CHECK_MSG(strncmp(err.message, want, strlen(want)) == 0, "\"%s\" is not \"%s\"", err.message, want);
}

static void test_range(mb_option_id id)
{
    const mb_option_row *row = &mb_option_rows[id];
    char range[100];
    (void)snprintf(range, sizeof range, "%.10g to %.10g", row->least, row->most);
    accepted(id, row->standard);
    if (row->kind == MB_OPTION_KIND_CODE) {
        for (int i = 0; row->names[i] != NULL; i++) {
            accepted(id, strtod(row->names[i], NULL));
        }
        refused(id, 12, "0, 8, 16");
        refused(id, 24, "0, 8, 16");
        refused(id, -8, "0, 8, 16");
        return;
    }
    int whole = row->kind != MB_OPTION_KIND_REAL;
    int values = row->kind == MB_OPTION_KIND_ENUM ? (int)row->most : 0;
    for (int v = 0; v <= values; v++) { /* an enum's values between its ends */
        accepted(id, row->least + v);
    }
    accepted(id, row->most);
    if (row->zero[0] != '\0') {
        accepted(id, 0);
        (void)snprintf(range, sizeof range, "%.10g to %.10g (0: %s)", row->least, row->most, row->zero);
        refused(id, -1, range);
    }
    double below = whole            ? row->least - 1
                   : row->least > 0 ? row->least * 0.99
                                    : -1e-3,
           above = whole ? row->most + 1 : row->most * 1.01;
    if (!(below == 0.0 && row->zero[0] != '\0')) {
        refused(id, below, range);
    }
    if (!whole || above <= 2147483647.0) { /* an int cannot exceed the largest one */
        refused(id, above, range);
    }
    if (!whole) {
        refused(id, NAN, range);
        refused(id, INFINITY, range);
    }
}

TEST(combinations)
{
    mb_options o;
    mb_error err = {0};
    mb_options_init(&o);
    o.input_width = 64;
    CHECK(mb_options_check(&o, &err) == MB_E_ARGUMENT && strstr(err.message, "set both or neither") != NULL);
    mb_options_init(&o);
    o.background = MB_BACKGROUND_PICTURE;
    err = (mb_error){0};
    CHECK(mb_options_check(&o, &err) == MB_E_ARGUMENT && strstr(err.message, "needs background_picture") != NULL);
    mb_options_init(&o);
    o.black_point = 0.6;
    o.white_point = 0.4;
    err = (mb_error){0};
    CHECK(mb_options_check(&o, &err) == MB_E_ARGUMENT);
    CHECK_MSG(strcmp(err.message, "black_point 0.6 is above white_point 0.4") == 0, "%s", err.message);
    static const char *const nodes[] = {"birefnet-ultra", "birefnet-ultra-v2"};
    for (int i = 0; i < 2; i++) { /* the nodes accept it */
        CHECK_OK(mb_options_preset(&o, nodes[i], &err), err);
        o.black_point = 0.6;
        o.white_point = 0.4;
        CHECK_OK(mb_options_check(&o, &err), err);
    }
    o.recipe = MB_RECIPE_AUTO;
    o.white_point = 0.6; /* equal: a hard threshold */
    CHECK_OK(mb_options_check(&o, &err), err);
}

/* ---- effects */

static mb_pipeline *pipeline;
static unsigned char photo8[H][W][3], clear8[H][W][4], mask8[H][W];
static unsigned short photo16[H][W][3];

/* A soft disc with a hole and a speck beside it, over a noisy slope. */
static void make_pictures(void)
{
    unsigned noise = 1;
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            double r = hypot(x - 40, y - 32), speck = hypot(x - 86, y - 10);
            double in = 255 - (r - 16) * 40, other = speck < 3 ? 255 : 0;
            in = in < 0 ? 0 : in > 255 ? 255 : in;
            in = r < 3 ? 0 : in > other ? in : other;
            mask8[y][x] = (unsigned char)in;
            for (int c = 0; c < 3; c++) {
                noise = noise * 1103515245u + 12345u;
                double v = in / 255 * (c == 0 ? 210 : 60 + y / 4) + (1 - in / 255) * (40 + 30 * c + x) +
                           (double)(noise >> 16 & 15);
                photo8[y][x][c] = clear8[y][x][c] = (unsigned char)v;
                clear8[y][x][3] = (unsigned char)(2 * x);
                photo16[y][x][c] = (unsigned short)(v * 257 + (noise >> 20 & 63));
            }
        }
    }
}

/* DEEP: MASK with a photo of 16 bits; CLEAR: with one that has an alpha; TRIMAP: the mask's picture as a trimap */
typedef enum source { NETWORK, MASK, DEEP, CLEAR, TRIMAP, PLAN } source;

typedef struct effect {
    mb_option_id id;
    source how;
    void (*prepare)(mb_options *o); /* what else must hold, so that the option acts; NULL: nothing */
    int n;                          /* of values; 0: all of an enum, flag or code, or a number's default and ends */
    double values[4];
    int same[4][2]; /* values that are meant to give the same result; 0, 0 after the last */
} effect;

/* All that a run gives but for its times, as one number. */
static uint64_t fingerprint(const mb_options *o, source how, const char *name)
{
    mb_error err = {0};
    mb_result *r = NULL;
    uint64_t h = HASH_START;
    const mb_image deep = {.data = photo16, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16};
    const mb_image flat = {.data = photo8, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
    const mb_image mask = {.data = mask8, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
    const mb_image clear = {.data = clear8, .width = W, .height = H, .pixels = MB_PIXELS_RGBA, .depth = MB_DEPTH_U8};
    const mb_image *photo = how == DEEP ? &deep : how == CLEAR ? &clear : &flat;
    mb_status status = mb_pipeline_set_options(pipeline, o, &err);
    if (status == MB_OK && how == PLAN) {
        mb_plan_info plan = {.size = sizeof plan};
        status = mb_pipeline_plan(&plan, pipeline, 2048, 1536, &err); /* 3 megapixels */
        h = hash_mix(h, &plan.macs, sizeof plan.macs);
        h = hash_mix(h, &plan.total_bytes, sizeof plan.total_bytes);
    } else if (status == MB_OK) {
        status = how == NETWORK ? mb_pipeline_run(&r, pipeline, &flat, &err)
                                : mb_pipeline_refine(&r, pipeline, photo, how == TRIMAP ? NULL : &mask,
                                                     how == TRIMAP ? &mask : NULL, &err);
    }
    CHECK_MSG(status == MB_OK, "%s: %s", name, err.message);
    if (r != NULL) {
        h = hash_result(h, r);
        h = hash_mix(h, &r->crop_x, sizeof r->crop_x);
    }
    mb_result_free(r);
    return h;
}

static void guided(mb_options *o)
{
    o->detail = MB_DETAIL_GUIDED;
}
static void closed_form(mb_options *o)
{
    o->detail = MB_DETAIL_PYMATTING;
    o->depth = 16;
}
static void vitmatte(mb_options *o)
{
    o->detail = MB_DETAIL_VITMATTE;
    o->want_trimap = 1;
    o->erode = o->dilate = 2;
}
static void any_picture(mb_options *o)
{
    static unsigned char v[2][2][3] = {{{255, 0, 0}, {0, 255, 0}}, {{0, 0, 255}, {9, 9, 9}}};
    static const mb_image picture = {.data = v, .width = 2, .height = 2, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
    o->background_picture = &picture;
    o->background_colour[1] = o->background_colour[3] = 255;
}
static void white(mb_options *o)
{
    o->background = MB_BACKGROUND_COLOUR;
    memset(o->background_colour, 255, 4);
}
static void blurred(mb_options *o)
{
    o->background = MB_BACKGROUND_BLUR;
}
static void cropped(mb_options *o)
{
    o->crop = 1;
}

static const effect effects[] = {
    /* This model is a BiRefNet v1, for which AUTO is LAYERSTYLE. */
    {.id = MB_OPTION_recipe, .how = NETWORK, .same = {{MB_RECIPE_AUTO, MB_RECIPE_LAYERSTYLE}}},
    /* Width and height: both change with the row, see set_value. */
    {.id = MB_OPTION_input_width, .how = NETWORK, .n = 3, .values = {32, 64, 96}},
    {.id = MB_OPTION_input_height, .how = NETWORK, .n = 3, .values = {32, 64, 96}},
    /* The CPU computes in f32 for all but bf16; what they do on a GPU is in tests/cuda. */
    {.id = MB_OPTION_precision, .how = NETWORK, .same = {{0, 1}, {0, 2}, {0, 3}}},
    {.id = MB_OPTION_process_detail, .how = MASK, .prepare = guided},
    /* One matting model serves all three names here. */
    {.id = MB_OPTION_detail, .how = MASK, .same = {{3, 4}, {3, 5}}},
    {.id = MB_OPTION_erode, .how = MASK, .prepare = vitmatte, .n = 4, .values = {1, 2, 3, 255}},
    {.id = MB_OPTION_dilate, .how = MASK, .prepare = vitmatte, .n = 4, .values = {1, 2, 4, 255}},
    {.id = MB_OPTION_black_point, .how = MASK, .prepare = guided},
    {.id = MB_OPTION_white_point, .how = MASK, .prepare = guided},
    {.id = MB_OPTION_max_megapixels, .how = PLAN, .prepare = vitmatte},
    {.id = MB_OPTION_foreground, .how = MASK},
    {.id = MB_OPTION_want_cutout, .how = MASK},
    {.id = MB_OPTION_want_trimap, .how = MASK, .prepare = closed_form},
    {.id = MB_OPTION_segment, .how = NETWORK},
    {.id = MB_OPTION_flip, .how = NETWORK},
    {.id = MB_OPTION_grabcut, .how = MASK},
    {.id = MB_OPTION_guided_radius, .how = MASK, .prepare = guided, .n = 4, .values = {0, 1, 4, 512}},
    {.id = MB_OPTION_guided_eps, .how = MASK, .prepare = guided},
    {.id = MB_OPTION_guided_scale, .how = MASK, .prepare = guided},
    {.id = MB_OPTION_matting_epsilon, .how = MASK, .prepare = closed_form},
    {.id = MB_OPTION_min_area, .how = MASK, .n = 3, .values = {0, 40, 2147483647}},
    {.id = MB_OPTION_largest, .how = MASK},
    {.id = MB_OPTION_feather, .how = MASK, .n = 4, .values = {0, 0.5, 3, 100}},
    {.id = MB_OPTION_feather, .how = DEEP, .n = 3, .values = {0, 0.5, 100}},
    {.id = MB_OPTION_invert, .how = MASK},
    {.id = MB_OPTION_depth, .how = MASK, .same = {{0, 8}}},
    {.id = MB_OPTION_depth, .how = DEEP, .same = {{0, 16}}},
    {.id = MB_OPTION_premultiplied, .how = MASK},
    {.id = MB_OPTION_clean_transparent, .how = MASK},
    {.id = MB_OPTION_background, .how = MASK, .prepare = any_picture},
    {.id = MB_OPTION_background_colour, .how = MASK, .prepare = white, .n = 2, .values = {0, 1}},
    {.id = MB_OPTION_background_picture, .how = MASK, .prepare = any_picture, .n = 2, .values = {0, 1}},
    {.id = MB_OPTION_background_blur, .how = MASK, .prepare = blurred},
    {.id = MB_OPTION_linear, .how = MASK, .prepare = white},
    {.id = MB_OPTION_crop, .how = MASK},
    {.id = MB_OPTION_crop_margin, .how = MASK, .prepare = cropped},
    {.id = MB_OPTION_input_alpha, .how = CLEAR},
    {.id = MB_OPTION_trimap_low, .how = TRIMAP},
    {.id = MB_OPTION_trimap_high, .how = TRIMAP},
};

/* The values of an effect: its own, or all of the row. */
static int values_of(double *values, const effect *e)
{
    const mb_option_row *row = &mb_option_rows[e->id];
    int n = 0;
    for (; n < e->n; n++) {
        values[n] = e->values[n];
    }
    if (n > 0) {
        return n;
    }
    if (row->kind == MB_OPTION_KIND_ENUM || row->kind == MB_OPTION_KIND_FLAG) {
        for (; n <= (int)row->most; n++) {
            values[n] = n;
        }
    } else if (row->kind == MB_OPTION_KIND_CODE) {
        for (; row->names[n] != NULL; n++) {
            values[n] = strtod(row->names[n], NULL);
        }
    } else {
        values[n++] = row->standard;
        values[n] = row->least;
        n += row->least != row->standard;
        values[n] = row->most;
        n += row->most != row->standard;
    }
    return n;
}

static void set_value(mb_options *o, mb_option_id id, double value)
{
    if (id == MB_OPTION_background_colour) {
        o->background_colour[2] = value > 0 ? 17 : 255;
    } else if (id == MB_OPTION_background_picture) {
        o->background = MB_BACKGROUND_PICTURE;
        o->background_picture = value > 0 ? &picture_of_dot : o->background_picture;
    } else {
        mb_option_set(o, id, value);
    }
}

static void test_effect(const effect *e)
{
    double values[16];
    uint64_t prints[16];
    int n = values_of(values, e);
    const char *field = mb_option_rows[e->id].field;
    for (int i = 0; i < n; i++) {
        mb_options o;
        char name[64];
        mb_options_init(&o);
        o.input_width = o.input_height = 64;
        if (e->prepare != NULL) {
            e->prepare(&o);
        }
        set_value(&o, e->id, values[i]);
        (void)snprintf(name, sizeof name, "%s = %g", field, values[i]);
        prints[i] = fingerprint(&o, e->how, name);
    }
    for (int i = 0; i < n; i++) {
        for (int k = i + 1; k < n; k++) {
            bool same = false;
            for (int s = 0; s < 4 && e->same[s][1] != 0; s++) {
                /* "a as b, a as c" means that b is as c, too */
                int first = e->same[s][0], second = e->same[s][1];
                bool both = (values[i] == first || values[i] == second);
                for (int t = 0; t < 4 && e->same[t][1] != 0; t++) {
                    same = same || (both && (values[k] == e->same[t][0] || values[k] == e->same[t][1]));
                }
            }
            CHECK_MSG((prints[i] == prints[k]) == same, "%s: %g and %g give %s", field, values[i], values[k],
                      same ? "different results" : "the same result");
        }
    }
}

/* ---- the public header */

static char *read_header(void)
{
    FILE *f = fopen(MB_SOURCE_DIR "/engine/include/mattebox.h", "rb");
    char *text = calloc(1, 1 << 17);
    CHECK(f != NULL && text != NULL && fread(text, 1, (1 << 17) - 1, f) > 1000);
    if (f != NULL) {
        (void)fclose(f);
    }
    return text;
}

/* The comment behind the declaration of a field: the text between its "/" "*" and the end; "" if there is none. */
static void comment_of(char *out, size_t bytes, const char *header, const char *field)
{
    const char *at = strstr(header, "typedef struct mb_options {"),
               *end = at != NULL ? strstr(at, "} mb_options;") : NULL;
    size_t n = strlen(field);
    out[0] = '\0';
    for (; at != NULL && at < end; at = strchr(at, '\n') + 1) {
        const char *stop = strchr(at, ';'), *name = stop != NULL ? stop : at;
        const char *bracket = memchr(at, '[', (size_t)(name - at));
        name = (bracket != NULL ? bracket : name) - n;
        if (stop == NULL || stop > end || name <= at || strncmp(name, field, n) != 0 ||
            isalnum((unsigned char)name[-1]) || name[-1] == '_' || memchr(at, '\n', (size_t)(stop - at)) != NULL) {
            continue;
        }
        const char *from = strstr(stop, "/*"), *to = from != NULL ? strstr(from, "*/") : NULL;
        if (to != NULL && memchr(stop, '\n', (size_t)(from - stop)) == NULL) {
            (void)snprintf(out, bytes, "%.*s", (int)(to - from), from);
        }
        return;
    }
}

/* Does the comment have "LEAST .. MOST"? */
static bool tells_range(const char *comment, double least, double most)
{
    const char *dots = strstr(comment, " .. ");
    if (dots == NULL) {
        return false;
    }
    const char *number = dots;
    while (number > comment && strchr("0123456789.e-+", number[-1]) != NULL) {
        number--;
    }
    return strtod(number, NULL) == least && strtod(dots + 4, NULL) == most;
}

/* Does it have "default VALUE", with a number or an enum's constant without its prefix? */
static bool tells_default(const char *comment, const mb_option_row *row)
{
    const char *word = strstr(comment, "default ");
    if (word == NULL) {
        return false;
    }
    word += strlen("default ");
    if (row->kind != MB_OPTION_KIND_ENUM) {
        char *end;
        double value = strtod(word, &end);
        return end != word && value == row->standard;
    }
    const char *name = row->names[(int)row->standard];
    size_t i = 0;
    while (name[i] != '\0' && toupper((unsigned char)name[i]) == word[i]) {
        i++;
    }
    return name[i] == '\0' && !isalnum((unsigned char)word[i]);
}

TEST(header)
{
    char *header = read_header(), comment[512];
    for (int i = 0; header != NULL && i < MB_N_OPTIONS; i++) {
        const mb_option_row *row = &mb_option_rows[i];
        comment_of(comment, sizeof comment, header, row->field);
        if (!CHECK_MSG(comment[0] != '\0', "mattebox.h: %s has no comment", row->field) ||
            row->kind == MB_OPTION_KIND_OTHER) {
            continue;
        }
        bool number = row->kind == MB_OPTION_KIND_INT || row->kind == MB_OPTION_KIND_REAL;
        CHECK_MSG(!number || tells_range(comment, row->least, row->most), "mattebox.h: %s is %g .. %g: \"%s\"",
                  row->field, row->least, row->most, comment);
        CHECK_MSG(tells_default(comment, row), "mattebox.h: the default of %s is %g: \"%s\"", row->field, row->standard,
                  comment);
    }
    /* The readers themselves see a wrong range, a wrong default and a missing comment. */
    CHECK(!tells_range("/* 1 .. 254, default 6 */", 1, 255) && tells_range("/* 1e-9 .. 1e6 */", 1e-9, 1e6));
    CHECK(!tells_default("/* default 7 */", &mb_option_rows[MB_OPTION_erode]));
    CHECK(!tells_default("/* default NONE */", &mb_option_rows[MB_OPTION_recipe]));
    comment_of(comment, sizeof comment, "typedef struct mb_options {\n    int a;\n    int b; /* x */\n} mb_options;",
               "a");
    CHECK(comment[0] == '\0');
    free(header);
}

/* The header says how wide the unknown band is: about 2.5 (N - 1) pixels on each side, nothing with 1. */
TEST(band)
{
    static unsigned char v[8][200];
    const mb_image mask = {.data = v, .width = 200, .height = 8, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
    char *header = read_header();
    CHECK(header != NULL && strstr(header, "2.5 (erode - 1) pixels wide") != NULL);
    free(header);
    for (int i = 0; i < 8 * 200; i++) {
        v[i / 200][i % 200] = i % 200 < 100 ? 255 : 0;
    }
    for (int n = 1; n <= 20; n++) {
        mb_image t = {0};
        mb_error err;
        int inside = 0, outside = 0;
        CHECK_OK(mb_trimap_make(&t, &mask, n, n, &err), err);
        for (int x = 0; t.data != NULL && x < 200; x++) {
            const int unknown = ((unsigned char *)t.data)[4 * 200 + x] == 127;
            inside += x < 100 && unknown;
            outside += x >= 100 && unknown;
        }
        const double wide = 2.5 * (n - 1);
        CHECK_MSG(fabs(inside - wide) <= 2.5 && fabs(outside - wide) <= 2.5 && inside + outside == 5 * (n - 1),
                  "N %d: %d inside, %d outside", n, inside, outside);
        mb_image_dispose(&t);
    }
}

TEST(ranges)
{
    for (int i = 0; i < MB_N_OPTIONS; i++) {
        if (mb_option_rows[i].kind != MB_OPTION_KIND_OTHER) {
            test_range((mb_option_id)i);
        }
    }
}

TEST(effects)
{
    mb_context *context = NULL;
    mb_model *model = NULL, *matting = NULL;
    mb_context_options c;
    mb_error err;
    bool covered[MB_N_OPTIONS] = {false};
    make_pictures();
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 1;
    REQUIRE_OK(mb_context_create(&context, &c, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, test_model("tiny_legacy"), &err), err);
    REQUIRE_OK(mb_model_open(&matting, context, test_model("vitmatte_tiny4"), &err), err);
    REQUIRE_OK(mb_pipeline_create(&pipeline, context, model, matting, NULL, &err), err);
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        covered[effects[i].id] = true;
        test_effect(&effects[i]);
    }
    for (int i = 0; i < MB_N_OPTIONS; i++) {
        CHECK_MSG(covered[i], "%s has no row in `effects`: show what it changes", mb_option_rows[i].field);
    }
    mb_pipeline_free(pipeline);
    mb_model_free(matting);
    mb_model_free(model);
    mb_context_free(context);
}
