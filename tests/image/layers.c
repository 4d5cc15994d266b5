/* What lies behind a subject: all pairs of bytes against f64, translucent and linear blending, 16 bits, premultiplied
 * and clean pixels, the blurred and the covering background, parts that go, colours as people write them. */
#include "image/compose/layers.h"

#include "image/compose/backdrop.h"
#include "image/compose/colour.h"
#include "image/connected_components.h"
#include "pictures.h"

#include <math.h>

/* All 65,536 pairs of colour and alpha: straight, premultiplied and over white agree with rounding in f64. */
TEST(every_pair)
{
    mb_error err;
    mb_image_u8 p, a;
    mb_image plain, over, multiplied;
    CHECK_OK(mb_image_u8_create(&p, 256, 256, 3, &err), err);
    CHECK_OK(mb_image_u8_create(&a, 256, 256, 1, &err), err);
    for (int i = 0; i < 65536; i++) {
        memcpy(p.v + 3 * i, (uint8_t[]){(uint8_t)i, 255, 0}, 3);
        a.v[i] = (uint8_t)(i >> 8);
    }
    mb_layers l = {.colours = &p, .alpha = &a};
    CHECK_OK(mb_layers_flatten(NULL, &plain, &l, &err), err);
    l.premultiplied = true;
    CHECK_OK(mb_layers_flatten(NULL, &multiplied, &l, &err), err);
    l = (mb_layers){.colours = &p, .alpha = &a, .behind = true, .colour = {255, 255, 255, 255}};
    CHECK_OK(mb_layers_flatten(NULL, &over, &l, &err), err);
    CHECK(plain.pixels == MB_PIXELS_RGBA && over.pixels == MB_PIXELS_RGB);
    const uint8_t *s = plain.data, *m = multiplied.data, *o = over.data;
    int bad = 0;
    for (int i = 0; i < 65536; i++) {
        int v = i & 255, alpha = i >> 8;
        bad += s[4 * i] != v || s[4 * i + 3] != alpha;
        bad += m[4 * i] != (int)floor(v * alpha / 255.0 + 0.5) || m[4 * i + 3] != alpha;
        bad += o[3 * i] != (int)floor((v * alpha + 255 * (255 - alpha)) / 255.0 + 0.5);
        bad += o[3 * i + 1] != 255;
    }
    CHECK_MSG(bad == 0, "%d", bad);
    mb_image_dispose(&plain);
    mb_image_dispose(&multiplied);
    mb_image_dispose(&over);
    mb_image_u8_dispose(&p);
    mb_image_u8_dispose(&a);
}

static bool bytes_are(const mb_layers *l, size_t n, const uint8_t *want)
{
    mb_error err = {0};
    mb_image out;
    CHECK_OK(mb_layers_flatten(NULL, &out, l, &err), err);
    bool same = memcmp(out.data, want, n) == 0;
    for (size_t i = 0; !same && i < n; i++) {
        fprintf(stderr, "%d ", ((const uint8_t *)out.data)[i]);
    }
    mb_image_dispose(&out);
    return same;
}

