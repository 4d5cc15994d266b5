/* RGBA, inverting and cropping on small pictures whose values can be checked by hand. */
#include "image/compose/compose.h"

#include "pictures.h"

TEST(rgba)
{
    mb_error err;
    mb_image_u8 rgb = picture_of(2, 1, 3, (uint8_t[]){1, 2, 3, 4, 5, 6}),
                mask = picture_of(2, 1, 1, (uint8_t[]){0, 200}), out;
    CHECK_OK(mb_compose_rgba(&out, &rgb, &mask, &err), err);
    CHECK(memcmp(out.v, (uint8_t[]){1, 2, 3, 0, 4, 5, 6, 200}, 8) == 0);
    mb_compose_invert(&out);
    CHECK(out.v[0] == 1 && out.v[3] == 255 && out.v[7] == 55);
    mb_compose_invert(&out);
    mb_compose_invert(&mask);
    CHECK(mask.v[0] == 255 && mask.v[1] == 55);
    mb_image_u8_dispose(&out);
    CHECK(mb_compose_rgba(&out, &mask, &mask, NULL) == MB_E_ARGUMENT && out.v == NULL);
    CHECK(mb_compose_rgba(&out, &rgb, &rgb, NULL) == MB_E_ARGUMENT);
    mb_image_u8 small = picture_of(1, 1, 1, (uint8_t[]){9});
    err = (mb_error){0};
    CHECK(mb_compose_rgba(&out, &rgb, &small, &err) == MB_E_ARGUMENT && strstr(err.message, "1 x 1") != NULL);
    mb_image_u8_dispose(&small);
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&mask);
}

TEST(crops)
{
    mb_error err;
    uint8_t v[5 * 4] = {0};
    v[1 * 5 + 3] = 200;
    v[2 * 5 + 1] = 10;
    mb_image_u8 p = picture_of(5, 4, 1, v);
    mb_image out;
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
    mb_image whole = {.data = p.v, .width = 5, .height = 4, .pixels = MB_PIXELS_GRAY};
    CHECK_OK(mb_compose_crop(&out, &whole, (mb_box){1, 1, 3, 2}, &err), err);
    const uint8_t *q = out.data;
    CHECK(out.width == 3 && out.height == 2 && q[2] == 200 && q[3] == 10);
    mb_image_dispose(&out);
    CHECK(mb_compose_crop(&out, &whole, (mb_box){3, 1, 3, 2}, NULL) == MB_E_ARGUMENT);
    CHECK(mb_compose_crop(&out, &whole, (mb_box){0}, NULL) == MB_E_ARGUMENT && out.data == NULL);
    uint16_t wide[2 * 6] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; /* rows longer than their pixels, 16 bits */
    mb_image deep = {
        .data = wide, .width = 1, .height = 2, .row_bytes = 12, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16};
    CHECK_OK(mb_compose_crop(&out, &deep, (mb_box){0, 1, 1, 1}, &err), err);
    CHECK(memcmp(out.data, (uint16_t[]){7, 8, 9}, 6) == 0);
    mb_image_dispose(&out);
    mb_image_u8_dispose(&p);
}
