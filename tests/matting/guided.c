/* Guided filter: OpenCV's goldens where its arithmetic is sound (eps >= 0.01), f64 truth elsewhere; the node's bytes; a
 * plain f64 filter for sizes that no golden has; same bits for any number of threads. */
#include "matting/fixtures.h"
#include "matting/guided.h"
#include "image/levels.h"
#include "options/options.h"

static double filter_error(const goldens *g, const char *picture, const char *field, int radius, double eps,
                           mb_pool *pool)
{
    char name[64];
    mb_error err;
    snprintf(name, sizeof name, "%s_image", picture);
    mb_image_u8 image = golden_picture(g, name);
    snprintf(name, sizeof name, "%s_mask", picture);
    mb_image_u8 mask = golden_picture(g, name);
    mb_image_view guide = mb_image_view_u8(&image), source = mb_image_view_u8(&mask);
    mb_image_f32 out = {0};
    mb_guided_options o = {radius, eps, 1.0};
    CHECK_OK(mb_guided_filter(&(mb_task){.pool = pool}, &out, &guide, &source, &o, &err), err);
    double worst = max_difference(out.v, golden_f32(g, field), (size_t)out.width * (size_t)out.height);
    mb_image_u8_dispose(&image);
    mb_image_u8_dispose(&mask);
    mb_image_f32_dispose(&out);
    return worst;
}

static void colour_guide(const goldens *g, mb_pool *pool)
{
    static const struct {
        const char *picture, *field;
        int radius;
        double eps, limit;
    } cases[] = {
        {"astronaut", "astronaut_rgb_r1_eps0.01", 1, 0.01, 5e-6},
        {"astronaut", "astronaut_rgb_r21_eps0.015", 21, 0.015, 5e-6},
        {"astronaut", "astronaut_node_6_6_f32", 5, 0.015, 5e-6},
        {"chelsea", "chelsea_node_40_60_f32", 19, 0.015, 5e-6},
        {"astronaut", "astronaut_truth_r9_eps0.001", 9, 1e-3, 2e-6},
        {"chelsea", "chelsea_truth_r9_eps0.001", 9, 1e-3, 2e-6},
        {"astronaut", "astronaut_truth_r5_eps0.0001", 5, 1e-4, 2e-6}, /* ten times tighter than f32 sums could hold */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double worst = filter_error(g, cases[i].picture, cases[i].field, cases[i].radius, cases[i].eps, pool);
        CHECK_MSG(worst <= cases[i].limit, "%s: %g", cases[i].field, worst);
    }
}

/* The node's path: filter, remap, truncate. At most one level on 0.1 % of the pixels. */
static void node_bytes(const goldens *g, mb_pool *pool)
{
    static const char *pictures[] = {"astronaut", "chelsea"};
    static const int pairs[][2] = {{1, 1}, {4, 2}, {6, 6}, {40, 60}};
    static const double levels[][2] = {{0.01, 0.99}, {0.2, 0.8}};
    int found = 0;
    for (int i = 0; i < 16; i++) {
        const char *picture = pictures[i / 8];
        const int *pair = pairs[i / 2 % 4];
        char name[96];
        golden want;
        snprintf(name, sizeof name, "%s_node_%d_%d_%g_%g_u8", picture, pair[0], pair[1], levels[i % 2][0],
                 levels[i % 2][1]);
        if (!golden_find(&want, g, name)) {
            continue;
        }
        found++;
        char field[64];
        snprintf(field, sizeof field, "%s_image", picture);
        mb_image_u8 image = golden_picture(g, field);
        snprintf(field, sizeof field, "%s_mask", picture);
        mb_image_u8 mask = golden_picture(g, field);
        mb_image_view guide = mb_image_view_u8(&image), source = mb_image_view_u8(&mask);
        mb_guided_options o = {mb_guided_layerstyle_radius(pair[0], pair[1]),
                               mb_option_rows[MB_OPTION_guided_eps].standard, 1.0};
        mb_image_f32 out = {0};
        mb_error err;
        CHECK_OK(mb_guided_filter(&(mb_task){.pool = pool}, &out, &guide, &source, &o, &err), err);
        size_t n = (size_t)out.width * (size_t)out.height;
        mb_levels l = mb_levels_of(levels[i % 2][0], levels[i % 2][1]);
        for (size_t k = 0; k < n; k++) {
            mask.v[k] = (uint8_t)(255.0f * mb_levels_apply(l, out.v[k]));
        }
        level_difference d = compare_levels(mask.v, want.data, n);
        CHECK_MSG(d.worst <= 1 && d.count * 1000 <= n, "%s: %zu differ, worst %d", name, d.count, d.worst);
        mb_image_u8_dispose(&image);
        mb_image_u8_dispose(&mask);
        mb_image_f32_dispose(&out);
    }
    CHECK(found >= 8);
}

