/* Closed-form matting: blur, trimap, Laplacian entries, solutions by every solver against a sparse LU of the same
 * system, the node's bytes, islands, failure cases, odd sizes, threads, cancelling. */
#include "image/blur.h"
#include "matting/closed_form.h"
#include "matting/fixtures.h"
#include "matting/laplacian.h"

static const mb_solver solvers[] = {MB_SOLVER_AUTO, MB_SOLVER_PCG, MB_SOLVER_CHOLMOD};

typedef struct blur_out {
    double *v;
    int width;
} blur_out;

static void keep_row(void *arg, int y, int x, const double *values, int n)
{
    const blur_out *o = arg;
    memcpy(o->v + (size_t)y * (size_t)o->width + (size_t)x, values, (size_t)n * sizeof *values);
}

static void blur(const goldens *g, mb_pool *pool)
{
    static const struct {
        const char *mask, *field;
        int size;
    } cases[] = {{"astronaut_mask", "astronaut_blur_11", 11}, {"chelsea_mask", "chelsea_blur_7", 7}};
    for (int i = 0; i < 2; i++) {
        mb_image_u8 mask = golden_picture(g, cases[i].mask);
        size_t n = (size_t)mask.width * (size_t)mask.height;
        blur_out out = {calloc(n, sizeof(double)), mask.width};
        mb_error err;
        CHECK_OK(mb_gauss_blur(&(mb_task){.pool = pool}, &mask, cases[i].size, keep_row, &out, &err), err);
        golden want = golden_get(g, cases[i].field);
        bool wide = strcmp(want.dtype, "F64") == 0;
        double worst = 0;
        for (size_t k = 0; k < n; k++) {
            double w = wide ? ((const double *)want.data)[k] : (double)((const float *)want.data)[k];
            worst = fmax(worst, fabs(out.v[k] - w));
        }
        CHECK_MSG(worst <= (wide ? 1e-12 : 1e-7), "%s: %g", cases[i].field, worst);
        free(out.v);
        mb_image_u8_dispose(&mask);
    }
}

/* Kernels wider than the picture, and than a tile, against plain sums. */
static void blur_sizes(mb_pool *pool)
{
    static const int sizes[][3] = {{1, 1, 11}, {5, 3, 21}, {1, 40, 7}, {600, 5, 9}, {3, 150, 321}, {1100, 70, 101}};
    for (int s = 0; s < 6; s++) {
        int w = sizes[s][0], h = sizes[s][1], size = sizes[s][2], r = size / 2;
        mb_image_u8 mask = {0};
        mb_error err;
        CHECK_OK(mb_image_u8_create(&mask, w, h, 1, &err), err);
        for (int i = 0; i < w * h; i++) {
            mask.v[i] = i % w < w / 3 ? 0 : i % 97 == 0 ? 128 : 255;
        }
        double weights[512], worst = 0;
        mb_gauss_kernel(weights, size);
        blur_out out = {calloc((size_t)w * (size_t)h, sizeof(double)), w};
        CHECK_OK(mb_gauss_blur(&(mb_task){.pool = pool}, &mask, size, keep_row, &out, &err), err);
        for (int k = 0; k < 40; k++) {
            int x = k * 7919 % w, y = k * 104729 % h;
            double sum = 0;
            for (int v = -r; v <= r; v++) {
                for (int u = -r; u <= r; u++) {
                    int at = mb_reflect_101(y + v, h) * w + mb_reflect_101(x + u, w);
                    sum += weights[abs(u)] * weights[abs(v)] * (double)((float)mask.v[at] / 255.0f);
                }
            }
            worst = fmax(worst, fabs(sum - out.v[y * w + x]));
        }
        CHECK_MSG(worst < 1e-12, "%d x %d, kernel %d: %g", w, h, size, worst);
        free(out.v);
        mb_image_u8_dispose(&mask);
    }
}

/* All windows of a small picture as a dense matrix. */
static void dense_laplacian(double *l, const double *image, int w, int h, double epsilon)
{
    memset(l, 0, (size_t)(w * h * w * h) * sizeof *l);
    for (int y = 1; y < h - 1; y++) {
        for (int x = 1; x < w - 1; x++) {
            double colour[9][3], z[9][3];
            int at[9];
            for (int i = 0; i < 9; i++) {
                at[i] = (y - 1 + i / 3) * w + x - 1 + i % 3;
                memcpy(colour[i], image + 3 * at[i], sizeof colour[i]);
            }
            mb_matting_window(z, (const double(*)[3])colour, epsilon);
            for (int i = 0; i < 9; i++) {
                for (int j = 0; j < 9; j++) {
                    double q = z[i][0] * z[j][0] + z[i][1] * z[j][1] + z[i][2] * z[j][2];
                    l[at[i] * w * h + at[j]] += (i == j) - (1 + q) / 9;
                }
            }
        }
    }
}

