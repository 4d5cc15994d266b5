/* 8 bits and [0,1], luma, brightness; pictures of the caller in every order, depth and stride. */
#include "image/convert.h"

#include "pictures.h"

#include <math.h>

TEST(numbers)
{
    float table[256];
    uint8_t bright[256];
    for (int v = 0; v < 256; v++) {
        table[v] = mb_from8((uint8_t)v);
        bright[v] = (uint8_t)v;
        CHECK_MSG(mb_to8(table[v]) == v, "%d", v);
        CHECK_MSG(v == 0 || mb_to8(nextafterf(table[v], 0.0f)) <= v, "%d", v);
        CHECK(mb_to16(table[v]) == 257 * v);
    }
    CHECK(fnv1a64(table, sizeof table) == 0x8a057589586aaf97u); /* golden from8_out */
    mb_brighten8(bright, 256, 1.01f);
    CHECK(fnv1a64(bright, 256) == 0x50d34e4625c2b2a4u); /* golden brightness_1.01 */
    for (int v = 0; v < 256; v++) {
        bright[v] = (uint8_t)v;
    }
    mb_brighten8(bright, 256, 1.08f);
    CHECK(fnv1a64(bright, 256) == 0x3e61dd7b5892f2dau);
    CHECK(mb_to8(NAN) == 0 && mb_to8(INFINITY) == 255 && mb_to8(-INFINITY) == 0 && mb_to8(-0.5f) == 0);
    CHECK(mb_to8(1.0f) == 255 && mb_to8(2.0f) == 255 && mb_to8(0.999f) == 254 && mb_to16(NAN) == 0);
    CHECK(mb_luma8(255, 255, 255) == 255 && mb_luma8(255, 0, 0) == 76 && mb_luma8(0, 255, 0) == 150 &&
          mb_luma8(0, 0, 255) == 29 && mb_luma8(1, 2, 3) == 2);
    uint8_t back[256];
    mb_to8_array(back, table, 256);
    mb_from8_array(table, back, 256);
    CHECK(back[255] == 255 && back[7] == 7 && table[51] == 0.2f);
}

/* Every order and depth: out to a padded foreign picture and back gives the same bytes; the padding is untouched. */
TEST(round_trips)
{
    const int width = 5, height = 3, channels[5] = {1, 3, 3, 4, 4}, bytes[3] = {1, 2, 4};
    mb_error err;
    mb_image_u8 rgb;
    CHECK_OK(mb_image_u8_create(&rgb, width, height, 3, &err), err);
    for (int i = 0; i < width * height * 3; i++) {
        rgb.v[i] = (uint8_t)mix64((uint64_t)i + 1);
    }
    for (int order = 0; order < 5; order++) {
        for (int depth = 0; depth < 3; depth++) {
            size_t row = (size_t)(width * channels[order] * bytes[depth]) + 7; /* odd: unaligned rows */
            uint8_t memory[3 * 87 + 1];
            memset(memory, 0xA5, sizeof memory);
            mb_image image = {memory + 1, width, height, row, (mb_pixels)order, (mb_depth)depth, NULL};
            mb_image_u8 back, alpha;
            CHECK_OK(mb_image_u8_to_image(&image, &rgb, &err), err);
            CHECK(memory[0] == 0xA5 && memory[row] == 0xA5 && memory[row - 6] == 0xA5);
            CHECK_OK(mb_image_u8_from_image(&back, &alpha, &image, &err), err);
            for (int i = 0; i < width * height; i++) {
                const uint8_t *p = rgb.v + 3 * i, *q = back.v + 3 * i;
                uint8_t y = mb_luma8(p[0], p[1], p[2]);
                CHECK(order == 0 ? q[0] == y && q[1] == y && q[2] == y : memcmp(p, q, 3) == 0);
                CHECK(alpha.v == NULL || alpha.v[i] == 255);
            }
            CHECK((alpha.v != NULL) == (order >= 3));
            /* the public conversion agrees with both */
            uint8_t packed[45];
            mb_image rgb8 = {packed, width, height, 0, MB_PIXELS_RGB, MB_DEPTH_U8, NULL};
            CHECK_OK(mb_image_convert(&rgb8, &image, &err), err);
            CHECK(memcmp(packed, back.v, sizeof packed) == 0);
            mb_image_u8_dispose(&back);
            mb_image_u8_dispose(&alpha);
        }
    }
    mb_image_u8_dispose(&rgb);
}

