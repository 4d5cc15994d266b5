/* Stopping a decoder: each polls its task every few rows, stops when it has to, and leaves nothing behind. */
#include "core/alloc.h"
#include "harness/check.h"
#include "image/codec/load.h"
#include "image/codec/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH  1500
#define HEIGHT 1000

typedef struct patience {
    int asked, most; /* says stop from the `most`-th time on; -1: never */
    double stopped, longest, last;
} patience;

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static bool should_stop(void *user)
{
    patience *p = user;
    double now = cpu_seconds();
    p->longest = p->asked > 0 && now - p->last > p->longest ? now - p->last : p->longest;
    p->last = now;
    if (++p->asked == p->most) {
        p->stopped = now;
    }
    return p->most >= 0 && p->asked >= p->most;
}

static mb_status load(mb_image_u8 *out, const void *bytes, size_t n, patience *p, mb_error *err)
{
    mb_load_limits limits;
    mb_load_limits_init(&limits);
    limits.keep_depth = true;
    const mb_task task = {.should_stop = should_stop, .user = p};
    mb_load_info info;
    mb_status status = mb_load_memory(&task, out, &info, bytes, n, "p", &limits, err);
    mb_free_aligned(info.u16);
    return status;
}

/* rows: how many may pass between two questions. */
static void check(const char *what, const void *bytes, size_t n, int rows)
{
    mb_error err = {0};
    mb_image_u8 whole = {0}, plain = {0};
    patience never = {.most = -1};
    CHECK_MSG(load(&whole, bytes, n, &never, &err) == MB_OK, "%s: %s", what, err.message);
    CHECK_MSG(mb_load_memory(NULL, &plain, NULL, bytes, n, "p", NULL, &err) == MB_OK, "%s: %s", what, err.message);
    CHECK_MSG(memcmp(whole.v, plain.v, (size_t)WIDTH * HEIGHT * 3) == 0, "%s: asking changes the picture", what);
    CHECK_MSG(never.asked >= HEIGHT / rows, "%s: asked %d times", what, never.asked);
    CHECK_MSG(never.longest < 0.1, "%s: %.3f s without a question", what, never.longest);
    for (int quarter = 0; quarter < 4; quarter++) {
        patience p = {.most = 1 + never.asked * quarter / 4};
        mb_image_u8 none = {0};
        err = (mb_error){0};
        mb_status status = load(&none, bytes, n, &p, &err);
        double late = cpu_seconds() - p.stopped;
        CHECK_MSG(status == MB_E_CANCELLED && none.v == NULL && strstr(err.message, "cancelled") != NULL, "%s: %d: %s",
                  what, status, err.message);
        CHECK_MSG(p.asked == p.most && late < 0.1, "%s: went on for %d questions, %.3f s", what, p.asked - p.most,
                  late);
    }
    mb_image_u8_dispose(&whole);
    mb_image_u8_dispose(&plain);
}

static void check_encoded(const char *what, mb_format format, const mb_image *image, int rows)
{
    mb_save_spec spec;
    mb_error err = {0};
    void *bytes = NULL;
    size_t n = 0;
    mb_save_spec_init(&spec);
    spec.format = format;
    spec.quality = 95;
    mb_status status = mb_image_u8_encode(NULL, &bytes, &n, image, &spec, &err);
    if (status == MB_E_UNSUPPORTED) {
        SKIP("%s: not in this build", what);
    }
    CHECK_MSG(status == MB_OK, "%s: %s", what, err.message);
    if (status == MB_OK) {
        check(what, bytes, n, rows);
    }
    mb_free(bytes);
}

/* A header, then `bytes` bytes of noise: raw kinds of files. */
static void check_raw(const char *what, const void *header, size_t header_bytes, size_t bytes, int rows)
{
    uint8_t *file = malloc(header_bytes + bytes);
    unsigned state = 7;
    memcpy(file, header, header_bytes);
    for (size_t i = 0; i < bytes; i++) {
        state = state * 1664525u + 1013904223u;
        file[header_bytes + i] = (uint8_t)(state >> 24);
    }
    check(what, file, header_bytes + bytes, rows);
    free(file);
}

TEST(plain_pnm)
{
    size_t capacity = (size_t)WIDTH * HEIGHT * 3 * 4 + 64, n;
    char *text = malloc(capacity);
    n = (size_t)snprintf(text, capacity, "P3 %d %d 255\n", WIDTH, HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        n += (size_t)snprintf(text + n, capacity - n, "%d ", i * 7 % 256);
    }
    check("plain PNM", text, n, 1);
    free(text);
}

/* The picture of the encoded kinds: noise of four bits, so that each compresses, and none to nothing. */
static mb_image noise;

SETUP
{
    uint8_t *pixels = malloc((size_t)WIDTH * HEIGHT * 6);
    REQUIRE(pixels != NULL);
    unsigned state = 3;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * 6; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(state >> 28);
    }
    noise = (mb_image){.data = pixels, .width = WIDTH, .height = HEIGHT, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
}

TEARDOWN
{
    free(noise.data);
}

static const struct {
    const char *name;
    mb_format format;
    mb_depth depth;
    int rows;
} encoded[] = {{"PNG", MB_FORMAT_PNG, MB_DEPTH_U8, 1},
               {"JPEG", MB_FORMAT_JPEG, MB_DEPTH_U8, 16},
               {"WebP", MB_FORMAT_WEBP, MB_DEPTH_U8, 250},
               {"PNG of 16 bits", MB_FORMAT_PNG, MB_DEPTH_U16, 1}};

TEST_ROWS(encoded, encoded)
{
    mb_image image = noise;
    image.depth = row->depth;
    check_encoded(row->name, row->format, &image, row->rows);
}

TEST(pnm)
{
    char header[64];
    size_t n = (size_t)snprintf(header, sizeof header, "P6 %d %d 255\n", WIDTH, HEIGHT);
    check_raw("PNM", header, n, (size_t)WIDTH * HEIGHT * 3, 1);
}

TEST(hdr)
{
    char header[64];
    size_t n =
        (size_t)snprintf(header, sizeof header, "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n", HEIGHT, WIDTH);
    check_raw("HDR", header, n, (size_t)WIDTH * HEIGHT * 4, 1);
}

TEST(psd)
{
    const uint8_t psd[40] = {'8', 'B', 'P',         'S',          0, 1, 0,          0,           0, 0, 0, 0, 0, 3,
                             0,   0,   HEIGHT >> 8, HEIGHT & 255, 0, 0, WIDTH >> 8, WIDTH & 255, 0, 8, 0, 3};
    check_raw("PSD", psd, sizeof psd, (size_t)WIDTH * HEIGHT * 3, 1);
}

TEST(bmp)
{
    const uint8_t bmp[54] = {'B', 'M', 0,  0, 0, 0, 0,           0,          0, 0, 54,           0,
                             0,   0,   40, 0, 0, 0, WIDTH & 255, WIDTH >> 8, 0, 0, HEIGHT & 255, HEIGHT >> 8,
                             0,   0,   1,  0, 24};
    check_raw("BMP", bmp, sizeof bmp, (size_t)WIDTH * HEIGHT * 3, 1);
}
