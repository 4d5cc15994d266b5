/* Trimaps: the node's goldens byte for byte; a plain window loop for sizes, offsets and borders that no golden has. */
#include "matting/fixtures.h"
#include "matting/trimap.h"

static void node_goldens(const goldens *g, mb_pool *pool)
{
    static const int kernels[][2] = {{1, 1}, {2, 2},  {3, 2},   {4, 2},   {6, 6},    {1, 8},
                                     {9, 1}, {7, 12}, {17, 10}, {64, 31}, {255, 255}};
    static const char *masks[] = {"all", "none", "blob", "edges", "natural"};
    char name[64];
    int found = 0;
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
        snprintf(name, sizeof name, "mask_%s", masks[m]);
        mb_image_u8 mask = golden_picture(g, name);
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
            mb_error err;
            mb_image_u8 t = {0};
            golden want;
            snprintf(name, sizeof name, "trimap_%s_%d_%d", masks[m], kernels[k][0], kernels[k][1]);
            if (!golden_find(&want, g, name)) {
                continue;
            }
            found++;
            CHECK_OK(mb_trimap_layerstyle(&(mb_task){.pool = pool}, &t, &mask, kernels[k][0], kernels[k][1], &err),
                     err);
            CHECK_MSG(memcmp(t.v, want.data, (size_t)t.width * (size_t)t.height) == 0, "%s", name);
            mb_image_u8_dispose(&t);
        }
        mb_image_u8_dispose(&mask);
    }
    CHECK(found == 44); /* each pair of kernels on two masks at least */
    mb_image_f32 mask = golden_plane(g, "float_mask");
    mb_image_u8 t = {0};
    mb_error err;
    CHECK_OK(mb_trimap_layerstyle_f32(&(mb_task){.pool = pool}, &t, &mask, 1, 2, &err), err);
    CHECK(memcmp(t.v, golden_u8(g, "float_trimap_1_2"), (size_t)t.width * (size_t)t.height) == 0);
    mb_image_u8_dispose(&t);
    mb_image_f32_dispose(&mask);
}

/* Any pixel in the window with the wanted side of the threshold; outside counts as `outside`. */
static bool window_any(const mb_image_u8 *m, int x, int y, int before, int after, int limit, bool above, bool outside)
{
    for (int v = y - before; v <= y + after; v++) {
        for (int u = x - before; u <= x + after; u++) {
            bool in = u >= 0 && v >= 0 && u < m->width && v < m->height;
            if (in ? (m->v[(size_t)v * (size_t)m->width + (size_t)u] > limit) == above : outside) {
                return true;
            }
        }
    }
    return false;
}

static uint8_t plain_rembg(const mb_image_u8 *m, int x, int y, const int o[3])
{
    int before = o[2] / 2, after = o[2] > 0 ? o[2] - 1 - o[2] / 2 : 0;
    if (!window_any(m, x, y, before, after, o[1], false, true)) { /* all above high */
        return 255;
    }
    return window_any(m, x, y, before, after, o[0] - 1, true, false) ? 128 : 0;
}

static uint8_t plain_node(const mb_image_u8 *m, int x, int y, int e, int d)
{
    if (!window_any(m, x, y, 5 * (e / 2), 5 * (e - 1 - e / 2), 254, false, false)) {
        return 255;
    }
    return window_any(m, x, y, 5 * (d / 2), 5 * (d - 1 - d / 2), 254, true, false) ? 127 : 0;
}

/* Squares with noise; from 300 pixels of width on lone pixels, white on black or black on white. */
static mb_image_u8 speckles(int width, int height, unsigned seed, unsigned modulus)
{
    mb_image_u8 p = {0};
    mb_error err = {0};
    CHECK_OK(mb_image_u8_create(&p, width, height, 1, &err), err);
    unsigned state = seed * 2654435761u + 1u;
    for (int i = 0; i < width * height; i++) {
        state = state * 1664525u + 1013904223u;
        uint8_t square = (i / 23) % 2 != 0 ? 255 : 0, flat = seed % 2 != 0 ? 255 : 0;
        bool lone = (state >> 8) % 400 == 0;
        p.v[i] = width < 300 ? ((state >> 8) % modulus == 0 ? (uint8_t)(state >> 24) : square)
                             : (lone ? (uint8_t)(255 - flat) : flat);
    }
    return p;
}