TEST(backgrounds)
{
    mb_error err;
    mb_image out;
    mb_image_u8 p = picture_of(3, 1, 3, (uint8_t[]){255, 0, 0, 255, 0, 0, 255, 0, 0}),
                a = picture_of(3, 1, 1, (uint8_t[]){0, 128, 255});
    mb_image_u8 below = picture_of(3, 1, 3, (uint8_t[]){10, 20, 30, 0, 0, 255, 1, 1, 1});
    mb_layers l = {.colours = &p, .alpha = &a, .behind = true, .picture = &below};
    CHECK(bytes_are(&l, 9, (uint8_t[]){10, 20, 30, 128, 0, 127, 255, 0, 0}));
    l.linear = true; /* half of the light is far brighter than half of the number */
    CHECK(bytes_are(&l, 9, (uint8_t[]){10, 20, 30, 188, 0, 187, 255, 0, 0}));
    mb_layers half = {.colours = &p, .alpha = &a, .behind = true, .colour = {0, 255, 0, 128}};
    CHECK(bytes_are(&half, 12, (uint8_t[]){0, 255, 0, 128, 170, 85, 0, 192, 255, 0, 0, 255}));
    half.colour[3] = 0; /* nothing at all behind: as if there were none */
    CHECK(bytes_are(&half, 12, (uint8_t[]){0, 0, 0, 0, 255, 0, 0, 128, 255, 0, 0, 255}));
    mb_layers clean = {.colours = &p, .alpha = &a};
    CHECK(bytes_are(&clean, 8, (uint8_t[]){255, 0, 0, 0, 255, 0, 0, 128}));
    clean.clean = true;
    CHECK(bytes_are(&clean, 8, (uint8_t[]){0, 0, 0, 0, 255, 0, 0, 128}));
    mb_image_u8 wrong = picture_of(1, 1, 3, below.v);
    l.picture = &wrong;
    CHECK(mb_layers_flatten(NULL, &out, &l, &err) == MB_E_ARGUMENT && out.data == NULL);
    mb_image_u8_dispose(&wrong);
    mb_image_u8_dispose(&below);
    mb_image_u8_dispose(&p);
    mb_image_u8_dispose(&a);
}

TEST(sixteen_bits)
{
    mb_error err;
    mb_image out;
    mb_image_u8 p = picture_of(2, 1, 3, (uint8_t[]){1, 2, 3, 4, 5, 6}), a = picture_of(2, 1, 1, (uint8_t[]){255, 127});
    const float wide[8] = {1000 / 65535.0f, 2000 / 65535.0f, 1.0f, 9, 0.5f, 0.25f, 0.0f, 9};
    float fine[2] = {1.0f, 0.5f};
    mb_image_f32 plane = {2, 1, fine};
    mb_layers l = {.colours = &p, .colours_f32 = wide, .alpha = &a, .alpha_f32 = &plane, .depth = MB_DEPTH_U16};
    CHECK_OK(mb_layers_flatten(NULL, &out, &l, &err), err);
    CHECK(memcmp(out.data, (uint16_t[]){1000, 2000, 65535, 65535, 32768, 16384, 0, 32768}, 16) == 0);
    mb_image_dispose(&out);
    l.premultiplied = true;
    CHECK_OK(mb_layers_flatten(NULL, &out, &l, &err), err);
    CHECK(memcmp(out.data, (uint16_t[]){1000, 2000, 65535, 65535, 16384, 8192, 0, 32768}, 16) == 0);
    mb_image_dispose(&out);
    l.premultiplied = false;
    l.clean = true;
    fine[1] = 5e-6f; /* written as 0, so its colour goes as well */
    CHECK_OK(mb_layers_flatten(NULL, &out, &l, &err), err);
    CHECK(memcmp(out.data, (uint16_t[]){1000, 2000, 65535, 65535, 0, 0, 0, 0}, 16) == 0);
    mb_image_dispose(&out);
    mb_image_u8_dispose(&p);
    mb_image_u8_dispose(&a);
}

/* The subject must not glow: its colour never reaches the blurred background. */
TEST(blurred)
{
    enum { W = 97, H = 61 };
    mb_error err;
    mb_image_u8 p, a, out;
    CHECK_OK(mb_image_u8_create(&p, W, H, 3, &err), err);
    CHECK_OK(mb_image_u8_create(&a, W, H, 1, &err), err);
    for (int i = 0; i < W * H; i++) {
        bool subject = i % W > 30 && i % W < 60;
        a.v[i] = subject ? 255 : 0;
        memcpy(p.v + 3 * i, subject ? (uint8_t[]){255, 0, 0} : (uint8_t[]){0, (uint8_t)(i % W), 200}, 3);
    }
    const double sigmas[] = {0.3, 2, 7, 30, 4096};
    for (size_t k = 0; k < 5; k++) {
        CHECK_OK(mb_backdrop_blur(NULL, &out, &p, &a, sigmas[k], &err), err);
        int red = 0, blue = 255;
        for (int i = 0; i < W * H; i++) {
            if (a.v[i] == 0) {
                red = out.v[3 * i] > red ? out.v[3 * i] : red;
                blue = out.v[3 * i + 2] < blue ? out.v[3 * i + 2] : blue;
            }
        }
        CHECK_MSG(red <= 2 && blue >= 198, "sigma %g: red %d, blue %d", sigmas[k], red, blue);
        mb_image_u8_dispose(&out);
    }
    mb_image_u8_dispose(&p);
    mb_image_u8_dispose(&a);
}

