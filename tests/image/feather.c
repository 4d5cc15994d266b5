/* Feathering against sums in f64, for borders narrower than the kernel too; what is flat stays exactly so; same bits
 * for any number of threads; stopping. */
#include "harness/check.h"
#include "image/feather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mb_image_f32 plane(int w, int h)
{
    mb_image_f32 p;
    mb_error err;
    unsigned noise = 7;
    CHECK_OK(mb_image_f32_create(&p, w, h, &err), err);
    for (int i = 0; i < w * h; i++) {
        noise = noise * 1103515245u + 12345u;
        int x = i % w, y = i / w;
        p.v[i] = x > w / 3 && y > h / 4 ? 1.0f : (float)(noise >> 16 & 255) / 255.0f;
    }
    return p;
}

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* The definition, in two dimensions at once. */
static double direct(const mb_image_f32 *p, int x, int y, double sigma)
{
    int r = (int)ceil(3 * sigma);
    double sum = 0, weights = 0;
    for (int dy = -r; dy <= r; dy++) {
        for (int dx = -r; dx <= r; dx++) {
            double w = exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma));
            weights += w;
            sum +=
                w * (double)p->v[(size_t)clamp(y + dy, p->height) * (size_t)p->width + (size_t)clamp(x + dx, p->width)];
        }
    }
    return sum / weights;
}

static void test_values(int w, int h, double sigma)
{
    mb_error err;
    mb_image_f32 p = plane(w, h), original = plane(w, h);
    double worst = 0;
    CHECK_OK(mb_feather(NULL, &p, sigma, &err), err);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            double off = fabs((double)p.v[y * w + x] - direct(&original, x, y, sigma));
            worst = off > worst ? off : worst;
        }
    }
    CHECK_MSG(worst < 2e-5, "%d x %d, sigma %g: %g away", w, h, sigma, worst);
    mb_image_f32_dispose(&p);
    mb_image_f32_dispose(&original);
}

/* A step becomes the integral of the Gaussian: half way at the edge, 0 and 1 beyond three sigma, exactly. */
static void test_step(double sigma)
{
    enum { W = 900, H = 3 };
    mb_error err;
    mb_image_f32 p;
    CHECK_OK(mb_image_f32_create(&p, W, H, &err), err);
    for (int i = 0; i < W * H; i++) {
        p.v[i] = i % W < W / 2 ? 0.0f : 1.0f;
    }
    CHECK_OK(mb_feather(NULL, &p, sigma, &err), err);
    int r = (int)ceil(3 * sigma), wrong = 0;
    double worst = 0;
    for (int x = 0; x < W; x++) {
        double d = x - W / 2 + 0.5, want = 0.5 * (1 + erf(d / (sigma * sqrt(2.0)))),
               off = fabs((double)p.v[W + x] - want);
        worst = off > worst ? off : worst;
        wrong += x < W / 2 - r && p.v[W + x] != 0.0f;
        wrong += x >= W / 2 + r && p.v[W + x] != 1.0f;
        wrong += x > 0 && p.v[W + x] < p.v[W + x - 1]; /* never down again */
    }
    CHECK_MSG(worst < 0.01 && wrong == 0, "sigma %g: %g from the integral, %d pixels are not flat", sigma, worst,
              wrong);
    mb_image_f32_dispose(&p);
}

TEST(threads)
{
    mb_error err;
    mb_image_f32 one = plane(301, 203), four = plane(301, 203);
    mb_pool *pool = NULL;
    CHECK_OK(mb_pool_create(&pool, 4, &err), err);
    CHECK_OK(mb_feather(NULL, &one, 4.2, &err), err);
    CHECK_OK(mb_feather(&(mb_task){.pool = pool}, &four, 4.2, &err), err);
    CHECK(memcmp(one.v, four.v, sizeof(float) * 301 * 203) == 0);
    mb_pool_free(pool);
    mb_image_f32_dispose(&one);
    mb_image_f32_dispose(&four);
}

static bool yes(void *user)
{
    ++*(int *)user;
    return true;
}

TEST(cancelled)
{
    mb_error err = {0};
    mb_image_f32 p = plane(64, 64);
    int asked = 0;
    const mb_task task = {.should_stop = yes, .user = &asked};
    CHECK(mb_feather(&task, &p, 2, &err) == MB_E_CANCELLED && asked > 0);
    mb_image_f32_dispose(&p);
}

TEST(values)
{
    static const double sigmas[] = {0.1, 0.5, 1, 2.7, 8};
    for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) {
        test_values(37, 29, sigmas[i]);
        test_values(5, 40, sigmas[i]);
        test_values(1, 1, sigmas[i]);
    }
}

TEST(step)
{
    test_step(1);
    test_step(20);
    test_step(100);
}