static double samples_error(const mb_image_view *guide, const mb_image_view *source, mb_guided_options o,
                            const float *want)
{
    mb_image_f32 out = {0};
    mb_error err;
    CHECK_OK(mb_guided_filter(NULL, &out, guide, source, &o, &err), err);
    double worst = max_difference(out.v, want, (size_t)out.width * (size_t)out.height);
    mb_image_f32_dispose(&out);
    return worst;
}

static mb_image_view golden_samples(const goldens *g, const char *name)
{
    golden t = golden_get(g, name);
    return (mb_image_view){t.dims[1], t.dims[0], t.dims[2], t.dtype[0] == 'U' ? t.data : NULL,
                           t.dtype[0] == 'U' ? NULL : t.data};
}

static void other_guides(const goldens *g)
{
    mb_image_view image = golden_samples(g, "astronaut_image"), mask = golden_samples(g, "astronaut_mask");
    mb_image_view gray = golden_samples(g, "gray_guide");
    double worst =
        samples_error(&gray, &mask, (mb_guided_options){8, 1e-3, 1}, golden_f32(g, "gray_truth_r8_eps0.001"));
    CHECK_MSG(worst <= 1e-5, "grey truth %g", worst);
    worst = samples_error(&image, &mask, (mb_guided_options){8, 0.015, 0.5}, golden_f32(g, "fast_r8_eps0.015_s0.5"));
    CHECK_MSG(worst <= 1e-5, "fast %g", worst);

    mb_image_view tiny = golden_samples(g, "tiny_image"), tiny_mask = golden_samples(g, "tiny_mask");
    static const int radii[] = {1, 2, 7, 15}; /* up to several pictures wide: repeated mirroring */
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "tiny_r%d", radii[i]);
        mb_guided_options o = {radii[i], 0.015, 1};
        worst = samples_error(&tiny, &tiny_mask, o, golden_f32(g, name));
        CHECK_MSG(worst <= 5e-6, "%s %g", name, worst);
        snprintf(name, sizeof name, "tiny_truth_r%d", radii[i]);
        worst = samples_error(&tiny, &tiny_mask, o, golden_f32(g, name));
        CHECK_MSG(worst <= 2e-6, "%s %g", name, worst);
    }
    mb_image_view const_mask = golden_samples(g, "const_mask");
    float flat[12 * 15 * 3];
    for (int i = 0; i < 12 * 15 * 3; i++) {
        flat[i] = 0.3f;
    }
    mb_image_view flat_guide = {15, 12, 3, NULL, flat};
    worst =
        samples_error(&flat_guide, &const_mask, (mb_guided_options){3, 0.015, 1}, golden_f32(g, "const_r3_eps0.015"));
    CHECK_MSG(worst <= 1e-5, "flat guide %g", worst);
}

