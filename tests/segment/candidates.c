/* Choosing between candidates: that an initial mask on the subject wins over one that misses it, whoever brought it, and
 * what is refused. tests/segment/candidate_score.c counts the features. */
#include "harness/check.h"
#include "segment/candidates.h"

#include <string.h>

static mb_error err;

static mb_image_u8 grey(int width, int height)
{
    mb_image_u8 p = {0};
    CHECK_OK(mb_image_u8_create(&p, width, height, 1, &err), err);
    memset(p.v, 0, (size_t)width * (size_t)height);
    return p;
}

static void paint(mb_image_u8 *p, int x0, int x1, int y0, int y1, int a, int b, int c)
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

static double share_inside(const mb_image_u8 *p, int x0, int x1, int y0, int y1)
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

/* A red block in a green ground, 400 x 300. */
static mb_image_u8 block(void)
{
    mb_image_u8 rgb = {0};
    CHECK_OK(mb_image_u8_create(&rgb, 400, 300, 3, &err), err);
    paint(&rgb, 0, 400, 0, 300, 60, 120, 50);
    paint(&rgb, 120, 280, 90, 220, 200, 40, 30);
    return rgb;
}

/* The share of the chosen cut-out that lies on the block. */
static double chosen_share(const mb_image_u8 *rgb, const mb_image_u8 *network, const mb_image_u8 *saliency)
{
    mb_image_u8 cut = {0};
    double share = -1;
    CHECK_OK(mb_candidates_segment(NULL, &cut, rgb, network, saliency, NULL, &err), err);
    if (cut.v != NULL) {
        CHECK(cut.width == rgb->width && cut.height == rgb->height && cut.channels == 1);
        share = share_inside(&cut, 118, 282, 88, 222);
    }
    mb_image_u8_dispose(&cut);
    return share;
}

/* One mask lies on the block, the other beside it, or there is none. */
TEST(choose)
{
    mb_image_u8 rgb = block(), good = grey(400, 300), bad = grey(100, 75), blind = grey(400, 300);
    paint(&good, 120, 280, 90, 220, 230, 0, 0);
    paint(&bad, 0, 40, 5, 50, 230, 0, 0);
    double by_network = chosen_share(&rgb, &good, &bad), by_saliency = chosen_share(&rgb, &blind, &good);
    CHECK_MSG(by_network > 0.98, "the network's mask is right: %.3f", by_network);
    CHECK_MSG(by_saliency > 0.98, "saliency is right, the network saw nothing: %.3f", by_saliency);
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&good);
    mb_image_u8_dispose(&bad);
    mb_image_u8_dispose(&blind);
}

/* Every candidate has its initial mask and its cut-out; the box's is empty outside the box; a score is only for what
 * cuts. */
TEST(candidates)
{
    mb_image_u8 rgb = block(), mask = grey(400, 300);
    mb_candidates c;
    paint(&mask, 120, 280, 90, 220, 230, 0, 0);
    CHECK_OK(mb_candidates_create(NULL, &c, &rgb, &mask, &mask, &err), err);
    for (int k = 0; k < MB_N_CANDIDATES; k++) {
        CHECK(c.initial[k].width == 320 && c.cuts[k].width == 320 && c.cuts[k].height == 240);
        CHECK_MSG(c.usable[k], "candidate %d cuts nothing out", k);
    }
    CHECK(c.initial[MB_CANDIDATE_BOX].v[0] == 0 && c.initial[MB_CANDIDATE_BOX].v[120 * 320 + 160] == 128);
    CHECK(c.initial[MB_CANDIDATE_FRAMED].v[0] == 0);
    mb_candidate best = mb_candidates_best(&c);
    c.usable[best] = false;
    CHECK(mb_candidates_best(&c) != best);
    for (int k = 0; k < MB_N_CANDIDATES; k++) {
        c.usable[k] = false;
    }
    CHECK(mb_candidates_best(&c) == MB_CANDIDATE_SALIENCY);
    mb_candidates_dispose(&c);
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&mask);
}

TEST(refused)
{
    mb_image_u8 mask = grey(40, 30), cut;
    CHECK(mb_candidates_segment(NULL, &cut, &mask, &mask, &mask, NULL, &err) == MB_E_ARGUMENT &&
          cut.v == NULL); /* a grey photo */
    mb_image_u8_dispose(&mask);
}

/* A picture of one pixel, and one of a single row: no outline, no neighbours. */
TEST(smallest)
{
    for (int width = 1; width <= 7; width += 6) {
        mb_image_u8 rgb = {0}, mask = grey(width, 1), cut;
        CHECK_OK(mb_image_u8_create(&rgb, width, 1, 3, &err), err);
        paint(&rgb, 0, width, 0, 1, 90, 90, 90);
        CHECK_OK(mb_candidates_segment(NULL, &cut, &rgb, &mask, &mask, NULL, &err), err);
        CHECK(cut.width == width && cut.height == 1);
        mb_image_u8_dispose(&cut);
        mb_image_u8_dispose(&rgb);
        mb_image_u8_dispose(&mask);
    }
}
