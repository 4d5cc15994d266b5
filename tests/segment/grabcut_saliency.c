/* Mask sources without a network: superpixels, colour models, saliency and snap on drawn scenes. */
#include "harness/check.h"
#include "segment/gmm.h"
#include "segment/saliency.h"
#include "segment/grabcut.h"
#include "segment/slic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 7;

static int noise(int range)
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (uint32_t)(2 * range + 1)) - range;
}

/* An ellipse of one colour (with a band of another across it) on a ground with stripes; truth[i] = 1 inside. */
static mb_image_u8 scene(int width, int height, uint8_t *truth)
{
    static const int colours[4][3] = {{70, 110, 60}, {85, 130, 75}, {210, 90, 40}, {240, 200, 60}};
    mb_image_u8 p = {0};
    mb_error err;
    CHECK_OK(mb_image_u8_create(&p, width, height, 3, &err), err);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            float u = ((float)x / (float)width - 0.55f) / 0.22f, v = ((float)y / (float)height - 0.5f) / 0.33f;
            int inside = u * u + v * v < 1, kind = inside ? 2 + (fabsf(v) < 0.3f) : x * 12 / width % 2;
            truth[y * width + x] = (uint8_t)inside;
            for (int c = 0; c < 3; c++) {
                p.v[(y * width + x) * 3 + c] = (uint8_t)(colours[kind][c] + noise(8));
            }
        }
    }
    return p;
}

static double overlap(const mb_image_u8 *mask, const uint8_t *truth)
{
    int both = 0, either = 0;
    for (int i = 0; i < mask->width * mask->height; i++) {
        both += mask->v[i] >= 128 && truth[i];
        either += mask->v[i] >= 128 || truth[i];
    }
    return (double)both / (either ? either : 1);
}

static void check_scene(int width, int height)
{
    mb_error err;
    uint8_t *truth = malloc((size_t)width * (size_t)height);
    mb_image_u8 rgb = scene(width, height, truth), soft, again, snapped, rough, box;
    CHECK_OK(mb_saliency(NULL, &soft, &rgb, &err), err);
    CHECK_MSG(soft.width == width && soft.height == height && soft.channels == 1, "size");
    CHECK_MSG(overlap(&soft, truth) > 0.85, "saliency %d x %d: IoU %.3f", width, height, overlap(&soft, truth));
    CHECK_OK(mb_saliency(NULL, &again, &rgb, &err), err);
    CHECK(memcmp(soft.v, again.v, (size_t)width * (size_t)height) == 0);
    CHECK_OK(mb_grabcut(NULL, &snapped, &rgb, &soft, NULL, &err), err);
    CHECK_MSG(overlap(&snapped, truth) > 0.98, "snap %d x %d: IoU %.3f", width, height, overlap(&snapped, truth));
    /* from a rough grey box of another size: the colours must find the outline */
    CHECK_OK(mb_image_u8_create(&box, 50, 40, 1, &err), err);
    for (int i = 0; i < 50 * 40; i++) {
        int x = i % 50, y = i / 50;
        box.v[i] = x > 16 && x < 38 && y > 7 && y < 33 ? 190 : 40;
    }
    CHECK_OK(mb_grabcut(NULL, &rough, &rgb, &box, NULL, &err), err);
    CHECK_MSG(overlap(&rough, truth) > 0.98, "snap of a box %d x %d: IoU %.3f", width, height, overlap(&rough, truth));
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&soft);
    mb_image_u8_dispose(&again);
    mb_image_u8_dispose(&snapped);
    mb_image_u8_dispose(&rough);
    mb_image_u8_dispose(&box);
    free(truth);
}

