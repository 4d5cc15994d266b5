/* Foreground colours: multi-level and blur fusion against the libraries' results; the blocked parallel sweep against
 * the serial one, bit for bit; edge sizes; the picture the pipeline gets. */
#include "matting/fixtures.h"
#include "image/convert.h"
#include "matting/foreground.h"

static mb_pool *workers;

/* f (and b) against [H,W,3] goldens. */
static double colour_error(const mb_colours *c, const float *want)
{
    double worst = 0;
    for (size_t i = 0; i < (size_t)c->width * (size_t)c->height; i++) {
        for (size_t k = 0; k < 3; k++) {
            double d = fabs((double)c->v[4 * i + k] - (double)want[3 * i + k]);
            worst = d > worst || d != d ? d : worst;
        }
    }
    return worst;
}

static void ml_case(mb_pool *pool, const goldens *g, const mb_image_u8 *photo, const mb_image_f32 *alpha,
                    const char *tag, const mb_foreground_options *o)
{
    char name[64];
    mb_colours f = {0}, b = {0};
    mb_error err;
    golden want;
    CHECK_OK(mb_foreground_ml(&(mb_task){.pool = pool}, &f, &b, photo, alpha, o, &err), err);
    snprintf(name, sizeof name, "%s_f", tag);
    double worst = colour_error(&f, golden_f32(g, name));
    CHECK_MSG(worst <= 1e-5, "%s: %g", name, worst);
    snprintf(name, sizeof name, "%s_b", tag);
    if (golden_find(&want, g, name)) {
        worst = colour_error(&b, want.data);
        CHECK_MSG(worst <= 1e-5, "%s: %g", name, worst);
    }
    mb_colours_dispose(&f);
    mb_colours_dispose(&b);
}

/* Rows 30..76 and columns 20..50 of a picture and its alpha. */
static void crop(mb_image_u8 *photo, mb_image_f32 *alpha, const mb_image_u8 *p, const mb_image_f32 *a)
{
    mb_error err;
    CHECK_OK(mb_image_u8_create(photo, 31, 47, 3, &err), err);
    CHECK_OK(mb_image_f32_create(alpha, 31, 47, &err), err);
    for (size_t y = 0; y < 47; y++) {
        size_t at = (y + 30) * (size_t)p->width + 20;
        memcpy(photo->v + y * 93, p->v + 3 * at, 93);
        memcpy(alpha->v + y * 31, a->v + at, 31 * sizeof(float));
    }
}

static void multi_level(const goldens *g, mb_pool *pool)
{
    const mb_foreground_options plain = {0};
    const mb_foreground_options other = {
        .regularization = 1e-3f, .gradient_weight = 0.1f, .small_size = 16, .small_iterations = 5, .big_iterations = 3};
    mb_image_u8 photo = golden_picture(g, "astronaut_image"), hair = golden_picture(g, "hair_image"), part = {0};
    mb_image_f32 alpha = golden_plane(g, "alpha"), hair_alpha = golden_plane(g, "hair_alpha"), part_alpha = {0};
    ml_case(pool, g, &photo, &alpha, "opt", &other);
    ml_case(pool, g, &hair, &hair_alpha, "hair", &plain);
    crop(&part, &part_alpha, &photo, &alpha);
    ml_case(pool, g, &part, &part_alpha, "crop", &plain);
    for (size_t i = 0; i < 31 * 47; i++) {
        part_alpha.v[i] = 0;
    }
    ml_case(pool, g, &part, &part_alpha, "zero", &plain);
    for (size_t i = 0; i < 31 * 47; i++) {
        part_alpha.v[i] = 1;
    }
    ml_case(pool, g, &part, &part_alpha, "one", &plain);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&hair);
    mb_image_u8_dispose(&part);
    mb_image_f32_dispose(&alpha);
    mb_image_f32_dispose(&hair_alpha);
    mb_image_f32_dispose(&part_alpha);
}

