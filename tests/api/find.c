/* Ways of finding the mask: network, saliency, both; the mirror image; snap. */
#include "harness/check.h"
#include "harness/models.h"

#include <mattebox.h>

#include <stdlib.h>
#include <string.h>

#define W 96
#define H 64

static mb_context *context;
static mb_model *model;
static mb_options basic; /* where each starts from */

/* A disc on a slope of another colour; mirrored on request. */
static mb_image photo(unsigned char *v, int mirrored)
{
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            int at = mirrored ? W - 1 - x : x, dx = x - 40, dy = y - 30, in = dx * dx + dy * dy < 18 * 18;
            unsigned char *q = v + 3 * (y * W + at);
            q[0] = (unsigned char)(in ? 200 : 40 + x / 4);
            q[1] = (unsigned char)(in ? 60 + y / 4 : 90 + y / 2);
            q[2] = (unsigned char)(in ? 50 : 140);
        }
    }
    return (mb_image){.data = v, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
}

/* The mask for the options; freed by mb_result_free. */
static mb_result *find(const mb_options *o, int with_model, int mirrored)
{
    static unsigned char v[W * H * 3];
    mb_error err = {0};
    mb_pipeline *p = NULL;
    mb_result *r = NULL;
    mb_image image = photo(v, mirrored);
    CHECK_OK(mb_pipeline_create(&p, context, with_model ? model : NULL, NULL, o, &err), err);
    if (p != NULL) {
        CHECK_OK(mb_pipeline_run(&r, p, &image, &err), err);
    }
    mb_pipeline_free(p);
    return r;
}

static const unsigned char *bytes(const mb_result *r)
{
    return r->mask.data;
}

static double inside(const mb_result *r)
{
    return bytes(r)[30 * W + 40] / 255.0 - bytes(r)[4 * W + 90] / 255.0;
}

TEST(saliency)
{
    mb_options o = basic;
    o.segment = MB_SEGMENT_SALIENCY;
    mb_result *soft = find(&o, 0, 0);
    o.grabcut = 1;
    mb_result *hard = find(&o, 0, 0);
    if (soft != NULL && hard != NULL) {
        CHECK(inside(soft) > 0.5 && inside(hard) == 1.0);
        int differ = 0;
        for (int i = 0; i < W * H; i++) {
            int dx = i % W - 40, dy = i / W - 30;
            differ += (bytes(hard)[i] > 127) != (dx * dx + dy * dy < 18 * 18);
        }
        CHECK_MSG(differ < 40, "%d pixels of the disc are wrong", differ);
        CHECK(hard->peak_bytes >= soft->peak_bytes);
    }
    mb_result_free(soft);
    mb_result_free(hard);
}

/* With the mirror image, a mirrored photo gives the mirrored mask. */
TEST(mirror)
{
    mb_options o = basic;
    mb_result *one = find(&o, 1, 0);
    o.flip = 1;
    mb_result *a = find(&o, 1, 0), *b = find(&o, 1, 1);
    if (one != NULL && a != NULL && b != NULL) {
        int worst = 0;
        for (int i = 0; i < W * H; i++) {
            int d = abs(bytes(a)[i] - bytes(b)[i / W * W + W - 1 - i % W]);
            worst = d > worst ? d : worst;
        }
        CHECK_MSG(worst <= 2, "differs by %d", worst);
        CHECK(memcmp(bytes(one), bytes(a), W * H) != 0);
    }
    mb_result_free(one);
    mb_result_free(a);
    mb_result_free(b);
}

TEST(both)
{
    mb_options o = basic;
    mb_result *network = find(&o, 1, 0);
    o.segment = MB_SEGMENT_BOTH;
    mb_result *both = find(&o, 1, 0);
    if (network != NULL && both != NULL) {
        CHECK(inside(both) > inside(network)); /* the weights are noise, saliency is not */
    }
    mb_result_free(network);
    mb_result_free(both);
}

TEST(refusals)
{
    mb_options o = basic;
    mb_error err = {0};
    o.segment = (mb_segmenter)7;
    CHECK(mb_options_check(&o, &err) == MB_E_ARGUMENT && strstr(err.message, "segment 7: 0 to 2") != NULL);
    CHECK(mb_segmenter_name(3) == NULL && strcmp(mb_segmenter_name(MB_SEGMENT_BOTH), "both") == 0);
    err = (mb_error){0};
    CHECK_OK(mb_options_preset(&o, "small", &err), err);
    CHECK(o.grabcut == 1 && o.detail == MB_DETAIL_PYMATTING);
}

SETUP
{
    mb_error err;
    mb_options_init(&basic);
    basic.input_width = basic.input_height = 64;
    REQUIRE_OK(mb_context_create(&context, NULL, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, test_model("tiny_legacy"), &err), err);
}

TEARDOWN
{
    mb_model_free(model);
    mb_context_free(context);
}