/* Bytes on their own scale (eps too), rounded. */
static void own_scale(const goldens *g)
{
    mb_image_view image = golden_samples(g, "astronaut_image"), mask = golden_samples(g, "astronaut_mask");
    size_t n = (size_t)image.width * (size_t)image.height;
    float *one = malloc(n * sizeof *one), *wide = malloc(3 * n * sizeof *wide);
    uint8_t *rounded = malloc(n);
    mb_error err;
    mb_image_f32 out = {0};
    for (size_t i = 0; one != NULL && wide != NULL && rounded != NULL && i < 3 * n; i++) {
        wide[i] = (float)image.u8[i];
        one[i / 3] = (float)mask.u8[i / 3];
    }
    mb_image_view guide = {image.width, image.height, 3, NULL, wide},
                  source = {image.width, image.height, 1, NULL, one};
    CHECK_OK(mb_guided_filter(NULL, &out, &guide, &source, &(mb_guided_options){3, 100, 1}, &err), err);
    for (size_t i = 0; i < n; i++) {
        float v = out.v[i] < 0 ? 0 : out.v[i] > 255 ? 255 : out.v[i];
        rounded[i] = (uint8_t)lrintf(v);
    }
    level_difference d = compare_levels(rounded, golden_u8(g, "u8_r3_eps100"), n);
    CHECK_MSG(d.worst <= 1 && d.count * 1000 <= n, "%zu differ, worst %d", d.count, d.worst);
    free(one);
    free(wide);
    free(rounded);
    mb_image_f32_dispose(&out);
}

/* ---- a plain filter in f64: whole planes, direct sums, Gaussian elimination */

typedef struct plain {
    int w, h, r;
    const double *guide, *source; /* [h][w][3], [h][w] */
    double *a;                    /* [h][w][4] */
} plain;

static void plain_coefficients(plain *f, double eps)
{
    for (int y = 0; y < f->h; y++) {
        for (int x = 0; x < f->w; x++) {
            double m[3][4] = {{0}}, mean[4] = {0}, n = (2.0 * f->r + 1) * (2.0 * f->r + 1);
            for (int v = y - f->r; v <= y + f->r; v++) {
                for (int u = x - f->r; u <= x + f->r; u++) {
                    int i = mb_reflect(v, f->h) * f->w + mb_reflect(u, f->w);
                    const double *c = f->guide + 3 * i;
                    for (int k = 0; k < 3; k++) {
                        for (int l = 0; l < 3; l++) {
                            m[k][l] += c[k] * c[l] / n;
                        }
                        m[k][3] += c[k] * f->source[i] / n;
                        mean[k] += c[k] / n;
                    }
                    mean[3] += f->source[i] / n;
                }
            }
            for (int k = 0; k < 3; k++) {
                for (int l = 0; l < 4; l++) {
                    m[k][l] -= mean[k] * mean[l];
                }
                m[k][k] += eps;
            }
            for (int k = 0; k < 3; k++) {
                for (int l = 0; l < 3; l++) {
                    double factor = l != k ? m[l][k] / m[k][k] : 0;
                    for (int c = 0; c < 4; c++) {
                        m[l][c] -= factor * m[k][c];
                    }
                }
            }
            double *a = f->a + 4 * (y * f->w + x);
            a[3] = mean[3];
            for (int k = 0; k < 3; k++) {
                a[k] = m[k][3] / m[k][k];
                a[3] -= a[k] * mean[k];
            }
        }
    }
}

static double plain_value(const plain *f, int x, int y)
{
    double sum = 0, n = (2.0 * f->r + 1) * (2.0 * f->r + 1);
    const double *c = f->guide + 3 * (y * f->w + x);
    for (int v = y - f->r; v <= y + f->r; v++) {
        for (int u = x - f->r; u <= x + f->r; u++) {
            const double *a = f->a + 4 * (mb_reflect(v, f->h) * f->w + mb_reflect(u, f->w));
            sum += (a[0] * c[0] + a[1] * c[1] + a[2] * c[2] + a[3]) / n;
        }
    }
    return sum;
}