static void blur_fusion(const goldens *g, mb_pool *pool)
{
    mb_image_u8 photo = golden_picture(g, "astronaut_image"), hair = golden_picture(g, "hair_image");
    mb_image_f32 alpha = golden_plane(g, "alpha"), hair_alpha = golden_plane(g, "hair_alpha");
    mb_foreground_options o = {.first_radius = 31};
    mb_colours f = {0};
    mb_error err;
    CHECK_OK(mb_foreground_blurfusion(&(mb_task){.pool = pool}, &f, &hair, &hair_alpha, &o, &err), err);
    double worst = colour_error(&f, golden_f32(g, "hair_blurfusion_f"));
    CHECK_MSG(worst <= 1e-6, "hair: %g", worst);
    mb_colours_dispose(&f);
    o.first_radius = 0;
    CHECK_OK(mb_foreground_blurfusion(&(mb_task){.pool = pool}, &f, &photo, &alpha, &o, &err), err);
    const uint8_t *want = golden_u8(g, "blurfusion_u8");
    int wrong = 0, opaque = 0;
    for (size_t i = 0; i < (size_t)photo.width * (size_t)photo.height * 3; i++) {
        float v = f.v[i / 3 * 4 + i % 3];
        bool solid = alpha.v[i / 3] == 1.0f; /* the golden drops a level at random there */
        opaque += solid;
        wrong += solid ? want[i] != photo.v[i] && want[i] + 1 != photo.v[i] : want[i] != (uint8_t)(255.0f * v);
    }
    CHECK_MSG(wrong * 10000 <= photo.width * photo.height * 3 && opaque > 0, "%d bytes differ", wrong);
    mb_colours_dispose(&f);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&hair);
    mb_image_f32_dispose(&alpha);
    mb_image_f32_dispose(&hair_alpha);
}

static void noise(mb_image_u8 *photo, mb_image_f32 *alpha, int w, int h, int channels)
{
    mb_error err;
    CHECK_OK(mb_image_u8_create(photo, w, h, channels, &err), err);
    CHECK_OK(mb_image_f32_create(alpha, w, h, &err), err);
    unsigned state = (unsigned)(w * 31 + h);
    for (int i = 0; i < w * h; i++) {
        for (int k = 0; k < channels; k++) {
            state = state * 1664525u + 1013904223u;
            photo->v[i * channels + k] = (uint8_t)(state >> 24);
        }
        alpha->v[i] = (float)(state >> 8 & 255u) / 255.0f;
        alpha->v[i] = i % w < w / 3 ? 0 : i % w > w / 2 ? 1 : alpha->v[i];
    }
}

/* ---- the sweep as the library writes it: scalar, serial, whole rows */

typedef struct plain {
    int w, h;
    float *f, *b, *a; /* [h][w][3], [h][w] */
} plain;

static plain plain_create(int w, int h)
{
    size_t n = (size_t)w * (size_t)h;
    plain p = {w, h, calloc(3 * n, sizeof(float)), calloc(3 * n, sizeof(float)), calloc(n, sizeof(float))};
    return p;
}

static void plain_free(plain *p)
{
    free(p->f);
    free(p->b);
    free(p->a);
}

