/* The refinement as the node runs it: its goldens for every method (VITMatte with the goldens' network output between
 * its two halves), the megapixel limit, failure cases with their warnings, edge sizes. */
#include "matting/fixtures.h"
#include "matting/vitmatte.h"

#include <stdlib.h>

typedef struct node_case {
    mb_detail detail;
    int erode, dilate;
    double black, white, megapixels;
    bool process;
} node_case;

/* Metadata `cases` of the golden file. */
static const node_case cases[7] = {
    {MB_DETAIL_GUIDED, 6, 6, 0.01, 0.99, 1, true},       {MB_DETAIL_GUIDED, 30, 12, 0.15, 0.9, 1, true},
    {MB_DETAIL_PYMATTING, 6, 6, 0.01, 0.99, 1, true},    {MB_DETAIL_PYMATTING, 3, 9, 0.05, 0.95, 1, true},
    {MB_DETAIL_GUIDED, 6, 6, 0.01, 0.99, 1, false},      {MB_DETAIL_VITMATTE, 4, 2, 0.01, 0.99, 0.01, true},
    {MB_DETAIL_VITMATTE_LOCAL, 6, 6, 0.3, 0.8, 1, true},
};

static mb_options options_of(const node_case *c)
{
    mb_options o;
    mb_options_init(&o);
    o.detail = c->detail;
    o.process_detail = c->process;
    o.erode = c->erode;
    o.dilate = c->dilate;
    o.black_point = c->black;
    o.white_point = c->white;
    o.max_megapixels = c->megapixels;
    return o;
}

/* What the network should be fed, and what it gives: its own trimap (the goldens' stub), or a network's output. */
typedef struct network {
    const mb_image_u8 *photo, *trimap; /* NULL: not compared */
    const float *alphas;               /* NULL: the trimap / 255 */
    int width, height;                 /* of alphas */
    int calls;
} network;

static mb_status stand_in(mb_image_f32 *alpha, network *n, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                          mb_error *err)
{
    size_t area = (size_t)photo->width * (size_t)photo->height;
    n->calls++;
    CHECK(photo->channels == 3 && trimap->channels == 1);
    CHECK(photo->width == trimap->width && photo->height == trimap->height);
    if (n->photo != NULL) {
        CHECK(photo->width == n->photo->width && photo->height == n->photo->height);
        CHECK(memcmp(photo->v, n->photo->v, 3 * area) == 0);
        CHECK(memcmp(trimap->v, n->trimap->v, area) == 0);
    }
    int width = n->alphas != NULL ? n->width : photo->width, height = n->alphas != NULL ? n->height : photo->height;
    mb_status status = mb_image_f32_create(alpha, width, height, err);
    for (size_t i = 0; status == MB_OK && i < (size_t)width * (size_t)height; i++) {
        alpha->v[i] = n->alphas != NULL ? n->alphas[i] : (float)trimap->v[i] / 255.0f;
    }
    return status;
}

/* The whole refinement, as the pipeline's matte stage goes through it. */
static mb_status matte(const mb_task *task, mb_matte_job *job, network *n, mb_error *err)
{
    mb_vitmatte_input input = {0};
    mb_image_f32 alpha = {0};
    if (!mb_matte_needs_network(job->options)) {
        return mb_matte_run(task, job, err);
    }
    mb_status status = mb_vitmatte_prepare(task, &input, job, err);
    if (status == MB_OK) {
        CHECK_OK(stand_in(&alpha, n, input.photo, input.trimap, err), *err);
        status = mb_vitmatte_finish(task, job, &input, &alpha, err);
    }
    mb_vitmatte_input_dispose(&input);
    mb_image_f32_dispose(&alpha);
    return status;
}