static void laplacian(const goldens *g)
{
    static const struct {
        const char *image, *field;
        double epsilon, limit;
    } cases[] = {{"lap_image", "lap_eps0.001", 1e-3, 1e-12},
                 {"lap_image", "lap_eps1e-06", 1e-6, 1e-12},
                 {"lap_image", "lap_eps1e-07", 1e-7, 1e-12},
                 {"lap_flat_image", "lap_flat_eps1e-06", 1e-6, 1e-4}};
    double *l = calloc(56 * 56, sizeof *l);
    for (int c = 0; l != NULL && c < 4; c++) {
        const double *want = golden_get(g, cases[c].field).data;
        dense_laplacian(l, golden_get(g, cases[c].image).data, 7, 8, cases[c].epsilon);
        double worst = 0, largest = 0, row_sum = 0;
        for (int i = 0; i < 56; i++) {
            double sum = 0;
            for (int j = 0; j < 56; j++) {
                worst = fmax(worst, fabs(l[i * 56 + j] - want[i * 56 + j]));
                largest = fmax(largest, fabs(want[i * 56 + j]));
                sum += l[i * 56 + j];
            }
            row_sum = fmax(row_sum, fabs(sum));
        }
        CHECK_MSG(worst <= cases[c].limit * largest, "%s: %g of %g", cases[c].field, worst, largest);
        CHECK_MSG(row_sum < 1e-9, "%s: rows sum to %g", cases[c].field, row_sum);
    }
    const double *vec = golden_get(g, "lap_vec").data, *want = golden_get(g, "lap_Lv_eps1e-06").data;
    dense_laplacian(l, golden_get(g, "lap_image").data, 7, 8, 1e-6);
    double worst = 0, largest = 0;
    for (int i = 0; i < 56; i++) {
        double sum = 0;
        for (int j = 0; j < 56; j++) {
            sum += l[i * 56 + j] * vec[j];
        }
        worst = fmax(worst, fabs(sum - want[i]));
        largest = fmax(largest, fabs(want[i]));
    }
    CHECK_MSG(worst <= 1e-12 * largest, "L v: %g of %g", worst, largest);
    free(l);
}

/* alpha against the clipped direct solution: max 1e-5, rms 1e-6; known pixels exact. */
static void compare(const mb_image_f32 *alpha, const mb_image_u8 *trimap, const float *direct, const char *note)
{
    size_t n = (size_t)alpha->width * (size_t)alpha->height;
    double worst = 0, squares = 0;
    int known_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        double want = fmin(fmax((double)direct[i], 0), 1), d = fabs((double)alpha->v[i] - want);
        worst = d > worst || d != d ? d : worst;
        squares += d * d;
        known_wrong += (trimap->v[i] == 0 && alpha->v[i] != 0.0f) || (trimap->v[i] == 255 && alpha->v[i] != 1.0f);
    }
    CHECK_MSG(worst <= 1e-5 && sqrt(squares / (double)n) <= 1e-6, "%s: max %g rms %g", note, worst,
              sqrt(squares / (double)n));
    CHECK_MSG(known_wrong == 0, "%s: %d known pixels changed", note, known_wrong);
}