static void plain_pixel(plain *p, const mb_image_u8 *photo, int x, int y)
{
    static const int step[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    int i = y * p->w + x;
    float a = p->a[i], a00 = a * a, a01 = a * (1 - a), a11 = (1 - a) * (1 - a), f[3], b[3];
    const uint8_t *c =
        photo->v + ((size_t)(y * photo->height / p->h) * (size_t)photo->width + (size_t)(x * photo->width / p->w)) *
                       (size_t)photo->channels;
    for (int k = 0; k < 3; k++) {
        f[k] = a * ((float)c[k] / 255.0f);
        b[k] = (1 - a) * ((float)c[k] / 255.0f);
    }
    for (int d = 0; d < 4; d++) {
        int u = x + step[d][0], v = y + step[d][1];
        u = u < 0 ? 0 : u >= p->w ? p->w - 1 : u;
        v = v < 0 ? 0 : v >= p->h ? p->h - 1 : v;
        float weight = 1e-5f + fabsf(a - p->a[v * p->w + u]);
        a00 += weight;
        a11 += weight;
        for (int k = 0; k < 3; k++) {
            f[k] += weight * p->f[3 * (v * p->w + u) + k];
            b[k] += weight * p->b[3 * (v * p->w + u) + k];
        }
    }
    float det = a00 * a11 - a01 * a01;
    for (int k = 0; k < 3; k++) {
        p->f[3 * i + k] = fminf(fmaxf((a11 * f[k] - a01 * b[k]) / det, 0), 1);
        p->b[3 * i + k] = fminf(fmaxf((a00 * b[k] - a01 * f[k]) / det, 0), 1);
    }
}

static plain plain_ml(const mb_image_u8 *photo, const mb_image_f32 *alpha)
{
    plain last = plain_create(1, 1);
    double n[2] = {1e-5, 1e-5}, sum[6] = {0};
    for (int i = 0; i < photo->width * photo->height; i++) {
        int side = alpha->v[i] > 0.9f ? 0 : alpha->v[i] < 0.1f ? 1 : -1;
        for (int k = 0; side >= 0 && k < 3; k++) {
            sum[3 * side + k] += photo->v[i * photo->channels + k] / 255.0;
            n[side] += k == 0;
        }
    }
    for (int k = 0; k < 3; k++) {
        last.f[k] = (float)(sum[k] / n[0]);
        last.b[k] = (float)(sum[3 + k] / n[1]);
    }
    int levels = (int)ceil(log2(fmax(photo->width, photo->height)));
    for (int l = 0; l <= levels; l++) {
        double t = (double)l / levels;
        plain p = plain_create((int)rint(pow(photo->width, t)), (int)rint(pow(photo->height, t)));
        for (int i = 0; i < p.w * p.h; i++) {
            int x = i % p.w, y = i / p.w, from = y * last.h / p.h * last.w + x * last.w / p.w;
            memcpy(p.f + 3 * i, last.f + 3 * from, 3 * sizeof(float));
            memcpy(p.b + 3 * i, last.b + 3 * from, 3 * sizeof(float));
            p.a[i] = alpha->v[y * photo->height / p.h * photo->width + x * photo->width / p.w];
        }
        for (int it = 0; it < (p.w <= 32 && p.h <= 32 ? 10 : 2); it++) {
            for (int i = 0; i < p.w * p.h; i++) {
                plain_pixel(&p, photo, i % p.w, i / p.w);
            }
        }
        plain_free(&last);
        last = p;
    }
    return last;
}

/* Bytes that are made in bands of rows are those of the whole estimate, for any number of threads and sweeps. */
TEST(bytes_in_bands)
{
    static const int sizes[][2] = {{300, 700}, {70, 513}, {33, 384}, {40, 100}, {1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        mb_image_u8 photo = {0}, bytes = {0};
        mb_image_f32 alpha = {0};
        mb_error err;
        noise(&photo, &alpha, sizes[s][0], sizes[s][1], 3);
        const size_t n = (size_t)photo.width * (size_t)photo.height;
        uint8_t *coverage = malloc(n);
        REQUIRE(coverage != NULL);
        for (size_t i = 0; i < n; i++) {
            coverage[i] = (uint8_t)(alpha.v[i] * 255.0f);
        }
        for (int threads = 1; threads <= 3; threads += 2) {
            for (int sweeps = 1; sweeps <= 3; sweeps++) {
                const mb_foreground_options o = {.big_iterations = sweeps};
                mb_colours f = {0};
                mb_task task = {0};
                size_t wrong = 0;
                CHECK_OK(mb_pool_create(&task.pool, threads, &err), err);
                CHECK_OK(mb_foreground_ml(&task, &f, NULL, &photo, &alpha, &o, &err), err);
                CHECK_OK(mb_image_u8_rgb(&bytes, &photo, &err), err);
                CHECK_OK(mb_foreground_ml_bytes(&task, &bytes, &alpha, coverage, &o, &err), err);
                for (size_t i = 0; i < 3 * n; i++) {
                    const uint8_t want = coverage[i / 3] == 255 ? photo.v[i] : mb_to8(f.v[i / 3 * 4 + i % 3]);
                    wrong += bytes.v[i] != want;
                }
                CHECK_MSG(wrong == 0, "%d x %d, %d threads, %d sweeps: %zu bytes", photo.width, photo.height, threads,
                          sweeps, wrong);
                mb_pool_free(task.pool);
                mb_colours_dispose(&f);
                mb_image_u8_dispose(&bytes);
            }
        }
        free(coverage);
        mb_image_u8_dispose(&photo);
        mb_image_f32_dispose(&alpha);
    }
}

/* Bytes of a picture most of which is far from any edge, where the last levels are not swept: translucent pixels and 32
 * pixels around have the bytes of the whole estimate, and opaque ones the photo's. What is wholly transparent behind that
 * is close to it. A disc with a soft rim, and one without. */
TEST(bytes_near_edges)
{
    static const int sizes[][2] = {{900, 700}, {513, 1100}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int soft = 0; soft <= 1; soft++) {
            mb_image_u8 photo = {0}, bytes = {0};
            mb_image_f32 alpha = {0};
            mb_colours f = {0};
            mb_error err;
            mb_task task = {.pool = workers};
            const mb_foreground_options o = {0};
            const int w = sizes[s][0], h = sizes[s][1];
            noise(&photo, &alpha, w, h, 3);
            uint8_t *coverage = malloc((size_t)w * (size_t)h);
            REQUIRE(coverage != NULL);
            for (int i = 0; i < w * h; i++) {
                const double inside = 200 - hypot(i % w - 260, i / w - 300), a = soft ? inside / 7 + 0.5 : inside > 0;
                coverage[i] = (uint8_t)(255 * fmin(1, fmax(0, a)));
                alpha.v[i] = (float)coverage[i] / 255.0f;
            }
            CHECK_OK(mb_foreground_ml(&task, &f, NULL, &photo, &alpha, &o, &err), err);
            CHECK_OK(mb_image_u8_rgb(&bytes, &photo, &err), err);
            CHECK_OK(mb_foreground_ml_bytes(&task, &bytes, &alpha, coverage, &o, &err), err);
            int near_wrong = 0, opaque_wrong = 0, far_off = 0, worst = 0;
            for (int i = 0; i < w * h; i++) {
                const double outside = hypot(i % w - 260, i / w - 300) - 200;
                for (int k = 0; k < 3; k++) {
                    const int got = bytes.v[3 * i + k], off = abs(got - mb_to8(f.v[4 * i + k]));
                    opaque_wrong += coverage[i] == 255 && got != photo.v[3 * i + k];
                    near_wrong += coverage[i] < 255 && outside < 36 && off > 0;
                    far_off += coverage[i] < 255 && off > 0;
                    worst = coverage[i] < 255 && off > worst ? off : worst;
                }
            }
            CHECK_MSG(near_wrong == 0 && opaque_wrong == 0, "%d x %d, soft %d: %d and %d bytes", w, h, soft, near_wrong,
                      opaque_wrong);
            CHECK_MSG(far_off > 0 && worst <= 8, "%d x %d, soft %d: %d bytes by %d", w, h, soft, far_off, worst);
            free(coverage);
            mb_colours_dispose(&f);
            mb_image_u8_dispose(&photo);
            mb_image_u8_dispose(&bytes);
            mb_image_f32_dispose(&alpha);
        }
    }
}

/* Pictures of many blocks: the plain sweep within rounding, and one set of bits for any number of threads. */
TEST(blocks_and_threads)
{
    static const int sizes[][3] = {{700, 300, 3}, {257, 65, 4}, {3, 900, 3}, {1000, 2, 3}, {2, 1, 3}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        mb_image_u8 photo = {0};
        mb_image_f32 alpha = {0};
        noise(&photo, &alpha, sizes[s][0], sizes[s][1], sizes[s][2]);
        plain want = plain_ml(&photo, &alpha);
        mb_colours first[2] = {{0}};
        mb_error err;
        for (int threads = 1; threads <= 3; threads++) {
            mb_foreground_options o = {0};
            mb_colours f = {0}, g = {0};
            mb_task task = {0};
            CHECK_OK(mb_pool_create(&task.pool, threads, &err), err);
            CHECK_OK(mb_foreground_ml(&task, &f, NULL, &photo, &alpha, &o, &err), err);
            CHECK_OK(mb_foreground_blurfusion(&task, &g, &photo, &alpha, &o, &err), err);
            mb_pool_free(task.pool);
            if (threads == 1) {
                double worst = colour_error(&f, want.f);
                CHECK_MSG(worst < 1e-5, "%d x %d: %g", photo.width, photo.height, worst);
                first[0] = f;
                first[1] = g;
                continue;
            }
            size_t bytes = (size_t)photo.width * (size_t)photo.height * 4 * sizeof(float);
            CHECK(memcmp(f.v, first[0].v, bytes) == 0);
            CHECK(memcmp(g.v, first[1].v, bytes) == 0);
            mb_colours_dispose(&f);
            mb_colours_dispose(&g);
        }
        mb_colours_dispose(&first[0]);
        mb_colours_dispose(&first[1]);
        plain_free(&want);
        mb_image_u8_dispose(&photo);
        mb_image_f32_dispose(&alpha);
    }
}

static bool always(void *user)
{
    (void)user;
    return true;
}

/* What the pipeline calls: every method, size and number of channels; opaque pixels keep the photo's colour. */
static void estimates(mb_pool *pool)
{
    static const int sizes[][3] = {{1, 1, 3}, {1, 1, 1}, {1, 60, 4}, {60, 1, 3}, {3, 3, 1}, {5, 400, 3}, {300, 4, 4}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        mb_image_u8 photo = {0}, alpha = {0}, out = {0};
        mb_image_f32 plane = {0};
        mb_error err;
        noise(&photo, &plane, sizes[s][0], sizes[s][1], sizes[s][2]);
        CHECK_OK(mb_image_u8_create(&alpha, photo.width, photo.height, 1, &err), err);
        for (int i = 0; i < photo.width * photo.height; i++) {
            alpha.v[i] = (uint8_t)(255.0f * plane.v[i]);
        }
        for (int m = MB_FOREGROUND_NONE; m <= MB_FOREGROUND_BLURFUSION; m++) {
            mb_foreground_options o = {0};
            CHECK_OK(mb_foreground_estimate(&(mb_task){.pool = pool}, &out, (mb_foreground)m, &photo, &alpha, &o, &err),
                     err);
            CHECK(out.width == photo.width && out.height == photo.height && out.channels == 3);
            int wrong = 0;
            for (int i = 0; i < photo.width * photo.height; i++) {
                for (int k = 0; k < 3 && (alpha.v[i] == 255 || m == MB_FOREGROUND_NONE); k++) {
                    int c = photo.channels == 1 ? 0 : k;
                    wrong += out.v[3 * i + k] != photo.v[photo.channels * i + c];
                }
            }
            CHECK_MSG(wrong == 0, "%d x %d method %d: %d", photo.width, photo.height, m, wrong);
            mb_image_u8_dispose(&out);
            err = (mb_error){0};
            CHECK(mb_foreground_estimate(&(mb_task){.pool = pool, .should_stop = always}, &out, (mb_foreground)m,
                                         &photo, &alpha, &o,
                                         &err) == (m == MB_FOREGROUND_NONE ? MB_OK : MB_E_CANCELLED));
            mb_image_u8_dispose(&out);
        }
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&alpha);
        mb_image_f32_dispose(&plane);
    }
}

static goldens stored; /* refine_foreground */

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 2, &err), err);
    stored = goldens_open_shared("refine_foreground");
}

TEARDOWN
{
    goldens_close(&stored);
    mb_pool_free(workers);
}

TEST(multi_level)
{
    multi_level(&stored, workers);
}

TEST(blur_fusion)
{
    blur_fusion(&stored, workers);
}

TEST(estimates)
{
    estimates(workers);
}
