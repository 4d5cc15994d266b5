/* Rescaling: identity, constants, exact means, linear growth, extreme sizes. */
#include "harness/check.h"
#include "image/resample/reduce.h"

#include <stdlib.h>
#include <string.h>

static mb_image_u8 numbered(int width, int height, int channels)
{
    mb_image_u8 p = {0};
    mb_error err;
    CHECK_OK(mb_image_u8_create(&p, width, height, channels, &err), err);
    for (int i = 0; i < width * height * channels; i++) {
        p.v[i] = (uint8_t)(i * 37 % 251);
    }
    return p;
}

TEST(means)
{
    mb_error err;
    mb_image_u8 in = numbered(12, 9, 3), out;
    CHECK_OK(mb_image_u8_rescale(NULL, &out, &in, 4, 3, &err), err);
    for (int y = 0; y < 3; y++) {
        for (int x = 0; x < 4; x++) {
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int k = 0; k < 9; k++) {
                    sum += in.v[((y * 3 + k / 3) * 12 + x * 3 + k % 3) * 3 + c];
                }
                CHECK(abs(out.v[(y * 4 + x) * 3 + c] * 9 - sum) <= 5);
            }
        }
    }
    mb_image_u8_dispose(&out);
    /* 3 -> 2: the middle pixel is shared */
    mb_image_u8 row = {3, 1, 1, (uint8_t[]){30, 60, 240}};
    CHECK_OK(mb_image_u8_rescale(NULL, &out, &row, 2, 1, &err), err);
    CHECK(out.v[0] == 40 && out.v[1] == 180);
    mb_image_u8_dispose(&out);
    /* 2 -> 4: linear between the centres, flat beyond them */
    mb_image_u8 pair = {2, 1, 1, (uint8_t[]){0, 200}};
    CHECK_OK(mb_image_u8_rescale(NULL, &out, &pair, 4, 1, &err), err);
    CHECK(out.v[0] == 0 && out.v[1] == 50 && out.v[2] == 150 && out.v[3] == 200);
    mb_image_u8_dispose(&out);
    CHECK_OK(mb_image_u8_rescale(NULL, &out, &in, 12, 9, &err), err);
    CHECK(memcmp(out.v, in.v, 12 * 9 * 3) == 0);
    mb_image_u8_dispose(&out);
    mb_image_u8_dispose(&in);
}

TEST(sizes)
{
    static const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {7, 5}, {41, 3}, {200, 160}, {39, 31}, {41, 33}};
    mb_error err;
    mb_image_u8 in = {0}, out;
    CHECK_OK(mb_image_u8_create(&in, 40, 32, 1, &err), err);
    memset(in.v, 201, 40 * 32);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_OK(mb_image_u8_rescale(NULL, &out, &in, sizes[i][0], sizes[i][1], &err), err);
        for (int k = 0; k < out.width * out.height; k++) {
            CHECK_MSG(abs(out.v[k] - 201) <= 1, "%d x %d: %d", out.width, out.height, out.v[k]);
        }
        mb_image_u8_dispose(&out);
    }
    CHECK_OK(mb_image_u8_reduce(NULL, &out, &in, 20, &err), err);
    CHECK(out.width == 20 && out.height == 16);
    mb_image_u8_dispose(&out);
    CHECK_OK(mb_image_u8_reduce(NULL, &out, &in, 4000, &err), err);
    CHECK(out.width == 40 && out.height == 32);
    mb_image_u8_dispose(&out);
    mb_image_u8_dispose(&in);
}
