/* Pictures of one colour: blank pages and dark frames, clean, noisy and through JPEG's eyes; and what is none. */
#include "harness/check.h"
#include "harness/random.h"
#include "image/convert.h"
#include "segment/plain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(const mb_image_u8 *p)
{
    mb_error err = {0};
    bool plain = false;
    CHECK_OK(mb_picture_is_plain(NULL, &plain, p, &err), err);
    return plain;
}

static mb_image_u8 page(int width, int height, const uint8_t colour[3])
{
    mb_error err = {0};
    mb_image_u8 p;
    CHECK_OK(mb_image_u8_create(&p, width, height, 3, &err), err);
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        memcpy(p.v + 3 * i, colour, 3);
    }
    return p;
}

/* Grain of about this standard deviation (the sum of four even values). */
static void add_grain(mb_image_u8 *p, double sigma, uint32_t state)
{
    for (size_t i = 0; i < (size_t)p->width * (size_t)p->height * 3; i++) {
        double sum = 0;
        for (int k = 0; k < 4; k++) {
            state = state * 1664525u + 1013904223u;
            sum += (double)(state >> 8) / 16777216.0 - 0.5;
        }
        double v = p->v[i] + sum * sigma * sqrt(3.0);
        p->v[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void fill_box(mb_image_u8 *p, int x0, int y0, int side, const uint8_t colour[3])
{
    for (int y = y0; y < y0 + side; y++) {
        for (int x = x0; x < x0 + side; x++) {
            memcpy(p->v + 3 * ((size_t)y * (size_t)p->width + (size_t)x), colour, 3);
        }
    }
}

TEST(plain)
{
    static const uint8_t colours[][3] = {{255, 255, 255}, {0, 0, 0}, {128, 128, 128}, {30, 120, 220}, {250, 247, 240}};
    static const int sizes[][2] = {{1, 1}, {3, 2}, {23, 40}, {200, 150}, {1500, 1000}, {2000, 10}};
    for (size_t c = 0; c < sizeof colours / sizeof *colours; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            mb_image_u8 p = page(sizes[s][0], sizes[s][1], colours[c]);
            CHECK_MSG(is_plain(&p), "colour %zu, size %zu", c, s);
            for (int sigma = 2; sigma <= 18 && s >= 3 && s < 5; sigma *= 3) {
                add_grain(&p, sigma, (uint32_t)(c * 7 + s));
                CHECK_MSG(is_plain(&p), "colour %zu, size %zu, grain %d", c, s, sigma);
            }
            mb_image_u8_dispose(&p);
        }
    }
    /* a small or a faint subject is one, in grain too */
    mb_image_u8 p = page(400, 300, colours[0]);
    fill_box(&p, 190, 140, 12, colours[3]);
    CHECK(!is_plain(&p));
    add_grain(&p, 6, 1);
    CHECK(!is_plain(&p));
    mb_image_u8_dispose(&p);
    p = page(400, 300, colours[4]);
    fill_box(&p, 150, 100, 90, (const uint8_t[]){238, 236, 232});
    CHECK(!is_plain(&p));
    mb_image_u8_dispose(&p);
}