static void edge_sizes(mb_pool *pool)
{
    static const int sizes[][3] = {{1, 1, 5}, {1, 40, 3},  {40, 1, 3},  {3, 50, 2},  {2, 2, 9},
                                   {5, 4, 1}, {390, 7, 2}, {7, 300, 4}, {64, 65, 1}, {801, 3, 3}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int w = sizes[s][0], h = sizes[s][1], n = w * h;
        mb_image_u8 photo = {0}, mask = {0};
        mb_error err;
        CHECK_OK(mb_image_u8_create(&photo, w, h, 4, &err), err); /* of RGBA the colour counts */
        CHECK_OK(mb_image_u8_create(&mask, w, h, 1, &err), err);
        double *guide = calloc((size_t)n * 3, sizeof *guide), *source = calloc((size_t)n, sizeof *source);
        double *a = calloc((size_t)n * 4, sizeof *a);
        unsigned state = (unsigned)s + 5u;
        for (int i = 0; guide != NULL && source != NULL && a != NULL && i < n; i++) {
            for (int k = 0; k < 4; k++) {
                state = state * 1664525u + 1013904223u;
                photo.v[4 * i + k] = (uint8_t)(state >> 24);
                if (k < 3) {
                    guide[3 * i + k] = (float)photo.v[4 * i + k] / 255.0f;
                }
            }
            mask.v[i] = (state >> 9) % 3 != 0 ? 255 : (uint8_t)(state >> 16);
            source[i] = (float)mask.v[i] / 255.0f;
        }
        plain f = {w, h, sizes[s][2], guide, source, a};
        plain_coefficients(&f, 0.015);
        mb_image_view gs = mb_image_view_u8(&photo), ms = mb_image_view_u8(&mask);
        mb_image_f32 out = {0};
        CHECK_OK(mb_guided_filter(&(mb_task){.pool = pool}, &out, &gs, &ms, &(mb_guided_options){f.r, 0.015, 1}, &err),
                 err);
        double worst = 0;
        for (int i = 0; i < n; i++) {
            worst = fmax(worst, fabs((double)out.v[i] - plain_value(&f, i % w, i / w)));
        }
        CHECK_MSG(worst < 1e-6, "%d x %d: %g", w, h, worst);
        free(guide);
        free(source);
        free(a);
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&mask);
        mb_image_f32_dispose(&out);
    }
}

/* Several tiles: 1, 2 and 3 threads give the same bits. NaN in a mask stays where it is. */
TEST(threads_and_nan)
{
    const int w = 900, h = 600;
    float *guide = malloc((size_t)(w * h * 3) * sizeof *guide), *source = malloc((size_t)(w * h) * sizeof *source);
    unsigned state = 77;
    for (int i = 0; guide != NULL && source != NULL && i < w * h * 3; i++) {
        state = state * 1664525u + 1013904223u;
        guide[i] = (float)(state >> 8) / 16777216.0f;
        source[i / 3] = (i / 3 / w > 300) == (i / 3 % w > 200) ? 1.0f : guide[i] * 0.2f;
    }
    source[12345] = NAN;
    source[54321] = INFINITY;
    mb_image_view gs = {w, h, 3, NULL, guide}, ms = {w, h, 1, NULL, source};
    mb_guided_options o = {6, 0.001, 1.0};
    mb_error err;
    mb_image_f32 first = {0};
    CHECK_OK(mb_guided_filter(NULL, &first, &gs, &ms, &o, &err), err);
    int bad = 0;
    for (int i = 0; i < w * h; i++) {
        bad += !isfinite(first.v[i]);
    }
    CHECK(bad == 0);
    for (int threads = 2; threads <= 3; threads++) {
        mb_pool *pool = NULL;
        mb_image_f32 out = {0};
        CHECK_OK(mb_pool_create(&pool, threads, &err), err);
        CHECK_OK(mb_guided_filter(&(mb_task){.pool = pool}, &out, &gs, &ms, &o, &err), err);
        CHECK(memcmp(out.v, first.v, (size_t)(w * h) * sizeof(float)) == 0);
        mb_image_f32_dispose(&out);
        mb_pool_free(pool);
    }
    mb_image_f32_dispose(&first);
    free(guide);
    free(source);
}