static void node_goldens(const goldens *g, mb_pool *pool)
{
    static const char *pictures[] = {"astronaut", "chelsea"};
    int found = 0;
    for (int i = 0; i < 14; i++) {
        const node_case *c = &cases[i % 7];
        char name[64];
        golden want;
        snprintf(name, sizeof name, "%s_%d_alpha_u8", pictures[i / 7], i % 7);
        if (!golden_find(&want, g, name)) {
            continue; /* one case is kept for one picture only */
        }
        found++;
        snprintf(name, sizeof name, "%s_image", pictures[i / 7]);
        mb_image_u8 photo = golden_picture(g, name);
        snprintf(name, sizeof name, "%s_mask", pictures[i / 7]);
        mb_image_u8 mask = golden_picture(g, name), fed_photo = {0}, fed_trimap = {0};
        network n = {0};
        if (i % 7 >= 5) {
            snprintf(name, sizeof name, i % 7 == 5 ? "%s_5_vit_image" : "%s_image", pictures[i / 7]);
            fed_photo = golden_picture(g, name);
            snprintf(name, sizeof name, "%s_%d_vit_trimap", pictures[i / 7], i % 7);
            fed_trimap = golden_picture(g, name);
            n = (network){.photo = &fed_photo, .trimap = &fed_trimap};
        }
        mb_options o = options_of(c);
        mb_matte_job job = {.photo = &photo, .mask = &mask, .options = &o};
        mb_warnings warnings = {0};
        const mb_task task = {.pool = pool, .warnings = &warnings};
        mb_error err;
        CHECK_OK(matte(&task, &job, &n, &err), err);
        snprintf(name, sizeof name, "%s case %d", pictures[i / 7], i % 7);
        size_t area = (size_t)job.alpha.width * (size_t)job.alpha.height;
        level_difference d = compare_levels(job.alpha.v, want.data, area);
        bool exact = i % 7 >= 4; /* no network arithmetic in between */
        CHECK_MSG(exact ? d.count == 0 : d.worst <= 1 && d.count * 1000 <= area, "%s: %zu differ, worst %d", name,
                  d.count, d.worst);
        CHECK(n.calls == (i % 7 >= 5));
        CHECK(warnings.n == (i % 7 == 5)); /* the reduced size */
        mb_matte_job_dispose(&job);
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&mask);
        mb_image_u8_dispose(&fed_photo);
        mb_image_u8_dispose(&fed_trimap);
    }
    CHECK(found == 13);
}

/* The node around a real (tiny) network: from its recorded output on, every byte. */
static void network_goldens(mb_pool *pool)
{
    static const struct {
        const char *name;
        node_case c;
    } files[] = {{"64x96", {MB_DETAIL_VITMATTE, 6, 6, 0.2, 0.8, 1.0, true}},
                 {"90x140", {MB_DETAIL_VITMATTE_BASE, 2, 1, 0.01, 0.99, 2.0, true}},
                 {"resized_150x230", {MB_DETAIL_VITMATTE_LOCAL, 3, 2, 0.01, 0.99, 0.02, true}}};
    goldens g = goldens_open("vitmatte_node");
    for (int i = 0; i < 3; i++) {
        char name[64];
        mb_image_u8 p[6];
        static const char *fields[] = {"image", "mask", "trimap", "model_image", "model_trimap", "remapped_u8"};
        for (int k = 0; k < 6; k++) {
            snprintf(name, sizeof name, "%s_%s", files[i].name, fields[k]);
            p[k] = golden_picture(&g, name);
        }
        snprintf(name, sizeof name, "%s_model_alphas", files[i].name);
        golden alphas = golden_get(&g, name);
        network n = {
            .photo = &p[3], .trimap = &p[4], .alphas = alphas.data, .width = alphas.dims[3], .height = alphas.dims[2]};
        mb_options o = options_of(&files[i].c);
        mb_matte_job job = {.photo = &p[0], .mask = &p[1], .options = &o};
        mb_warnings warnings = {0};
        const mb_task task = {.pool = pool, .warnings = &warnings};
        mb_error err;
        CHECK_OK(matte(&task, &job, &n, &err), err);
        size_t area = (size_t)job.alpha.width * (size_t)job.alpha.height;
        CHECK_MSG(memcmp(job.alpha.v, p[5].v, area) == 0, "%s", name);
        CHECK_MSG(job.trimap.v != NULL && memcmp(job.trimap.v, p[2].v, area) == 0, "%s", name);
        for (int k = 0; k < 6; k++) {
            mb_image_u8_dispose(&p[k]);
        }
        mb_matte_job_dispose(&job);
    }
    goldens_close(&g);
}

