/* The five recipes: network inputs by hash of what Pillow 13, OpenCV 5 and NumPy gave for the same picture, masks by
 * the bytes that they and PyTorch gave for the same logits. */
#include "image/resample/recipe.h"

#include "image/convert.h"
#include "image/resample/resize.h"
#include "pictures.h"

#include <math.h>

static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

static mb_recipe_input input_of(float *v, mb_recipe recipe)
{
    mb_recipe_input in = {.input = v, .width = 96, .height = 64, .recipe = recipe};
    memcpy(in.mean, mean, sizeof mean);
    memcpy(in.std, deviation, sizeof deviation);
    return in;
}

static void inputs(mb_pool *pool, const mb_image_u8 *photo)
{
    static const uint64_t hashes[] = {0, 0x5215fc6f7d53e4f6u, 0xfd787bb49d010af8u, 0xfd787bb49d010af8u,
                                      0x5d73d0e94ccc7bb3u};
    static float v[64 * 96 * 3];
    mb_error err;
    for (int r = MB_RECIPE_LAYERSTYLE; r <= MB_RECIPE_OFFICIAL; r++) {
        mb_recipe_input in = input_of(v, (mb_recipe)r);
        CHECK_OK(mb_recipe_prepare(&(mb_task){.pool = pool}, &in, photo, &err), err);
        CHECK_MSG(fnv1a64(v, sizeof v) == hashes[r], "recipe %d", r);
    }
    /* rembg: f64 arithmetic on v / max(v) with decimal means */
    mb_recipe_input in = input_of(v, MB_RECIPE_REMBG);
    mb_image_u8 small;
    CHECK_OK(mb_recipe_prepare(&(mb_task){.pool = pool}, &in, photo, &err), err);
    CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &small, photo, 96, 64, MB_FILTER_LANCZOS, &err), err);
    CHECK(picture_hash(&small) == 0xc52ca45ae6ab275eu); /* its maximum is 209 */
    const double m[3] = {0.485, 0.456, 0.406}, s[3] = {0.229, 0.224, 0.225};
    double worst = 0.0;
    for (int i = 0; i < 64 * 96 * 3; i++) {
        worst = fmax(worst, fabs(v[i] - (small.v[i] / 209.0 - m[i % 3]) / s[i % 3]));
    }
    CHECK_MSG(worst < 5e-7, "%g", worst);
    mb_image_u8_dispose(&small);
}

static void masks(mb_pool *pool)
{
    static float logits[48 * 64];
    mb_image_u8 want = read_pnm("pictures/recipe_masks.pgm");
    mb_error err;
    for (int i = 0; i < 48 * 64; i++) {
        logits[i] = ((float)(mix64((uint64_t)i + 1) >> 56) - 128.0f) / 16.0f;
    }
    for (int r = MB_RECIPE_LAYERSTYLE; r <= MB_RECIPE_REMBG; r++) {
        mb_recipe_output from = {logits, 64, 48, 90, 70, (mb_recipe)r};
        mb_image_u8 mask;
        mb_image_f32 fine;
        CHECK_OK(mb_recipe_finish(&(mb_task){.pool = pool}, &mask, &fine, &from, &err), err);
        int off = 0, worst = 0;
        for (int i = 0; i < 90 * 70; i++) {
            int d = abs(mask.v[i] - want.v[(r - 1) * 6300 + i]);
            off += d > 0;
            worst = d > worst ? d : worst;
            CHECK(fabsf(fine.v[i] - mb_from8(mask.v[i])) <= 2.02f / 255.0f);
        }
        CHECK_MSG(off <= 6 && worst <= 2, "recipe %d: %d values off, by up to %d", r, off, worst);
        mb_image_u8_dispose(&mask);
        mb_image_f32_dispose(&fine);
    }
    mb_image_u8_dispose(&want);
}

TEST(edges)
{
    mb_error err;
    float logits[4] = {NAN, INFINITY, -INFINITY, 0.0f}, same[4] = {2.0f, 2.0f, 2.0f, 2.0f}, v[12];
    mb_image_u8 mask, photo = {0}, gray = {0};
    mb_image_f32 fine;
    for (int r = MB_RECIPE_LAYERSTYLE; r <= MB_RECIPE_REMBG; r++) {
        mb_recipe_output from = {logits, 2, 2, 2, 2, (mb_recipe)r};
        CHECK_OK(mb_recipe_finish(NULL, &mask, &fine, &from, &err), err);
        CHECK(mask.v[0] == 0 && mask.v[1] == 255 && mask.v[2] == 0 && mask.v[3] >= 127 && mask.v[3] <= 137);
        CHECK(fine.v[0] == 0.0f && fine.v[1] == 1.0f);
        mb_image_u8_dispose(&mask);
        mb_image_f32_dispose(&fine);
        from.logits = same; /* nothing to stretch: no division by 0 */
        from.photo_width = 1;
        CHECK_OK(mb_recipe_finish(NULL, &mask, NULL, &from, &err), err);
        CHECK(mask.width == 1 && mask.v[0] >= 224);
        mb_image_u8_dispose(&mask);
        CHECK(mb_recipe_description(r) != NULL);
    }
    CHECK(mb_recipe_description(99) == NULL && mb_recipe_description(-1) == NULL);
    mb_recipe_output from = {logits, 2, 2, 2, 2, MB_RECIPE_AUTO};
    CHECK(mb_recipe_finish(NULL, &mask, &fine, &from, NULL) == MB_E_ARGUMENT && mask.v == NULL && fine.v == NULL);
    CHECK_OK(mb_image_u8_create(&photo, 1, 1, 3, &err), err);
    CHECK_OK(mb_image_u8_create(&gray, 1, 1, 1, &err), err);
    memset(photo.v, 0, 3); /* a black photo: rembg's maximum is 0 */
    gray.v[0] = 0;
    mb_recipe_input in = input_of(v, MB_RECIPE_REMBG);
    in.width = in.height = 2;
    CHECK_OK(mb_recipe_prepare(NULL, &in, &photo, &err), err);
    CHECK(fabsf(v[0] + 0.485f / 0.229f) < 1e-6f);
    CHECK(mb_recipe_prepare(NULL, &in, &gray, NULL) == MB_E_ARGUMENT);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&gray);
}

static mb_image_u8 chelsea;

static const struct {
    const char *name;
    int n;
} threads[] = {{"1 thread", 1}, {"2 threads", 2}, {"3 threads", 3}};

TEST_ROWS(inputs, threads)
{
    mb_pool *pool;
    mb_error err;
    REQUIRE_OK(mb_pool_create(&pool, row->n, &err), err);
    inputs(pool, &chelsea);
    mb_pool_free(pool);
}

TEST_ROWS(masks, threads)
{
    mb_pool *pool;
    mb_error err;
    REQUIRE_OK(mb_pool_create(&pool, row->n, &err), err);
    masks(pool);
    mb_pool_free(pool);
}

SETUP
{
    chelsea = read_pnm("pictures/chelsea.ppm");
}

TEARDOWN
{
    mb_image_u8_dispose(&chelsea);
}