static void count_steps(void *user, double done)
{
    double *seen = user; /* the last, how many times it rose, how many were out of [0, 1] */
    seen[1] += done > seen[0];
    seen[2] += !(done >= 0 && done <= 1);
    seen[0] = done > seen[0] ? done : seen[0];
}

/* Who watches sees it move, at the full size and at a smaller one. */
TEST(progress)
{
    enum { SIDE = 640 };
    float *v = calloc((size_t)SIDE * SIDE * 3, sizeof(float));
    mb_image_view guide = {SIDE, SIDE, 3, NULL, v}, source = {SIDE, SIDE, 1, NULL, v};
    static const double scales[] = {1, 0.5};
    for (int i = 0; v != NULL && i < 2; i++) {
        double seen[3] = {0};
        mb_image_f32 out = {0};
        mb_error err;
        const mb_task task = {.report_progress = count_steps, .user = seen};
        CHECK_OK(mb_guided_filter(&task, &out, &guide, &source, &(mb_guided_options){6, 0.015, scales[i]}, &err), err);
        CHECK_MSG(seen[0] > 0.6 && seen[1] >= 10 && seen[2] == 0, "to %g in %g steps, %g outside", seen[0], seen[1],
                  seen[2]);
        mb_image_f32_dispose(&out);
    }
    free(v);
}

TEST(refusals)
{
    float v[12] = {0};
    mb_image_view a = {2, 2, 3, NULL, v}, b = {2, 2, 1, NULL, v}, c = {1, 2, 1, NULL, v};
    mb_image_f32 out = {0};
    mb_error err = {0};
    CHECK(mb_guided_filter(NULL, &out, &a, &b, &(mb_guided_options){0, 0.1, 1}, &err) == MB_E_ARGUMENT);
    CHECK(mb_guided_filter(NULL, &out, &a, &b, &(mb_guided_options){513, 0.1, 1}, &err) == MB_E_ARGUMENT);
    CHECK(mb_guided_filter(NULL, &out, &a, &b, &(mb_guided_options){3, 0, 1}, &err) == MB_E_ARGUMENT);
    CHECK(mb_guided_filter(NULL, &out, &a, &b, &(mb_guided_options){3, NAN, 1}, &err) == MB_E_ARGUMENT);
    CHECK(mb_guided_filter(NULL, &out, &a, &b, &(mb_guided_options){3, 0.1, 1.5}, &err) == MB_E_ARGUMENT);
    CHECK(mb_guided_filter(NULL, &out, &a, &c, &(mb_guided_options){3, 0.1, 1}, &err) == MB_E_ARGUMENT);
    CHECK(out.v == NULL);
    CHECK(mb_guided_layerstyle_radius(1, 1) == 3 && mb_guided_layerstyle_radius(6, 6) == 5 &&
          mb_guided_layerstyle_radius(255, 255) == 87);
}

static goldens stored; /* refine_guided */
static mb_pool *workers;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 2, &err), err);
    stored = goldens_open_shared("refine_guided");
}

TEARDOWN
{
    goldens_close(&stored);
    mb_pool_free(workers);
}

TEST(colour_guide)
{
    colour_guide(&stored, workers);
}

TEST(node_bytes)
{
    node_bytes(&stored, workers);
}

TEST(other_guides)
{
    other_guides(&stored);
}

TEST(own_scale)
{
    own_scale(&stored);
}

TEST(edge_sizes)
{
    edge_sizes(workers);
}