static void limits(const goldens *g)
{
    golden t = golden_get(g, "vit_target_sizes");
    const int32_t *row = t.data;
    for (int i = 0; i < t.dims[0]; i++, row += 5) {
        int w, h;
        mb_vitmatte_limit(&w, &h, row[0], row[1], row[2] / 10.0);
        CHECK_MSG(w == row[3] && h == row[4], "%d x %d at %g: %d x %d, not %d x %d", row[0], row[1], row[2] / 10.0, w,
                  h, row[3], row[4]);
    }
    int w, h;
    mb_vitmatte_limit(&w, &h, 20000000, 1, 1.0);
    CHECK(w >= 1 && h == 1);
}

static mb_image_u8 filled(int w, int h, int channels, int value)
{
    mb_image_u8 p = {0};
    mb_error err = {0};
    CHECK_OK(mb_image_u8_create(&p, w, h, channels, &err), err);
    memset(p.v, value, (size_t)w * (size_t)h * (size_t)channels);
    return p;
}

/* What a run refuses: other sizes, and a network's detail without the network. */
TEST(refusals)
{
    mb_image_u8 photo = filled(8, 8, 3, 9), mask = filled(8, 8, 1, 255), other = filled(8, 9, 1, 0);
    mb_vitmatte_input input;
    mb_options o;
    mb_options_init(&o);
    mb_matte_job job = {.photo = &photo, .mask = &mask, .options = &o};
    for (int d = MB_DETAIL_NONE; d <= MB_DETAIL_VITMATTE_BASE; d++) {
        o.detail = (mb_detail)d;
        bool networked = mb_matte_needs_network(&o);
        mb_error err = {0};
        CHECK(networked == (d >= MB_DETAIL_VITMATTE));
        CHECK(mb_matte_run(NULL, &job, &err) == (networked ? MB_E_UNSUPPORTED : MB_OK));
        mb_matte_job_dispose(&job);
        job.mask = &other;
        err = (mb_error){0};
        CHECK((networked ? mb_vitmatte_prepare(NULL, &input, &job, &err) : mb_matte_run(NULL, &job, &err)) ==
              MB_E_ARGUMENT);
        CHECK_MSG(strstr(err.message, "the mask is 8 x 9, the photo 8 x 8") == err.message, "%s", err.message);
        CHECK(job.alpha.v == NULL && job.trimap.v == NULL);
        job.mask = &mask;
    }
    /* a network that gives less than the photo */
    mb_image_f32 small = {0};
    mb_error err = {0};
    CHECK_OK(mb_vitmatte_prepare(NULL, &input, &job, &err), err);
    CHECK_OK(mb_image_f32_create(&small, 8, 7, &err), err);
    CHECK(mb_vitmatte_finish(NULL, &job, &input, &small, &err) == MB_E_INTERNAL && job.alpha.v == NULL);
    mb_vitmatte_input_dispose(&input);
    mb_image_f32_dispose(&small);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
    mb_image_u8_dispose(&other);
}