static void plain_window(mb_pool *pool)
{
    static const int sizes[][2] = {{1, 1},   {1, 90},   {90, 1},  {3, 70},  {64, 9},
                                   {65, 33}, {130, 41}, {200, 7}, {700, 3}, {513, 6}};
    static const int kernels[][3] = {{1, 2, 0},     {2, 1, 1},     {3, 3, 2},     {5, 4, 3},    {10, 7, 10},
                                     {25, 26, 126}, {26, 27, 127}, {51, 30, 128}, {40, 60, 255}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
            mb_image_u8 m = speckles(sizes[s][0], sizes[s][1], (unsigned)(s * 7 + k), 3 + 20 * (unsigned)k);
            mb_image_u8 node = {0}, two = {0}, rembg = {0};
            mb_error err;
            const int low_high_size[3] = {10 + (int)k, 240, kernels[k][2]}, no_erosion[3] = {30, 200, 0};
            CHECK_OK(mb_trimap_layerstyle(&(mb_task){.pool = pool}, &node, &m, kernels[k][0], kernels[k][1], &err),
                     err);
            CHECK_OK(mb_trimap_thresholds(&(mb_task){.pool = pool}, &two, &m, 30, 200, &err), err);
            CHECK_OK(mb_trimap_rembg(&(mb_task){.pool = pool}, &rembg, &m, low_high_size[0], low_high_size[1],
                                     low_high_size[2], &err),
                     err);
            int wrong[3] = {0};
            for (int y = 0, i = 0; y < m.height; y++) {
                for (int x = 0; x < m.width; x++, i++) {
                    wrong[0] += node.v[i] != plain_node(&m, x, y, kernels[k][0], kernels[k][1]);
                    wrong[1] += two.v[i] != plain_rembg(&m, x, y, no_erosion);
                    wrong[2] += rembg.v[i] != plain_rembg(&m, x, y, low_high_size);
                }
            }
            CHECK_MSG(wrong[0] + wrong[1] + wrong[2] == 0, "%dx%d kernels %d %d %d: %d %d %d wrong", m.width, m.height,
                      kernels[k][0], kernels[k][1], kernels[k][2], wrong[0], wrong[1], wrong[2]);
            mb_image_u8_dispose(&m);
            mb_image_u8_dispose(&node);
            mb_image_u8_dispose(&two);
            mb_image_u8_dispose(&rembg);
        }
    }
}

/* An RGB mask counts by its first channel. */
TEST(colour_mask)
{
    mb_image_u8 m = {0}, t = {0};
    mb_error err;
    CHECK_OK(mb_image_u8_create(&m, 70, 2, 3, &err), err);
    for (int i = 0; i < 140; i++) {
        memcpy(m.v + (size_t)i * 3, i % 7 == 0 ? (uint8_t[3]){255, 0, 9} : (uint8_t[3]){254, 255, 255}, 3);
    }
    CHECK_OK(mb_trimap_layerstyle(NULL, &t, &m, 1, 1, &err), err);
    int wrong = 0;
    for (int i = 0; i < 140; i++) {
        wrong += t.v[i] != (i % 7 == 0 ? 255 : 0);
    }
    CHECK(wrong == 0);
    mb_image_u8_dispose(&m);
    mb_image_u8_dispose(&t);
}

TEST(refusals)
{
    mb_image_u8 m = speckles(4, 4, 1, 3), t = {0};
    mb_error err = {0};
    CHECK(mb_trimap_layerstyle(NULL, &t, &m, 300, 6, &err) == MB_E_ARGUMENT);
    CHECK_MSG(strcmp(err.message, "erode 300: 1 to 255") == 0, "%s", err.message);
    err = (mb_error){0};
    CHECK(mb_trimap_layerstyle(NULL, &t, &m, 6, 0, &err) == MB_E_ARGUMENT);
    CHECK_MSG(strcmp(err.message, "dilate 0: 1 to 255") == 0, "%s", err.message);
    CHECK(mb_trimap_thresholds(NULL, &t, &m, 200, 100, &err) == MB_E_ARGUMENT);
    CHECK(mb_trimap_rembg(NULL, &t, &m, 10, 240, 256, &err) == MB_E_ARGUMENT);
    CHECK(t.v == NULL);
    mb_image_u8_dispose(&m);
}

static goldens stored; /* refine_trimap */
static mb_pool *workers;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 3, &err), err);
    stored = goldens_open("refine_trimap");
}

TEARDOWN
{
    goldens_close(&stored);
    mb_pool_free(workers);
}

TEST(node_goldens)
{
    node_goldens(&stored, workers);
}

TEST(node_goldens_without_pool)
{
    node_goldens(&stored, NULL);
}

TEST(plain_window)
{
    plain_window(workers);
}