static void solve_case(const goldens *g, const char *image, const char *tag, double epsilon, mb_pool *pool)
{
    char name[96];
    snprintf(name, sizeof name, "%s_image", image);
    mb_image_u8 photo = golden_picture(g, name);
    snprintf(name, sizeof name, "%s_trimap", epsilon == 1e-6 && strcmp(image, "hair") != 0 ? tag : image);
    mb_image_u8 trimap = golden_picture(g, name);
    snprintf(name, sizeof name, "%s_direct", tag);
    golden direct;
    bool have = golden_find(&direct, g, name); /* else the bytes alone are compared */
    mb_image_view samples = mb_image_view_u8(&photo);
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers; i++) {
        if (!mb_solver_available(solvers[i])) {
            continue;
        }
        mb_closed_form_options o = {.epsilon = epsilon, .solver = solvers[i]};
        mb_closed_form_report report;
        mb_image_f32 alpha = {0};
        mb_error err;
        CHECK_OK(mb_closed_form(&(mb_task){.pool = pool}, &alpha, &samples, &trimap, &o, &report, &err), err);
        char note[128];
        snprintf(note, sizeof note, "%s solver %d (residual %.1e)", tag, (int)solvers[i], report.residual);
        CHECK_MSG(report.outcome == MB_CLOSED_FORM_SOLVED && !report.fell_back, "%s", note);
        CHECK_MSG(report.used == (solvers[i] == MB_SOLVER_AUTO ? MB_SOLVER_CHOLESKY : solvers[i]), "%s", note);
        if (have) {
            compare(&alpha, &trimap, direct.data, note);
        }
        snprintf(name, sizeof name, "%s_node_u8", tag);
        golden bytes;
        if (golden_find(&bytes, g, name)) {
            size_t n = (size_t)alpha.width * (size_t)alpha.height;
            uint8_t *u8 = malloc(n);
            for (size_t k = 0; k < n; k++) {
                u8[k] = (uint8_t)(255.0f * alpha.v[k]);
            }
            level_difference d = compare_levels(u8, bytes.data, n);
            CHECK_MSG(d.worst <= 1 && d.count * 1000 <= n, "%s: %zu bytes differ, worst %d", note, d.count, d.worst);
            free(u8);
        }
        mb_image_f32_dispose(&alpha);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

static void solutions(const goldens *g, mb_pool *pool)
{
    static const char *pictures[] = {"astronaut", "chelsea"};
    static const struct {
        int erode, dilate;
        mb_points points;
    } cases[] = {{1, 1, {0.01, 0.99}}, {6, 6, {0.01, 0.99}}, {6, 6, {0.2, 0.7}}, {20, 20, {0.01, 0.99}}};
    for (int i = 0; i < 8; i++) {
        char tag[64], name[96];
        const char *picture = pictures[i / 4];
        snprintf(tag, sizeof tag, "%s_%d_%d_%g_%g", picture, cases[i % 4].erode, cases[i % 4].dilate,
                 cases[i % 4].points.black, cases[i % 4].points.white);
        snprintf(name, sizeof name, "%s_mask", picture);
        mb_image_u8 mask = golden_picture(g, name), trimap = {0};
        mb_error err;
        int size = mb_closed_form_blur(cases[i % 4].erode, cases[i % 4].dilate);
        CHECK_OK(mb_closed_form_trimap(&(mb_task){.pool = pool}, &trimap, &mask, size, cases[i % 4].points, &err), err);
        snprintf(name, sizeof name, "%s_trimap", tag);
        CHECK_MSG(memcmp(trimap.v, golden_u8(g, name), (size_t)trimap.width * (size_t)trimap.height) == 0, "%s", name);
        mb_image_u8_dispose(&mask);
        mb_image_u8_dispose(&trimap);
        solve_case(g, picture, tag, 1e-6, pool);
    }
    solve_case(g, "hair", "hair_eps1e-06", 1e-6, pool);
    solve_case(g, "hair", "hair_eps1e-07", 1e-7, pool);
    solve_case(g, "island", "island", 1e-6, pool);
}

static mb_image_u8 noise(int w, int h, int channels, unsigned seed)
{
    mb_image_u8 p = {0};
    mb_error err = {0};
    CHECK_OK(mb_image_u8_create(&p, w, h, channels, &err), err);
    unsigned state = seed + 9u;
    for (int i = 0; i < w * h * channels; i++) {
        state = state * 1664525u + 1013904223u;
        p.v[i] = (uint8_t)(state >> 24);
    }
    return p;
}

/* The trimap decides: every outcome, and what alpha then is. */
TEST(outcomes)
{
    static const struct {
        int w, h;
        uint8_t levels[3]; /* first third, middle, last third of the columns */
        mb_closed_form_outcome outcome;
        float middle; /* expected there, < 0: anything in [0,1] */
    } cases[] = {
        {12, 6, {0, 128, 255}, MB_CLOSED_FORM_SOLVED, -1.0f},
        {12, 6, {0, 0, 255}, MB_CLOSED_FORM_NO_UNKNOWN, 0.0f},
        {12, 6, {0, 128, 0}, MB_CLOSED_FORM_NO_FOREGROUND, 0.0f},
        {12, 6, {255, 128, 255}, MB_CLOSED_FORM_NO_BACKGROUND, 1.0f},
        {12, 6, {128, 128, 128}, MB_CLOSED_FORM_NO_FOREGROUND, 0.0f},
        {12, 2, {0, 128, 255}, MB_CLOSED_FORM_TOO_SMALL, 0.5f},
        {1, 1, {7, 128, 128}, MB_CLOSED_FORM_NO_FOREGROUND, -1.0f},
        {3, 3, {0, 128, 255}, MB_CLOSED_FORM_SOLVED, -1.0f},
        {3, 90, {0, 128, 255}, MB_CLOSED_FORM_SOLVED, -1.0f},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        mb_image_u8 photo = noise(cases[c].w, cases[c].h, 3, (unsigned)c), trimap = noise(cases[c].w, cases[c].h, 1, 0);
        for (int i = 0; i < trimap.width * trimap.height; i++) {
            trimap.v[i] = cases[c].levels[i % trimap.width * 3 / trimap.width];
        }
        mb_image_view samples = mb_image_view_u8(&photo);
        mb_closed_form_report report;
        mb_closed_form_options o = {0};
        mb_image_f32 alpha = {0};
        mb_error err;
        CHECK_OK(mb_closed_form(NULL, &alpha, &samples, &trimap, &o, &report, &err), err);
        CHECK_MSG(report.outcome == cases[c].outcome, "case %zu: outcome %d", c, (int)report.outcome);
        float v = alpha.v[alpha.width / 2];
        CHECK_MSG(cases[c].middle < 0 ? v >= 0 && v <= 1 : v == cases[c].middle, "case %zu: %g", c, (double)v);
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&trimap);
        mb_image_f32_dispose(&alpha);
    }
}