TEST(covering)
{
    mb_error err;
    mb_image_u8 out,
        p = picture_of(4, 2, 3, (uint8_t[]){1, 1, 1, 9, 9, 9, 9, 9, 9, 7, 7, 7, 1, 1, 1, 9, 9, 9, 9, 9, 9, 7, 7, 7});
    const int sizes[][2] = {{2, 2}, {1, 1}, {300, 7}, {7, 300}, {4, 2}};
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(mb_backdrop_cover(NULL, &out, &p, sizes[i][0], sizes[i][1], &err), err);
        CHECK(out.width == sizes[i][0] && out.height == sizes[i][1]);
        if (i == 0) { /* the middle of it */
            CHECK(out.v[0] == 9 && out.v[3] == 9 && out.v[11] == 9);
        }
        mb_image_u8_dispose(&out);
    }
    mb_image_u8_dispose(&p);
}

TEST(parts)
{
    /* Two parts that touch at no corner, the larger with a faint tail, a faint island beside the smaller. */
    static const uint8_t v[5 * 7] = {255, 255, 9, 9, 0, 0,  0,  /* */
                                     255, 200, 0, 0, 0, 0,  0,  /* */
                                     0,   0,   0, 0, 0, 90, 0,  /* */
                                     0,   0,   0, 0, 0, 0,  60, /* */
                                     3,   0,   0, 0, 0, 0,  5};
    static const struct {
        mb_component_rule rule;
        int dropped, left; /* pixels above 0 afterwards */
    } rows[] = {{{0, true}, 1, 6}, {{3, false}, 1, 6}, {{2, false}, 0, 9}, {{100, false}, 2, 0}, {{100, true}, 2, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mb_image_u8 p = picture_of(7, 5, 1, v);
        mb_error err = {0};
        float fine[35];
        mb_image_f32 plane = {7, 5, fine};
        int dropped, left = 0, fine_left = 0;
        for (int k = 0; k < 35; k++) {
            fine[k] = v[k] / 255.0f;
        }
        CHECK_OK(mb_keep_components(NULL, &p, &plane, &rows[i].rule, &dropped, &err), err);
        for (int k = 0; k < 35; k++) {
            left += p.v[k] > 0;
            fine_left += fine[k] > 0;
        }
        CHECK_MSG(dropped == rows[i].dropped && left == rows[i].left && fine_left == left,
                  "case %zu: %d dropped, %d left", i, dropped, left);
        mb_image_u8_dispose(&p);
    }
}

TEST(colours)
{
    static const struct {
        const char *text;
        uint8_t rgba[4];
    } good[] = {
        {"#fff", {255, 255, 255, 255}},     {"#1234", {17, 34, 51, 68}},   {"#0a0B0c", {10, 11, 12, 255}},
        {"#01020380", {1, 2, 3, 128}},      {"7,8,9", {7, 8, 9, 255}},     {"255,0,1,2", {255, 0, 1, 2}},
        {"White", {255, 255, 255, 255}},    {"transparent", {0, 0, 0, 0}}, {"rebeccapurple", {102, 51, 153, 255}},
        {"aliceblue", {240, 248, 255, 255}}};
    static const char *const bad[] = {"",       "#",       "#12",        "#12345",  "#ggg",
                                      "1,2",    "256,0,0", "1,2,3,4,5",  "1,,2",    "1,2,3,",
                                      "-1,2,3", "whitish", "#fffffffff", "1.5,2,3", "averylongnamethatisnocolouratall"};
    uint8_t rgba[4];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_MSG(mb_colour_read(rgba, good[i].text) && memcmp(rgba, good[i].rgba, 4) == 0, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_MSG(!mb_colour_read(rgba, bad[i]), "%s", bad[i]);
    }
}
