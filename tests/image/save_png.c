/* How a PNG's pixels are compressed: the stream of a noisy picture is clearly smaller than zlib's own way makes it of the
 * same filtered rows, and that of a drawing, whose rows repeat, no larger. */
#include "core/alloc.h"
#include "harness/check.h"
#include "image/codec/save.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SIDE  384
#define LEVEL 3

static size_t big_endian(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* The bytes of all IDAT chunks, one after the other, in `to`. */
static size_t gather(uint8_t *to, const uint8_t *png, size_t n)
{
    size_t sum = 0;
    for (size_t at = 8; at + 12 <= n; at += 12 + big_endian(png + at)) {
        if (memcmp(png + at + 4, "IDAT", 4) == 0) {
            memcpy(to + sum, png + at + 8, big_endian(png + at));
            sum += big_endian(png + at);
        }
    }
    return sum;
}

/* The size of our stream over the size of zlib's of the same rows. */
static double share(const uint8_t *pixels)
{
    const mb_image image = {.data = (void *)(uintptr_t)pixels,
                            .width = SIDE,
                            .height = SIDE,
                            .pixels = MB_PIXELS_RGB,
                            .row_bytes = (size_t)SIDE * 3};
    const uLong raw = (uLong)SIDE * (SIDE * 3 + 1);
    mb_save_spec spec;
    mb_error err;
    void *png = NULL;
    size_t n = 0;
    mb_save_spec_init(&spec);
    spec.level = LEVEL;
    CHECK_OK(mb_png_encode(NULL, &png, &n, &image, &spec, &err), err);
    uint8_t *ours = malloc(n), *rows = malloc(raw), *again = malloc(compressBound(raw));
    REQUIRE(png != NULL && ours != NULL && rows != NULL && again != NULL);
    const size_t packed = gather(ours, png, n);
    uLongf n_rows = raw, n_again = compressBound(raw);
    CHECK(uncompress(rows, &n_rows, ours, (uLong)packed) == Z_OK && n_rows == raw);
    CHECK(compress2(again, &n_again, rows, raw, LEVEL) == Z_OK);
    free(ours);
    free(rows);
    free(again);
    mb_free(png);
    return (double)packed / (double)n_again;
}

TEST(photo)
{
    uint8_t *v = malloc((size_t)SIDE * SIDE * 3);
    unsigned noise = 7;
    REQUIRE(v != NULL);
    for (int i = 0; i < SIDE * SIDE * 3; i++) { /* a slope, and a grain of some levels */
        noise = noise * 1103515245u + 12345u;
        const unsigned a = noise >> 16 & 7, b = noise >> 20 & 7;
        v[i] = (uint8_t)(40 + i / 3 % SIDE / 4 + i / 3 / SIDE / 8 + (int)(a + b));
    }
    CHECK(share(v) < 0.97);
    free(v);
}

TEST(drawing)
{
    uint8_t *v = malloc((size_t)SIDE * SIDE * 3);
    REQUIRE(v != NULL);
    for (int i = 0; i < SIDE * SIDE * 3; i++) { /* a pattern of 24 pixels */
        const int x = i / 3 % SIDE % 24, y = i / 3 / SIDE % 24;
        v[i] = (uint8_t)((x * y * 37 + x * 11 + y * y * (1 + i % 3)) & 255);
    }
    CHECK(share(v) < 1.01);
    free(v);
}