/* An unknown island in the foreground alone is exactly 1, one in the background exactly 0, beside a band to be solved.
 */
TEST(islands)
{
    mb_image_u8 photo = noise(60, 40, 3, 3), trimap = noise(60, 40, 1, 0);
    for (int i = 0; i < 60 * 40; i++) {
        int x = i % 60, y = i / 60;
        trimap.v[i] = x < 28 ? 0 : x < 32 ? 128 : 255;
        if ((x >= 8 && x < 12 && y >= 10 && y < 14) || (x >= 45 && x < 50 && y >= 20 && y < 24)) {
            trimap.v[i] = 128;
        }
    }
    mb_image_view samples = mb_image_view_u8(&photo);
    for (size_t i = 0; i < sizeof solvers / sizeof *solvers && mb_solver_available(solvers[i]); i++) {
        mb_closed_form_options o = {.solver = solvers[i]};
        mb_closed_form_report report;
        mb_image_f32 alpha = {0};
        mb_error err;
        CHECK_OK(mb_closed_form(NULL, &alpha, &samples, &trimap, &o, &report, &err), err);
        CHECK(report.components == 3 && report.unknown == 4 * 40 + 16 + 20);
        CHECK(alpha.v[12 * 60 + 10] == 0.0f && alpha.v[22 * 60 + 47] == 1.0f);
        mb_image_f32_dispose(&alpha);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

static bool after_some(void *user)
{
    return --*(int *)user < 0;
}

/* A wide band: threads give the same bits, a tight memory limit gives the same answer by iteration, cancelling stops.
 */
TEST(wide_band)
{
    const int w = 220, h = 170;
    mb_image_u8 photo = noise(w, h, 3, 8), trimap = noise(w, h, 1, 0);
    for (int i = 0; i < w * h; i++) { /* smooth colours with a little noise: the ill-conditioned kind */
        int x = i % w, y = i / w;
        for (int k = 0; k < 3; k++) {
            photo.v[3 * i + k] = (uint8_t)((x * (k + 1) / 3 + y / 2 + photo.v[3 * i + k] / 32) % 256);
        }
        int d = (x - 110) * (x - 110) + (y - 85) * (y - 85);
        trimap.v[i] = d < 400 ? 255 : d < 6400 ? 128 : 0;
    }
    mb_image_view samples = mb_image_view_u8(&photo);
    mb_image_f32 first = {0}, alpha = {0};
    mb_closed_form_report report;
    mb_closed_form_options o = {0};
    mb_error err;
    CHECK_OK(mb_closed_form(NULL, &first, &samples, &trimap, &o, &report, &err), err);
    CHECK_MSG(report.residual < 1e-9, "%g", report.residual);
    for (int threads = 2; threads <= 3; threads++) {
        mb_task task = {0};
        CHECK_OK(mb_pool_create(&task.pool, threads, &err), err);
        CHECK_OK(mb_closed_form(&task, &alpha, &samples, &trimap, &o, &report, &err), err);
        CHECK(memcmp(alpha.v, first.v, (size_t)(w * h) * sizeof(float)) == 0);
        mb_image_f32_dispose(&alpha);
        mb_pool_free(task.pool);
    }
    o.factor_limit = 4000000;
    CHECK_OK(mb_closed_form(NULL, &alpha, &samples, &trimap, &o, &report, &err), err);
    CHECK_MSG(report.used == MB_SOLVER_PCG && report.fell_back && report.factor_bytes <= 4000000, "%zu",
              report.factor_bytes);
    double worst = max_difference(alpha.v, first.v, (size_t)(w * h));
    CHECK_MSG(worst < 1e-5, "%g after %d iterations, residual %g", worst, report.iterations, report.residual);
    mb_image_f32_dispose(&alpha);
    /* What there is decides: all of it, the direct solver's part only, or not even the system. */
    o = (mb_closed_form_options){0};
    mb_task limited = {.memory_limit = (size_t)report.unknown * 820 + 4 * (size_t)(w * h)};
    CHECK_OK(mb_closed_form(&limited, &alpha, &samples, &trimap, &o, &report, &err), err);
    CHECK(report.used == MB_SOLVER_PCG && max_difference(alpha.v, first.v, (size_t)(w * h)) < 1e-5);
    mb_image_f32_dispose(&alpha);
    limited.memory_limit = (size_t)report.unknown * 700 + 4 * (size_t)(w * h);
    err = (mb_error){0};
    CHECK(mb_closed_form(&limited, &alpha, &samples, &trimap, &o, &report, &err) == MB_E_MEMORY && alpha.v == NULL);
    CHECK_MSG(strstr(err.message, "detail=guided") != NULL && strstr(err.message, " GB, there are ") != NULL &&
                  strstr(err.message, " unknown pixels (") != NULL && strstr(err.message, "detail=vitmatte") != NULL,
              "%s", err.message);
    for (int calls = 0; calls < 30; calls += 13) {
        int left = calls;
        const mb_task stopped = {.should_stop = after_some, .user = &left};
        o.solver = calls % 2 == 0 ? MB_SOLVER_AUTO : MB_SOLVER_PCG;
        err = (mb_error){0};
        CHECK(mb_closed_form(&stopped, &alpha, &samples, &trimap, &o, &report, &err) == MB_E_CANCELLED &&
              alpha.v == NULL);
    }
    mb_image_f32_dispose(&first);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

/* One colour everywhere: S = 0, eps alone keeps the system regular; alpha goes smoothly from one side to the other. */
TEST(flat_picture)
{
    mb_image_u8 photo = noise(80, 20, 3, 1), trimap = noise(80, 20, 1, 0);
    memset(photo.v, 77, 80 * 20 * 3);
    for (int i = 0; i < 80 * 20; i++) {
        trimap.v[i] = i % 80 < 10 ? 0 : i % 80 < 70 ? 128 : 255;
    }
    mb_image_view samples = mb_image_view_u8(&photo);
    for (size_t s = 0; s < sizeof solvers / sizeof *solvers && mb_solver_available(solvers[s]); s++) {
        mb_closed_form_options o = {.solver = solvers[s]};
        mb_closed_form_report report;
        mb_image_f32 alpha = {0};
        mb_error err;
        CHECK_OK(mb_closed_form(NULL, &alpha, &samples, &trimap, &o, &report, &err), err);
        int falls = 0;
        for (int i = 1; i < 80; i++) {
            falls += alpha.v[800 + i] < alpha.v[800 + i - 1] - 1e-6f;
        }
        CHECK_MSG(falls == 0, "solver %d: %d steps down", (int)solvers[s], falls);
        mb_image_f32_dispose(&alpha);
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&trimap);
}

static goldens stored; /* refine_closed */
static mb_pool *workers;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 2, &err), err);
    stored = goldens_open_shared("refine_closed");
}

TEARDOWN
{
    goldens_close(&stored);
    mb_pool_free(workers);
}

TEST(blur_goldens)
{
    blur(&stored, workers);
}

TEST(blur_sizes)
{
    blur_sizes(workers);
}

TEST(laplacian)
{
    laplacian(&stored);
}

TEST(solutions)
{
    solutions(&stored, workers);
}
