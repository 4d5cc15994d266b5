/* Histogram remap and brightness against the node's own functions: exact. */
#include "matting/fixtures.h"
#include "image/levels.h"

static void remap(const goldens *g)
{
    golden params = golden_get(g, "remap_params");
    const float *in = golden_f32(g, "remap_in"), *out = golden_f32(g, "remap_out");
    const uint8_t *tables = golden_u8(g, "remap_table");
    int n = golden_get(g, "remap_in").dims[0], inverted = 0;
    for (int i = 0; i < params.dims[0]; i++) {
        double black_white[2];
        memcpy(black_white, (const char *)params.data + (size_t)i * sizeof black_white, sizeof black_white);
        mb_levels l = mb_levels_of(black_white[0], black_white[1]);
        inverted += black_white[1] <= black_white[0];
        mb_error err;
        mb_image_f32 p = {0};
        CHECK_OK(mb_image_f32_create(&p, n, 1, &err), err);
        memcpy(p.v, in, (size_t)n * sizeof *in);
        mb_levels_f32(NULL, &p, l);
        CHECK_MSG(memcmp(p.v, out + (size_t)i * (size_t)n, (size_t)n * sizeof *out) == 0, "black %g white %g",
                  black_white[0], black_white[1]);
        mb_image_f32_dispose(&p);
        uint8_t table[256];
        mb_levels_table(table, l);
        CHECK_MSG(memcmp(table, tables + (size_t)i * 256, 256) == 0, "black %g white %g", black_white[0],
                  black_white[1]);
    }
    CHECK(inverted > 0); /* the goldens do cover white <= black */
}

static void brightness(const goldens *g)
{
    static const double factors[2] = {1.01, 1.08};
    static const char *names[2] = {"brightness_1.01", "brightness_1.08"};
    for (int i = 0; i < 2; i++) {
        uint8_t table[256];
        mb_levels_brightness_table(table, factors[i]);
        CHECK_MSG(memcmp(table, golden_u8(g, names[i]), 256) == 0, "%s", names[i]);
    }
}

/* No value leaves [0,1], NaN and infinities included; tables act on every channel. */
TEST(odd_values)
{
    mb_levels l = mb_levels_of(0.9, 0.1);
    CHECK(mb_levels_apply(l, NAN) == 0.0f);
    CHECK(mb_levels_apply(l, -INFINITY) == 0.0f);
    CHECK(mb_levels_apply(l, INFINITY) == 1.0f);
    uint8_t table[256];
    mb_levels_brightness_table(table, 0.0);
    CHECK(table[255] == 0);
    mb_error err;
    mb_image_u8 p = {0};
    CHECK_OK(mb_image_u8_create(&p, 5, 3, 3, &err), err);
    memset(p.v, 100, 45);
    mb_levels_brightness_table(table, 1.5);
    mb_levels_map(NULL, &p, table);
    int wrong = 0;
    for (int i = 0; i < 45; i++) {
        wrong += p.v[i] != 150;
    }
    CHECK(wrong == 0);
    mb_image_u8_dispose(&p);
}

static goldens stored; /* refine_levels */

SETUP
{
    stored = goldens_open("refine_levels");
}

TEARDOWN
{
    goldens_close(&stored);
}

TEST(remap)
{
    remap(&stored);
}

TEST(brightness)
{
    brightness(&stored);
}