/* Nothing to find, nothing to hold on to: no crash, no surprise. */
TEST(hostile)
{
    static const int sizes[][2] = {{1, 1}, {1, 2}, {3, 1}, {2, 2}, {5, 400}, {17, 13}};
    mb_error err;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int value = 0; value < 256; value += 85) {
            int width = sizes[i][0], height = sizes[i][1];
            size_t n = (size_t)width * (size_t)height;
            mb_image_u8 rgb, mask, out;
            CHECK_OK(mb_image_u8_create(&rgb, width, height, 3, &err), err);
            memset(rgb.v, value, 3 * n);
            CHECK_OK(mb_saliency(NULL, &out, &rgb, &err), err);
            mb_image_u8_dispose(&out);
            CHECK_OK(mb_image_u8_create(&mask, width, height, 1, &err), err);
            memset(mask.v, value, n);
            CHECK_OK(mb_grabcut(NULL, &out, &rgb, &mask, NULL, &err), err);
            CHECK_MSG(memcmp(out.v, mask.v, n) == 0, "a mask of one value must come back");
            mb_image_u8_dispose(&out);
            mask.v[0] = 255;
            mask.v[n - 1] = 0;
            CHECK_OK(mb_grabcut(NULL, &out, &rgb, &mask, NULL, &err), err);
            mb_image_u8_dispose(&out);
            mb_image_u8_dispose(&mask);
            mb_image_u8_dispose(&rgb);
        }
    }
    mb_image_u8 grey = {1, 1, 1, (uint8_t[]){0}}, out;
    CHECK(mb_saliency(NULL, &out, &grey, &err) == MB_E_ARGUMENT);
    err = (mb_error){0};
    CHECK(mb_grabcut(NULL, &out, &grey, &grey, NULL, &err) == MB_E_ARGUMENT && strstr(err.message, "channels"));
}

TEST(superpixels)
{
    mb_error err;
    uint8_t truth[120 * 90];
    mb_image_u8 rgb = scene(120, 90, truth);
    mb_superpixels s;
    mb_lab lab;
    CHECK_OK(mb_lab_create(NULL, &lab, &rgb, &err), err);
    CHECK_OK(mb_superpixels_create(NULL, &s, &lab, 100, 15.0f, &err), err);
    CHECK_MSG(s.count > 60 && s.count < 160, "%d superpixels", s.count);
    int area = 0, mixed = 0, *inside = calloc((size_t)s.count, sizeof *inside);
    for (int i = 0; i < 120 * 90; i++) {
        CHECK(s.label[i] >= 0 && s.label[i] < s.count);
        inside[s.label[i]] += truth[i];
    }
    for (int c = 0; c < s.count; c++) {
        area += s.area[c];
        int less = inside[c] < s.area[c] - inside[c] ? inside[c] : s.area[c] - inside[c];
        mixed += less;
    }
    CHECK(area == 120 * 90);
    CHECK_MSG(mixed < 120 * 90 / 50, "%d pixels on the wrong side of the outline", mixed);
    free(inside);
    mb_superpixels_dispose(&s);
    mb_lab_dispose(&lab);
    mb_image_u8_dispose(&rgb);
}

TEST(gmm)
{
    mb_error err;
    uint8_t truth[120 * 90];
    mb_image_u8 rgb = scene(120, 90, truth);
    mb_palette p;
    CHECK_OK(mb_palette_create(NULL, &p, &rgb, &err), err);
    float *weights = calloc((size_t)p.colours, 2 * sizeof *weights), *scratch = weights + p.colours;
    mb_gmm subject, ground, nothing;
    mb_gmm_fit(&nothing, &p, weights, scratch);
    CHECK(nothing.components == 0 && mb_gmm_log(&nothing, p.lab) < -1e8f);
    for (int i = 0; i < 120 * 90; i++) {
        weights[p.cell[i]] += truth[i];
    }
    mb_gmm_fit(&subject, &p, weights, scratch);
    memset(weights, 0, (size_t)p.colours * sizeof *weights);
    for (int i = 0; i < 120 * 90; i++) {
        weights[p.cell[i]] += (float)!truth[i];
    }
    mb_gmm_fit(&ground, &p, weights, scratch);
    int wrong = 0;
    for (int i = 0; i < 120 * 90; i++) {
        const float *lab = p.lab + 3 * p.cell[i];
        wrong += (mb_gmm_log(&subject, lab) > mb_gmm_log(&ground, lab)) != truth[i];
    }
    CHECK_MSG(wrong < 20, "%d pixels nearer to the other model", wrong);
    /* the density integrates to 1: sum over a grid of 4 Lab units, wide enough for every part */
    double sum = 0;
    for (int l = -40; l < 140; l += 4) {
        for (int a = -120; a < 140; a += 4) {
            for (int b = -120; b < 140; b += 4) {
                sum += exp((double)mb_gmm_log(&subject, (float[]){(float)l, (float)a, (float)b})) * 64;
            }
        }
    }
    CHECK_MSG(fabs(sum - 1) < 0.02, "density sums to %.4f", sum);
    free(weights);
    mb_palette_dispose(&p);
    mb_image_u8_dispose(&rgb);
}

TEST(small_scene)
{
    check_scene(300, 220);
}

TEST(large_scene)
{
    check_scene(700, 900);
}

BEFORE_EACH
{
    state = 7; /* of the noise */
}