TEST(known_bytes)
{
    mb_error err;
    uint8_t bgra[8] = {3, 2, 1, 99, 30, 20, 10, 255}, rgb[6], gray[2];
    uint16_t wide[2] = {0x1234, 0xFFFF}, wide_out[2];
    float f[2] = {0.5f, NAN}, f_out[2];
    mb_image b = {bgra, 2, 1, 0, MB_PIXELS_BGRA, MB_DEPTH_U8, NULL},
             r = {rgb, 2, 1, 0, MB_PIXELS_RGB, MB_DEPTH_U8, NULL};
    mb_image w = {wide, 2, 1, 0, MB_PIXELS_GRAY, MB_DEPTH_U16, NULL},
             g = {gray, 2, 1, 0, MB_PIXELS_GRAY, MB_DEPTH_U8, NULL};
    mb_image wo = {wide_out, 2, 1, 0, MB_PIXELS_GRAY, MB_DEPTH_U16, NULL};
    mb_image ff = {f, 2, 1, 0, MB_PIXELS_GRAY, MB_DEPTH_F32, NULL},
             fo = {f_out, 2, 1, 0, MB_PIXELS_GRAY, MB_DEPTH_F32, NULL};
    CHECK_OK(mb_image_convert(&r, &b, &err), err);
    CHECK(rgb[0] == 1 && rgb[1] == 2 && rgb[2] == 3 && rgb[3] == 10);
    CHECK_OK(mb_image_convert(&g, &w, &err), err);
    CHECK(gray[0] == 0x12 && gray[1] == 0xFF);
    CHECK_OK(mb_image_convert(&wo, &w, &err), err);
    CHECK(wide_out[0] == 0x1234 || wide_out[0] == 0x1233 || wide_out[0] == 0x1235);
    CHECK_OK(mb_image_convert(&g, &ff, &err), err);
    CHECK(gray[0] == 127 && gray[1] == 0);
    mb_image_f32 p;
    CHECK_OK(mb_image_f32_from_image(&p, &w, &err), err);
    CHECK(p.v[1] == 1.0f && fabsf(p.v[0] - 0x1234 / 65535.0f) < 1e-7f);
    CHECK_OK(mb_image_f32_to_image(&fo, &p, &err), err);
    CHECK(f_out[0] == p.v[0]);
    CHECK_OK(mb_image_f32_to_image(&wo, &p, &err), err);
    CHECK(wide_out[0] == 0x1234);
    CHECK_OK(mb_image_f32_to_image(&b, &p, &err), err);
    CHECK(bgra[0] == mb_to8(p.v[0]) && bgra[3] == 255);
    mb_image_f32_dispose(&p);
    CHECK_OK(mb_image_f32_from_image(&p, &r, &err), err);
    CHECK(p.v[0] == mb_from8(mb_luma8(1, 2, 3)));
    mb_image_f32_dispose(&p);
}

TEST(refusals)
{
    mb_error err = {0};
    uint8_t v[16] = {0};
    mb_image_u8 p, a;
    mb_image image = {v, 2, 2, 5, MB_PIXELS_RGB, MB_DEPTH_U8, NULL};
    CHECK(mb_image_u8_from_image(&p, &a, &image, &err) == MB_E_ARGUMENT && p.v == NULL && a.v == NULL);
    CHECK_MSG(strstr(err.message, "5 bytes") != NULL, "%s", err.message);
    image.row_bytes = 0;
    image.pixels = (mb_pixels)9;
    CHECK(mb_image_u8_from_image(&p, NULL, &image, NULL) == MB_E_ARGUMENT);
    image.pixels = MB_PIXELS_RGB;
    image.height = 0;
    CHECK(mb_image_u8_from_image(&p, NULL, &image, NULL) == MB_E_ARGUMENT);
    image.height = 2;
    image.data = NULL;
    CHECK(mb_image_u8_from_image(&p, NULL, &image, NULL) == MB_E_ARGUMENT);
    mb_image other = {v, 1, 2, 0, MB_PIXELS_RGB, MB_DEPTH_U8, NULL};
    image.data = v;
    CHECK(mb_image_convert(&other, &image, NULL) == MB_E_ARGUMENT);
    CHECK(mb_image_create(&other, 1 << 30, 1 << 30, MB_PIXELS_RGBA, MB_DEPTH_F32, NULL) == MB_E_MEMORY);
    CHECK(mb_image_create(&other, 0, 1, MB_PIXELS_RGBA, MB_DEPTH_U8, NULL) == MB_E_ARGUMENT && other.data == NULL);
    mb_image_dispose(&other);
}

TEST(pictures)
{
    mb_error err;
    mb_image_u8 rgb, gray, copy;
    mb_image_f32 plane;
    mb_image taken;
    CHECK_OK(mb_image_u8_create(&rgb, 2, 1, 3, &err), err);
    memcpy(rgb.v, (uint8_t[]){255, 0, 0, 9, 9, 9}, 6);
    CHECK_OK(mb_image_u8_luma(&gray, &rgb, &err), err);
    CHECK(gray.v[0] == 76 && gray.v[1] == 9);
    CHECK_OK(mb_image_f32_from_u8(&plane, &gray, &err), err);
    CHECK_OK(mb_image_u8_from_f32(&copy, &plane, &err), err);
    CHECK(copy.v[0] == 76 && copy.v[1] == 9);
    mb_image_f32 none;
    CHECK(mb_image_f32_from_u8(&none, &rgb, NULL) == MB_E_ARGUMENT && none.v == NULL);
    mb_image_take(&taken, &rgb);
    CHECK(rgb.v == NULL && taken.pixels == MB_PIXELS_RGB && ((uint8_t *)taken.data)[3] == 9);
    mb_image_dispose(&taken);
    CHECK(taken.data == NULL);
    CHECK_OK(mb_image_create(&taken, 3, 2, MB_PIXELS_RGBA, MB_DEPTH_F32, &err), err);
    memset(taken.data, 0, 3 * 2 * 16);
    mb_image_dispose(&taken);
    mb_image_u8_dispose(&gray);
    mb_image_u8_dispose(&copy);
    mb_image_f32_dispose(&plane);
}
