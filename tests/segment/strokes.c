/* A user's strokes on a mask: what they mean is found, what they do not touch stays. */
#include "harness/check.h"
#include "harness/random.h"

#include <mattebox.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { W = 240, H = 160 };

static mb_error err;
static mb_image photo, mask, strokes;
static unsigned char truth[W * H]; /* 1: the body, 2: its arm, 3: a thing apart in the body's colour */

static int inside(int x, int y)
{
    if (hypot(x - 80, y - 80) < 45) {
        return 1;
    }
    if (x >= 115 && x < 185 && y >= 70 && y < 92) {
        return 2;
    }
    return hypot(x - 210, y - 30) < 16 ? 3 : 0;
}

/* Pictures of mb_image_create have no gaps between their rows. */
static unsigned char *pixel(const mb_image *m, int x, int y)
{
    return (unsigned char *)m->data +
           ((size_t)y * (size_t)m->width + (size_t)x) * (m->pixels == MB_PIXELS_GRAY ? 1 : 3);
}

SETUP
{
    REQUIRE_OK(mb_image_create(&photo, W, H, MB_PIXELS_RGB, MB_DEPTH_U8, &err), err);
    REQUIRE_OK(mb_image_create(&mask, W, H, MB_PIXELS_GRAY, MB_DEPTH_U8, &err), err);
    REQUIRE_OK(mb_image_create(&strokes, W, H, MB_PIXELS_GRAY, MB_DEPTH_U8, &err), err);
    uint32_t seed = 5;
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            static const int colours[4][3] = {{70, 110, 90}, {210, 90, 40}, {60, 50, 150}, {210, 90, 40}};
            const int kind = inside(x, y);
            truth[y * W + x] = (unsigned char)kind;
            for (int c = 0; c < 3; c++) {
                seed = seed * 1664525u + 1013904223u;
                pixel(&photo, x, y)[c] = (unsigned char)(colours[kind][c] + (int)(seed >> 28) - 8);
            }
        }
    }
}

TEARDOWN
{
    mb_image_dispose(&photo);
    mb_image_dispose(&mask);
    mb_image_dispose(&strokes);
}

/* The mask: the parts whose bits are set (1 << kind). */
static void set_mask(unsigned kinds)
{
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            *pixel(&mask, x, y) = kinds >> truth[y * W + x] & 1 ? 255 : 0;
            *pixel(&strokes, x, y) = 128;
        }
    }
}

static void stroke(int x0, int x1, int y0, int y1, int value)
{
    for (int y = y0; y < y1; y++) {
        memset(pixel(&strokes, x0, y), value, (size_t)(x1 - x0));
    }
}

/* Of the pixels of one kind, how many are in the mask. */
static double share(const mb_image *m, int kind)
{
    int n = 0, in = 0;
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            if (truth[y * W + x] == kind) {
                n++;
                in += *pixel(m, x, y) >= 128;
            }
        }
    }
    return (double)in / n;
}

TEST(a_stroke_brings_the_arm)
{
    mb_image out;
    set_mask(1u << 1);
    stroke(125, 175, 78, 84, 255);
    REQUIRE_OK(mb_mask_apply_strokes(&out, &mask, &photo, &strokes, &err), err);
    CHECK_GT(share(&out, 2), 0.97);
    CHECK_GT(share(&out, 1), 0.99);
    CHECK_LT(share(&out, 0), 0.005);
    CHECK_EQ(share(&out, 3), 0.0); /* of the body's colour, but apart */
    mb_image_dispose(&out);
}

TEST(a_stroke_takes_the_arm_away)
{
    mb_image out;
    set_mask(1u << 1 | 1u << 2 | 1u << 3);
    stroke(130, 175, 78, 84, 0);
    REQUIRE_OK(mb_mask_apply_strokes(&out, &mask, &photo, &strokes, &err), err);
    CHECK_LT(share(&out, 2), 0.05);
    CHECK_GT(share(&out, 1), 0.99);
    CHECK_EQ(share(&out, 3), 1.0);
    mb_image_dispose(&out);
}

/* Both ways at once; a stroke that no edge agrees with still holds. */
TEST(strokes_hold)
{
    mb_image out;
    set_mask(1u << 1);
    stroke(20, 26, 10, 16, 255);
    stroke(70, 76, 76, 82, 0);
    REQUIRE_OK(mb_mask_apply_strokes(&out, &mask, &photo, &strokes, &err), err);
    CHECK_EQ(*pixel(&out, 22, 12), 255);
    CHECK_EQ(*pixel(&out, 72, 78), 0);
    mb_image_dispose(&out);
}

TEST(no_strokes_no_change)
{
    mb_image out;
    set_mask(1u << 1 | 1u << 3);
    REQUIRE_OK(mb_mask_apply_strokes(&out, &mask, &photo, &strokes, &err), err);
    for (int y = 0; y < H; y++) {
        REQUIRE(memcmp(pixel(&out, 0, y), pixel(&mask, 0, y), W) == 0);
    }
    mb_image_dispose(&out);
}

/* Of another size, with transparency: the same as drawn in the photo's size. */
TEST(half_size_with_alpha)
{
    mb_image out, small = {0};
    set_mask(1u << 1);
    REQUIRE_OK(mb_image_create(&small, W / 2, H / 2, MB_PIXELS_RGBA, MB_DEPTH_U8, &err), err);
    for (int y = 0; y < H / 2; y++) {
        for (int x = 0; x < W / 2; x++) {
            const int on = x >= 63 && x < 87 && y >= 39 && y < 42;
            memset((unsigned char *)small.data + ((size_t)y * W / 2 + (size_t)x) * 4, on ? 255 : 0, 4);
        }
    }
    REQUIRE_OK(mb_mask_apply_strokes(&out, &mask, &photo, &small, &err), err);
    CHECK_GT(share(&out, 2), 0.97);
    CHECK_LT(share(&out, 0), 0.005);
    mb_image_dispose(&out);
    mb_image_dispose(&small);
}

TEST(sizes_must_agree)
{
    mb_image out, other = {0};
    REQUIRE_OK(mb_image_create(&other, W - 1, H, MB_PIXELS_GRAY, MB_DEPTH_U8, &err), err);
    memset(other.data, 0, (W - 1) * H);
    CHECK_EQ(mb_mask_apply_strokes(&out, &other, &photo, &strokes, &err), MB_E_ARGUMENT);
    CHECK_STR(err.message, "the mask is 239x160, the photo 240x160: they must be of one size");
    mb_image_dispose(&other);
}