/* One run; checks that alpha is complete and returns the warnings. */
static mb_warnings run(mb_detail detail, const mb_image_u8 *photo, const mb_image_u8 *mask, mb_pool *pool,
                       mb_image_u8 *keep)
{
    mb_options o;
    mb_options_init(&o);
    o.detail = detail;
    network n = {0};
    mb_matte_job job = {.photo = photo, .mask = mask, .options = &o};
    mb_warnings warnings = {0};
    const mb_task task = {.pool = pool, .warnings = &warnings};
    mb_error err;
    CHECK_OK(matte(&task, &job, &n, &err), err);
    CHECK(job.alpha.width == photo->width && job.alpha.height == photo->height && job.alpha.channels == 1);
    if (keep != NULL) {
        *keep = job.alpha;
        job.alpha = (mb_image_u8){0};
    }
    mb_matte_job_dispose(&job);
    return warnings;
}

static bool warned(const mb_warnings *w, mb_warning_code code)
{
    for (int i = 0; i < w->n; i++) {
        if (w->item[i].code == (int)code) {
            return true;
        }
    }
    return false;
}

/* Rows of the specification's table of failure cases: the picture is never lost. */
TEST(failure_cases)
{
    mb_image_u8 photo = filled(40, 30, 4, 80), alpha = {0}; /* RGBA: the colour counts */
    mb_image_u8 black = filled(40, 30, 1, 0), white = filled(40, 30, 1, 255), grey = filled(40, 30, 1, 100);
    mb_warnings w = run(MB_DETAIL_PYMATTING, &photo, &black, NULL, &alpha);
    CHECK(warned(&w, MB_WARN_NO_FOREGROUND) == false && w.n == 0); /* nothing unknown either: the trimap */
    CHECK(memcmp(alpha.v, black.v, 1200) == 0);
    mb_image_u8_dispose(&alpha);
    w = run(MB_DETAIL_PYMATTING, &photo, &white, NULL, &alpha);
    CHECK(w.n == 0 && memcmp(alpha.v, white.v, 1200) == 0);
    mb_image_u8_dispose(&alpha);
    w = run(MB_DETAIL_PYMATTING, &photo, &grey, NULL, &alpha);
    CHECK(w.n == 1 && warned(&w, MB_WARN_NO_FOREGROUND) && memcmp(alpha.v, grey.v, 1200) == 0);
    CHECK(strcmp(mb_warning_name((mb_warning_code)w.item[0].code), "no-foreground") == 0);
    mb_image_u8_dispose(&alpha);
    for (int x = 0; x < 20; x++) { /* half full, half soft: no background */
        for (int y = 0; y < 30; y++) {
            grey.v[y * 40 + x] = 255;
        }
    }
    w = run(MB_DETAIL_PYMATTING, &photo, &grey, NULL, &alpha);
    CHECK(w.n == 1 && warned(&w, MB_WARN_NO_BACKGROUND) && memcmp(alpha.v, grey.v, 1200) == 0);
    mb_image_u8_dispose(&alpha);
    /* black above white: remap's rule, said so */
    mb_options o;
    mb_options_init(&o);
    o.detail = MB_DETAIL_PYMATTING;
    o.black_point = 0.6;
    o.white_point = 0.4;
    mb_matte_job job = {.photo = &photo, .mask = &grey, .options = &o};
    mb_warnings swapped = {0};
    const mb_task task = {.warnings = &swapped};
    mb_error err;
    for (int i = 0; i < 1200; i++) {
        grey.v[i] = i % 40 < 20 ? 255 : 0;
    }
    CHECK_OK(mb_matte_run(&task, &job, &err), err);
    CHECK(warned(&swapped, MB_WARN_POINTS_SWAPPED) && job.alpha.v[5] == 255 && job.alpha.v[35] == 0);
    mb_matte_job_dispose(&job);
    w = run(MB_DETAIL_VITMATTE, &photo, &black, NULL, &alpha);
    CHECK(warned(&w, MB_WARN_NO_FOREGROUND) && memcmp(alpha.v, black.v, 1200) == 0);
    mb_image_u8_dispose(&alpha);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&black);
    mb_image_u8_dispose(&white);
    mb_image_u8_dispose(&grey);
}

