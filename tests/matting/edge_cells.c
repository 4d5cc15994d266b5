/* The map of edges against its definition, pixel by pixel: sizes that cells do not divide, thin lines, hard edges that lie
 * between two cells, alpha that is no number. */
#include "matting/fixtures.h"
#include "matting/edge_cells.h"

#include <math.h>

/* Alpha of a pixel: what lies outside the picture counts as nothing. */
static void look(const mb_image_f32 *alpha, int cell_x, int cell_y, bool *clear, bool *opaque)
{
    for (int y = cell_y * MB_EDGE_CELL; y < (cell_y + 1) * MB_EDGE_CELL && y < alpha->height; y++) {
        for (int x = cell_x * MB_EDGE_CELL; x < (cell_x + 1) * MB_EDGE_CELL && x < alpha->width; x++) {
            const float a = alpha->v[(size_t)y * (size_t)alpha->width + (size_t)x];
            *clear = *clear || a != 1.0f;
            *opaque = *opaque || a != 0.0f;
        }
    }
}

/* Every cell; returns how many are near an edge. */
static int check_map(const mb_image_f32 *alpha, mb_pool *pool)
{
    mb_edge_cells c = {0};
    mb_error err;
    int near_edges = 0, wrong = 0;
    CHECK_OK(mb_edge_cells_create(&(mb_task){.pool = pool}, &c, alpha, &err), err);
    CHECK(c.columns == (alpha->width + MB_EDGE_CELL - 1) / MB_EDGE_CELL);
    CHECK(c.rows == (alpha->height + MB_EDGE_CELL - 1) / MB_EDGE_CELL);
    for (int row = 0; row < c.rows; row++) {
        for (int column = 0; column < c.columns; column++) {
            bool clear = false, opaque = false;
            for (int y = row > 0 ? row - 1 : 0; y <= row + 1 && y < c.rows; y++) {
                for (int x = column > 0 ? column - 1 : 0; x <= column + 1 && x < c.columns; x++) {
                    look(alpha, x, y, &clear, &opaque);
                }
            }
            const bool got = c.is_near[row * c.columns + column];
            near_edges += got;
            wrong += got != (clear && opaque);
        }
    }
    CHECK_MSG(wrong == 0, "%d x %d: %d cells", alpha->width, alpha->height, wrong);
    mb_edge_cells_dispose(&c);
    return near_edges;
}

static mb_pool *workers;

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_pool_create(&workers, 2, &err), err);
}

TEARDOWN
{
    mb_pool_free(workers);
}

TEST(map)
{
    static const int sizes[][2] = {{640, 384}, {641, 383}, {63, 65}, {64, 64}, {1, 1}, {1, 700}, {700, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        mb_image_f32 alpha = {0};
        mb_error err;
        const int w = sizes[s][0], h = sizes[s][1];
        const size_t n = (size_t)w * (size_t)h;
        REQUIRE_OK(mb_image_f32_create(&alpha, w, h, &err), err);
        for (int whole = 0; whole <= 1; whole++) {
            for (size_t i = 0; i < n; i++) {
                alpha.v[i] = (float)whole;
            }
            CHECK(check_map(&alpha, workers) == 0);
            for (size_t at = 0; at < n; at += n / 5 + 1) { /* one pixel, at five places */
                const float others[] = {0.5f, 1.0f - (float)whole, NAN};
                for (size_t k = 0; k < 3; k++) {
                    alpha.v[at] = others[k];
                    CHECK((check_map(&alpha, workers) > 0) == (n > 1 || k != 1));
                    alpha.v[at] = (float)whole;
                }
            }
        }
        for (size_t i = 0; i < n; i++) { /* an edge without a soft pixel, just between two cells */
            alpha.v[i] = i % (size_t)w < 2 * MB_EDGE_CELL ? 0.0f : 1.0f;
        }
        CHECK((check_map(&alpha, workers) > 0) == (w > 2 * MB_EDGE_CELL));
        mb_image_f32_dispose(&alpha);
    }
}
