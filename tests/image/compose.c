/* Compositions on small pictures whose values can be checked by hand, and on all pairs of bytes. */
#include "image/compose.h"

#include "pictures.h"

#include <math.h>

static mb_picture make(int width, int height, int channels, const uint8_t *v)
{
    mb_picture p;
    mb_error err;
    CHECK_OK(mb_picture_create(&p, width, height, channels, &err), err);
    memcpy(p.v, v, (size_t)(width * height * channels));
    return p;
}

static void rgba(void)
{
    mb_error err;
    mb_picture rgb = make(2, 1, 3, (uint8_t[]){1, 2, 3, 4, 5, 6}), mask = make(2, 1, 1, (uint8_t[]){0, 200}), out;
    CHECK_OK(mb_compose_rgba(&out, &rgb, &mask, &err), err);
    CHECK(memcmp(out.v, (uint8_t[]){1, 2, 3, 0, 4, 5, 6, 200}, 8) == 0);
    mb_compose_invert(&out);
    CHECK(out.v[0] == 1 && out.v[3] == 255 && out.v[7] == 55);
    mb_compose_invert(&out);
    mb_compose_invert(&mask);
    CHECK(mask.v[0] == 255 && mask.v[1] == 55);
    mb_compose_clean(&out);
    CHECK(memcmp(out.v, (uint8_t[]){0, 0, 0, 0, 4, 5, 6, 200}, 8) == 0);
    mb_picture_dispose(&out);
    CHECK(mb_compose_rgba(&out, &mask, &mask, NULL) == MB_E_ARGUMENT && out.v == NULL);
    CHECK(mb_compose_rgba(&out, &rgb, &rgb, NULL) == MB_E_ARGUMENT);
    mb_picture small = make(1, 1, 1, (uint8_t[]){9});
    err = (mb_error){0};
    CHECK(mb_compose_rgba(&out, &rgb, &small, &err) == MB_E_ARGUMENT && strstr(err.message, "1 x 1") != NULL);
    mb_picture_dispose(&small);
    mb_picture_dispose(&rgb);
    mb_picture_dispose(&mask);
}

/* All 65,536 pairs of colour and alpha: premultiplied and over black agree with rounding in f64. */
static void every_pair(void)
{
    mb_error err;
    mb_picture p, out;
    CHECK_OK(mb_picture_create(&p, 256, 256, 4, &err), err);
    for (int i = 0; i < 65536; i++) {
        memcpy(p.v + 4 * i, (uint8_t[]){(uint8_t)i, 255, 0, (uint8_t)(i >> 8)}, 4);
    }
    mb_background white = {.colour = {255, 255, 255, 255}};
    CHECK_OK(mb_compose_over(&out, &p, &white, &err), err);
    CHECK(out.channels == 3);
    mb_compose_premultiply(&p);
    int bad = 0;
    for (int i = 0; i < 65536; i++) {
        int v = i & 255, a = i >> 8;
        bad += p.v[4 * i] != (int)floor(v * a / 255.0 + 0.5);
        bad += out.v[3 * i] != (int)floor((v * a + 255 * (255 - a)) / 255.0 + 0.5);
        bad += out.v[3 * i + 1] != 255;
    }
    CHECK_MSG(bad == 0, "%d", bad);
    mb_picture_dispose(&p);
    mb_picture_dispose(&out);
}

static void backgrounds(void)
{
    mb_error err;
    mb_picture p = make(3, 1, 4, (uint8_t[]){255, 0, 0, 0, 255, 0, 0, 128, 255, 0, 0, 255}), out;
    mb_picture below = make(3, 1, 3, (uint8_t[]){10, 20, 30, 0, 0, 255, 1, 1, 1});
    mb_background b = {.picture = &below};
    CHECK_OK(mb_compose_over(&out, &p, &b, &err), err);
    CHECK(memcmp(out.v, (uint8_t[]){10, 20, 30, 128, 0, 127, 255, 0, 0}, 9) == 0);
    mb_picture_dispose(&out);
    b.linear = true; /* half of the light is far brighter than half of the number */
    CHECK_OK(mb_compose_over(&out, &p, &b, &err), err);
    CHECK(memcmp(out.v, (uint8_t[]){10, 20, 30}, 3) == 0 && out.v[3] == 188 && out.v[6] == 255);
    mb_picture_dispose(&out);
    mb_background half = {.colour = {0, 255, 0, 128}}; /* a translucent background gives a translucent picture */
    CHECK_OK(mb_compose_over(&out, &p, &half, &err), err);
    CHECK(out.channels == 4 && memcmp(out.v, (uint8_t[]){0, 255, 0, 128}, 4) == 0);
    CHECK(out.v[7] == 192 && out.v[4] == 170 && memcmp(out.v + 8, (uint8_t[]){255, 0, 0, 255}, 4) == 0);
    mb_picture_dispose(&out);
    half.colour[3] = 0;
    CHECK_OK(mb_compose_over(&out, &p, &half, &err), err);
    CHECK(out.v[3] == 0 && out.v[7] == 128 && out.v[4] == 255);
    mb_picture_dispose(&out);
    mb_picture_dispose(&p);
    p = make(3, 1, 3, below.v);
    CHECK(mb_compose_over(&out, &p, &b, NULL) == MB_E_ARGUMENT);
    mb_picture_dispose(&p);
    mb_picture_dispose(&below);
}

static void crops(void)
{
    mb_error err;
    uint8_t v[5 * 4] = {0};
    v[1 * 5 + 3] = 200;
    v[2 * 5 + 1] = 10;
    mb_picture p = make(5, 4, 1, v), out;
    mb_box box = mb_compose_box(&p, 1, 0);
    CHECK(box.x == 1 && box.y == 1 && box.width == 3 && box.height == 2);
    box = mb_compose_box(&p, 128, 0);
    CHECK(box.x == 3 && box.y == 1 && box.width == 1 && box.height == 1);
    box = mb_compose_box(&p, 1, 1);
    CHECK(box.x == 0 && box.y == 0 && box.width == 5 && box.height == 4);
    box = mb_compose_box(&p, 1, 1 << 30);
    CHECK(box.x == 0 && box.width == 5 && box.height == 4);
    box = mb_compose_box(&p, 201, 5);
    CHECK(box.width == 0);
    CHECK_OK(mb_compose_crop(&out, &p, (mb_box){1, 1, 3, 2}, &err), err);
    CHECK(out.width == 3 && out.height == 2 && out.v[2] == 200 && out.v[3] == 10);
    mb_picture_dispose(&out);
    CHECK(mb_compose_crop(&out, &p, (mb_box){3, 1, 3, 2}, NULL) == MB_E_ARGUMENT);
    CHECK(mb_compose_crop(&out, &p, (mb_box){0}, NULL) == MB_E_ARGUMENT && out.v == NULL);
    mb_picture_dispose(&p);
}

int main(void)
{
    rgba();
    every_pair();
    backgrounds();
    crops();
    return test_report();
}