/* The rows whose answers are not plain copies: pictures without a window, systems that the direct solver does not get,
 * pictures that VITMatte sees smaller. Each says so. */
TEST(said_and_done)
{
    mb_image_u8 photo = filled(40, 2, 3, 80), mask = filled(40, 2, 1, 0), alpha = {0}, direct = {0};
    for (int i = 0; i < 80; i++) {
        mask.v[i] = i % 40 < 20 ? 255 : 0;
    }
    mb_warnings w = run(MB_DETAIL_PYMATTING, &photo, &mask, NULL, &alpha);
    CHECK(w.n == 1 && warned(&w, MB_WARN_TOO_SMALL));
    bool falls = alpha.v[0] == 255 && alpha.v[39] == 0 && alpha.v[19] > 127 && alpha.v[19] < 200;
    for (int x = 1; x < 40; x++) { /* the blurred mask: from one side to the other, the same in both rows */
        falls = falls && alpha.v[x] <= alpha.v[x - 1] && alpha.v[x] == alpha.v[40 + x];
    }
    CHECK(falls);
    mb_image_u8_dispose(&alpha);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
    photo = filled(60, 50, 3, 0);
    mask = filled(60, 50, 1, 0);
    for (int i = 0; i < 3000; i++) {
        mask.v[i] = i % 60 < 30 ? 255 : 0;
        for (int k = 0; k < 3; k++) {
            photo.v[3 * i + k] = (uint8_t)(i % 60 < 33 ? 40 + i * 7 % 11 : 180 + i * 5 % 13);
        }
    }
    w = run(MB_DETAIL_PYMATTING, &photo, &mask, NULL, &direct);
    CHECK(w.n == 0);
    mb_options o;
    mb_options_init(&o);
    o.detail = MB_DETAIL_PYMATTING;
    mb_matte_job iterated = {.photo = &photo, .mask = &mask, .options = &o, .solver_memory = 1};
    mb_error err;
    w = (mb_warnings){0};
    const mb_task task = {.warnings = &w};
    CHECK_OK(mb_matte_run(&task, &iterated, &err), err);
    int far = 0;
    for (int i = 0; i < 3000; i++) {
        far += abs(iterated.alpha.v[i] - direct.v[i]) > 1;
    }
    CHECK_MSG(warned(&w, MB_WARN_ITERATIVE) && !warned(&w, MB_WARN_RESIDUAL) && far == 0, "%d", far);
    mb_matte_job_dispose(&iterated);
    network n = {0};
    o.detail = MB_DETAIL_VITMATTE;
    o.max_megapixels = 0.001;
    mb_matte_job reduced = {.photo = &photo, .mask = &mask, .options = &o};
    w = (mb_warnings){0};
    CHECK_OK(matte(&task, &reduced, &n, &err), err);
    CHECK(warned(&w, MB_WARN_REDUCED) && reduced.alpha.width == 60 && reduced.alpha.height == 50);
    mb_matte_job_dispose(&reduced);
    mb_image_u8_dispose(&direct);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
}

/* An unknown white island in known black, with next to no regularisation: pixels of two flat colours hardly couple
 * (their weights are of the order of epsilon), so the right side is tiny against what rounding leaves, and no method
 * gets further. The answer stands, and says how good it is. */
