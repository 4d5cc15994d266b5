/* Choosing between a network's seed and saliency's: the judgement's figures on a picture that can be counted by hand,
 * and that the seed of the better cut-out wins, whoever brought it. */
#include "harness/check.h"
#include "refine/choose.h"

#include <math.h>
#include <string.h>

static mb_error err;

static mb_picture grey(int width, int height)
{
    mb_picture p = {0};
    CHECK_OK(mb_picture_create(&p, width, height, 1, &err), err);
    memset(p.v, 0, (size_t)width * (size_t)height);
    return p;
}

static void paint(mb_picture *p, int x0, int x1, int y0, int y1, int a, int b, int c)
{
    const int v[3] = {a, b, c};
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            for (int k = 0; k < p->channels; k++) {
                p->v[(y * p->width + x) * p->channels + k] = (uint8_t)(v[k] + (x * 7 + y * 13) % 5);
            }
        }
    }
}

/* Left half red, right half blue. */
static void test_judge(void)
{
    mb_picture rgb = {0}, mask = grey(40, 20), seed = grey(40, 20);
    mb_choose_figures f;
    CHECK_OK(mb_picture_create(&rgb, 40, 20, 3, &err), err);
    paint(&rgb, 0, 20, 0, 20, 200, 20, 20);
    paint(&rgb, 20, 40, 0, 20, 20, 20, 200);
    for (int i = 0; i < 40 * 20; i++) {
        mask.v[i] = i % 40 < 20 ? 255 : 0;
        seed.v[i] = i % 40 < 10 ? 255 : 0;
    }
    CHECK_OK(mb_choose_judge(&f, &rgb, &mask, &seed, &err), err);
    CHECK_MSG(f.overlap == 0.0, "overlap %.3f", f.overlap);
    CHECK_MSG(fabs(f.agreement - 0.5) < 1e-9, "agreement %.3f", f.agreement);
    for (int i = 0; i < 40 * 20; i++) {
        mask.v[i] = i / 40 < 10 ? 255 : 0; /* the upper half has the colours of the lower one */
    }
    CHECK_OK(mb_choose_judge(&f, &rgb, &mask, &seed, &err), err);
    CHECK_MSG(f.overlap > 0.9, "overlap %.3f", f.overlap);
    memset(mask.v, 0, 40 * 20);
    CHECK_OK(mb_choose_judge(&f, &rgb, &mask, &seed, &err), err);
    CHECK(f.overlap == 1.0 && f.agreement == 0.0); /* nothing cut out: the worst there is */
    mb_picture_dispose(&rgb);
    mb_picture_dispose(&mask);
    mb_picture_dispose(&seed);
}

static double share_inside(const mb_picture *p, int x0, int x1, int y0, int y1)
{
    double in = 0, all = 0;
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            double v = p->v[y * p->width + x];
            all += v;
            in += x >= x0 && x < x1 && y >= y0 && y < y1 ? v : 0;
        }
    }
    return in / all;
}

/* A red block in a green ground. One seed lies on it, the other covers half of it and as much of the ground. */
static void test_choose(void)
{
    enum { W = 400, H = 300 };
    mb_picture rgb = {0}, good = grey(W, H), bad = grey(W / 4, H / 4), out;
    CHECK_OK(mb_picture_create(&rgb, W, H, 3, &err), err);
    paint(&rgb, 0, W, 0, H, 60, 120, 50);
    paint(&rgb, 120, 280, 90, 220, 200, 40, 30);
    paint(&good, 120, 280, 90, 220, 230, 0, 0);
    paint(&bad, 0, 40, 5, 50, 230, 0, 0);
    CHECK_OK(mb_choose(&out, &rgb, &good, &bad, &err), err);
    CHECK(out.width == W && out.height == H && out.channels == 1);
    CHECK_MSG(share_inside(&out, 110, 290, 80, 230) > 0.6, "network: %.2f", share_inside(&out, 110, 290, 80, 230));
    mb_picture_dispose(&out);
    mb_picture blind = grey(W, H);
    CHECK_OK(mb_choose(&out, &rgb, &blind, &good, &err), err); /* the network saw nothing at all */
    CHECK_MSG(share_inside(&out, 110, 290, 80, 230) > 0.9, "saliency: %.2f", share_inside(&out, 110, 290, 80, 230));
    mb_picture_dispose(&out);
    CHECK(mb_choose(&out, &good, &good, &good, &err) == MB_E_ARGUMENT && out.v == NULL); /* a grey photo */
    mb_picture_dispose(&rgb);
    mb_picture_dispose(&good);
    mb_picture_dispose(&bad);
    mb_picture_dispose(&blind);
}

int main(void)
{
    test_judge();
    test_choose();
    return test_report();
}
