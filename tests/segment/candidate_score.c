/* The features that a cut-out is scored by, on pictures where they can be counted by hand. */
#include "harness/check.h"
#include "segment/candidate_score.h"

#include <math.h>
#include <string.h>

enum { W = 40, H = 20, N = W * H };

static mb_error err;

static mb_image_u8 grey(void)
{
    mb_image_u8 p = {0};
    CHECK_OK(mb_image_u8_create(&p, W, H, 1, &err), err);
    memset(p.v, 0, N);
    return p;
}

/* Left half red, right half blue. */
static mb_image_u8 halves(void)
{
    static const uint8_t colours[2][3] = {{200, 20, 20}, {20, 20, 200}};
    mb_image_u8 p = {0};
    CHECK_OK(mb_image_u8_create(&p, W, H, 3, &err), err);
    for (int i = 0; i < N; i++) {
        memcpy(p.v + 3 * i, colours[i % W >= W / 2], 3);
    }
    return p;
}

static void measure(double f[MB_N_FEATURES], bool *usable, const mb_image_u8 *network, const mb_image_u8 *saliency,
                    const mb_image_u8 *cut)
{
    mb_image_u8 rgb = halves();
    mb_lab lab;
    CHECK_OK(mb_lab_create(NULL, &lab, &rgb, &err), err);
    const mb_score_inputs inputs = {&lab, network, saliency};
    CHECK_OK(mb_candidate_features(NULL, f, usable, &inputs, cut, &err), err);
    mb_lab_dispose(&lab);
    mb_image_u8_dispose(&rgb);
}

static void expect(const double *f, mb_feature k, double want, const char *name)
{
    CHECK_MSG(fabs(f[k] - want) < 1e-9, "%s: %.9f, not %.9f", name, f[k], want);
}

/* The left half, seen whole by saliency, and by half (and a little beside it) by the network. */
TEST(left_half)
{
    mb_image_u8 network = grey(), saliency = grey(), cut = grey();
    double f[MB_N_FEATURES];
    bool usable;
    for (int i = 0; i < N; i++) {
        cut.v[i] = saliency.v[i] = i % W < W / 2 ? 255 : 0;
        network.v[i] = i % W < W / 4 ? 255 : i % W == W - 1 ? 51 : 0;
    }
    measure(f, &usable, &network, &saliency, &cut);
    CHECK(usable);
    expect(f, MB_FEATURE_OVERLAP, 0, "no colour on both sides");
    expect(f, MB_FEATURE_NETWORK, 200.0 / (400 + 0.2 * H), "agreement with the network");
    expect(f, MB_FEATURE_NETWORK_OUT, 0.2 * H / 400, "network outside");
    expect(f, MB_FEATURE_SALIENCY_IN, 1, "saliency inside");
    expect(f, MB_FEATURE_SIDES, 0.5, "sides");
    expect(f, MB_FEATURE_LOG_AREA, log(0.5), "log area");
    expect(f, MB_FEATURE_LENGTH, H / sqrt(N / 2) / 10, "length");
    expect(f, MB_FEATURE_OFF_CENTRE, hypot(9.5 / W - 0.5, 9.5 / H - 0.5), "centre");
    expect(f, MB_FEATURE_PIECES, 0, "pieces");
    mb_image_u8_dispose(&cut);
    mb_image_u8_dispose(&network);
    mb_image_u8_dispose(&saliency);
}

/* The upper half has the colours of the lower one; then two pieces. */
TEST(upper_half)
{
    mb_image_u8 blind = grey(), cut = grey();
    double f[MB_N_FEATURES];
    bool usable;
    memset(cut.v, 255, N / 2);
    measure(f, &usable, &blind, &blind, &cut);
    expect(f, MB_FEATURE_OVERLAP, 1, "every colour on both sides");
    memset(cut.v, 0, N);
    memset(cut.v, 255, 30); /* two pieces, of 30 and 10 pixels, that touch nowhere */
    memset(cut.v + 10 * W, 255, 10);
    measure(f, &usable, &blind, &blind, &cut);
    expect(f, MB_FEATURE_PIECES, 0.25, "pieces");
    mb_image_u8_dispose(&blind);
    mb_image_u8_dispose(&cut);
}

TEST(nothing_and_everything)
{
    mb_image_u8 blind = grey(), cut = grey();
    double f[MB_N_FEATURES];
    bool usable;
    for (int v = 0; v < 2; v++) {
        memset(cut.v, 255 * v, N);
        measure(f, &usable, &blind, &blind, &cut);
        CHECK(!usable);
        for (int k = 0; k < MB_N_FEATURES; k++) {
            CHECK(f[k] == 0);
        }
    }
    mb_image_u8_dispose(&blind);
    mb_image_u8_dispose(&cut);
}