TEST(residual_too_large)
{
    mb_image_u8 photo = filled(40, 20, 3, 0), trimap = filled(40, 20, 1, 0);
    for (int i = 0; i < 800; i++) {
        int x = i % 40;
        trimap.v[i] = x < 10 ? 255 : x < 30 ? 128 : 0;
        memset(photo.v + 3 * i, x < 10 || x >= 30 ? 0 : 255, 3);
    }
    for (int pass = 0; pass < 3; pass++) {
        mb_options o;
        mb_options_init(&o);
        o.detail = MB_DETAIL_PYMATTING;
        o.matting_epsilon = pass < 2 ? 1e-12 : 1e-6;
        mb_matte_job job = {.photo = &photo, .user_trimap = &trimap, .options = &o, .solver_memory = pass == 1 ? 1 : 0};
        mb_error err;
        mb_warnings warnings = {0};
        CHECK_OK(mb_matte_run(&(mb_task){.warnings = &warnings}, &job, &err), err);
        bool known = true;
        for (int i = 0; i < 800; i++) {
            known = known && (trimap.v[i] == 128 || job.alpha.v[i] == trimap.v[i]);
        }
        CHECK_MSG(known && warned(&warnings, MB_WARN_RESIDUAL) == (pass < 2), "pass %d", pass);
        mb_matte_job_dispose(&job);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

/* Every method on pictures of odd sizes and masks of every kind. Channels: 1, 3, 4. */
static void edge_sizes(mb_pool *pool)
{
    static const int sizes[][2] = {{1, 1},   {1, 50},  {50, 1},     {2, 2},    {3, 3},
                                   {3, 200}, {200, 3}, {20000, 20}, {20, 5000}};
    static const int channels[] = {1, 3, 4};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int w = sizes[s][0], h = sizes[s][1];
        mb_image_u8 photo = filled(w, h, channels[s % 3], 0), mask = filled(w, h, 1, 0);
        for (size_t i = 0; i < (size_t)w * (size_t)h * (size_t)photo.channels; i++) {
            photo.v[i] = (uint8_t)(i * 2654435761u >> 13);
        }
        for (int kind = 0; kind < 4; kind++) {
            for (int i = 0; i < w * h; i++) {
                int x = i % w, y = i / w;
                mask.v[i] = (uint8_t)(kind == 0   ? 0
                                      : kind == 1 ? 255
                                      : kind == 2 ? 255 * (x == w / 2) /* one pixel wide */
                                                  : (3 * (x + y) < w + h ? 255 : x % 256));
            }
            for (int d = MB_DETAIL_NONE; d <= MB_DETAIL_VITMATTE_BASE; d++) {
                run((mb_detail)d, &photo, &mask, pool, NULL);
            }
        }
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&mask);
    }
}

/* A trimap of the user's own: as it stands, whatever erode and dilate say. */
TEST(own_trimap)
{
    mb_image_u8 photo = filled(60, 20, 3, 0), trimap = filled(60, 20, 1, 0);
    for (int i = 0; i < 1200; i++) {
        int x = i % 60;
        trimap.v[i] = x < 20 ? 0 : x < 40 ? 128 : 255;
        memset(photo.v + 3 * i, x < 30 ? 20 : 230, 3);
    }
    for (int d = MB_DETAIL_NONE; d <= MB_DETAIL_VITMATTE_BASE; d++) {
        mb_options o;
        mb_options_init(&o);
        o.detail = (mb_detail)d;
        network n = {0};
        mb_matte_job job = {.photo = &photo, .user_trimap = &trimap, .options = &o};
        mb_warnings w = {0};
        const mb_task task = {.warnings = &w};
        const mb_image_u8 *alpha = &job.alpha;
        mb_error err;
        CHECK_OK(matte(&task, &job, &n, &err), err);
        CHECK(alpha->v[600] == 0 && alpha->v[659] == 255);
        bool known = true; /* the guided filter's window reaches beyond the band */
        for (int i = 0; i < 1200 && d <= MB_DETAIL_PYMATTING; i++) {
            known = known && (trimap.v[i] == 128 || alpha->v[i] == trimap.v[i]);
        }
        CHECK_MSG(known && warned(&w, MB_WARN_NOT_SOLVED) == (d <= MB_DETAIL_GUIDED), "detail %d", d);
        if (d == MB_DETAIL_PYMATTING) { /* the edge between the two colours is found */
            CHECK_MSG(alpha->v[629] <= 3 && alpha->v[630] >= 252, "%d %d", alpha->v[629], alpha->v[630]);
        }
        mb_matte_job_dispose(&job);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

/* A trimap that lacks a side is said, whatever the method. */
TEST(own_trimap_of_one_side)
{
    static const struct {
        uint8_t left, right;
        bool no_foreground, no_background;
    } sides[] = {{128, 128, true, true}, {0, 128, true, false}, {128, 255, false, true}, {0, 255, false, false}};
    mb_image_u8 photo = filled(60, 20, 3, 60), trimap = filled(60, 20, 1, 0);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        for (int i = 0; i < 1200; i++) {
            trimap.v[i] = i % 60 < 30 ? sides[s].left : sides[s].right;
        }
        for (int d = MB_DETAIL_NONE; d <= MB_DETAIL_VITMATTE; d++) {
            mb_options o;
            mb_options_init(&o);
            o.detail = (mb_detail)d;
            network n = {0};
            mb_matte_job job = {.photo = &photo, .user_trimap = &trimap, .options = &o};
            mb_warnings w = {0};
            const mb_task task = {.warnings = &w};
            mb_error err;
            CHECK_OK(matte(&task, &job, &n, &err), err);
            bool no_foreground = false, no_background = false;
            for (int i = 0; i < w.n; i++) {
                no_foreground = no_foreground || strstr(w.item[i].text, "no foreground") != NULL;
                no_background = no_background || strstr(w.item[i].text, "no background") != NULL;
            }
            CHECK_MSG(no_foreground == sides[s].no_foreground && no_background == sides[s].no_background,
                      "sides %zu, detail %d", s, d);
            CHECK(w.n <= 2);
            mb_matte_job_dispose(&job);
        }
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

/* Erosion and dilation of 1 leave no band. */
TEST(no_band)
{
    mb_image_u8 photo = filled(60, 20, 3, 60), mask = filled(60, 20, 1, 0);
    for (int i = 0; i < 1200; i++) {
        mask.v[i] = i % 60 < 30 ? 255 : i % 60 < 40 ? 90 : 0;
    }
    for (int k = 1; k <= 2; k++) {
        mb_options o;
        mb_options_init(&o);
        o.detail = MB_DETAIL_VITMATTE;
        o.erode = o.dilate = k;
        network n = {0};
        mb_matte_job job = {.photo = &photo, .mask = &mask, .options = &o};
        mb_warnings w = {0};
        const mb_task task = {.warnings = &w};
        mb_error err;
        CHECK_OK(matte(&task, &job, &n, &err), err);
        CHECK_MSG(warned(&w, MB_WARN_NO_UNKNOWN) == (k == 1), "erode %d", k);
        mb_matte_job_dispose(&job);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
}

static bool always(void *user)
{
    (void)user;
    return true;
}

TEST(cancelled)
{
    mb_image_u8 photo = filled(60, 20, 3, 7), mask = filled(60, 20, 1, 0);
    memset(mask.v, 255, 600);
    for (int d = MB_DETAIL_GUIDED; d <= MB_DETAIL_VITMATTE_BASE; d++) {
        mb_options o;
        mb_options_init(&o);
        o.detail = (mb_detail)d;
        network n = {0};
        mb_matte_job job = {.photo = &photo, .mask = &mask, .options = &o};
        const mb_task task = {.should_stop = always};
        mb_error err = {0};
        CHECK(matte(&task, &job, &n, &err) == MB_E_CANCELLED && job.alpha.v == NULL && n.calls == 0);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
}

static goldens stored; /* refine_node */
static mb_pool *workers;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 2, &err), err);
    stored = goldens_open_shared("refine_node");
}

TEARDOWN
{
    goldens_close(&stored);
    mb_pool_free(workers);
}

TEST(node_goldens)
{
    node_goldens(&stored, workers);
}

TEST(network_goldens)
{
    network_goldens(workers);
}

TEST(limits)
{
    limits(&stored);
}

TEST(edge_sizes)
{
    edge_sizes(workers);
}
