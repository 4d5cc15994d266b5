/* Separable Gaussian in tiles: horizontal sums of the tile's rows and of size/2 rows above and below, then vertical
 * sums, handed to the caller row by row: no plane of the picture's size. */
#include "image/blur.h"

#include "core/alloc.h"
#include "image/bitmap.h"
#include "core/target_clones.h"
#include "image/view.h"

#include <string.h>

#define TILE_COLS 512 /* a multiple of 64 */
#define MAX_SIZE  1023

typedef struct blur_job {
    const mb_image_u8 *mask;
    int radius, tile_rows, n_x;
    double weights[MAX_SIZE / 2 + 1];
    double unit[256];
    mb_bitmap varied; /* pixels whose window holds more than one value that matters */
    mb_blur_sink sink;
    void *arg;
    const mb_task *task;
    double **scratch; /* one a worker: [tile_rows + 2 radius][TILE_COLS], a padded row, a result row */
} blur_job;

/* OpenCV's getGaussianKernel with sigma 0: tables for the small sizes, else sigma from the size. */
void mb_gauss_kernel(double *weights, int size)
{
    static const double table7[4] = {72.0 / 256, 56.0 / 256, 28.0 / 256, 8.0 / 256};
    static const double table[3][3] = {{0.5, 0.25, 0}, {0.375, 0.25, 0.0625}, {0}}; /* sizes 3 and 5 */
    static const double table9[5] = {60.0 / 256, 51.0 / 256, 30.0 / 256, 13.0 / 256, 4.0 / 256};
    int r = size / 2;
    if (size == 3 || size == 5 || size == 7 || size == 9) { /* OpenCV takes these from tables */
        const double *from = size == 9 ? table9 : size == 7 ? table7 : table[(size - 3) / 2];
        memcpy(weights, from, (size_t)(r + 1) * sizeof *weights);
        return;
    }
    double sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8, sum = 0;
    for (int i = 0; i <= r; i++) {
        weights[i] = size == 1 ? 1.0 : exp(-(double)i * i / (2 * sigma * sigma));
        sum += i == 0 ? weights[i] : 2 * weights[i];
    }
    for (int i = 0; i <= r; i++) {
        weights[i] /= sum;
    }
}

/* out[x] = sum over |k| <= radius of weights[|k|] * in[x + k * step]: step 1 blurs along rows, a row's stride down the
 * columns. */
MB_CLONES static void weigh(double *out, const double *in, size_t n, const double *weights, ptrdiff_t radius,
                            ptrdiff_t step)
{
    for (size_t x = 0; x < n; x++) {
        out[x] = weights[0] * in[x];
    }
    for (ptrdiff_t k = 1; k <= radius; k++) {
        const double *before = in - k * step, *after = in + k * step;
        double w = weights[k];
        for (size_t x = 0; x < n; x++) {
            out[x] += w * (before[x] + after[x]);
        }
    }
}

/* Columns [x, x + n) of the mirrored row, widened by the radius on both sides. */
static void padded_row(double *dst, const blur_job *j, int y, int x, int n)
{
    const mb_image_u8 *m = j->mask;
    size_t step = (size_t)m->channels;
    const uint8_t *row = m->v + (size_t)mb_reflect_101(y, m->height) * (size_t)m->width * step;
    for (int i = 0; i < n + 2 * j->radius; i++) {
        int at = x - j->radius + i;
        at = at >= 0 && at < m->width ? at : mb_reflect_101(at, m->width);
        dst[i] = j->unit[row[(size_t)at * step]];
    }
}

/* Columns [x0, x1) and rows [y0, y1) of the mask. */
typedef struct tile_box {
    int x0, y0, x1, y1;
} tile_box;

/* The words of tile columns that need work, as a pixel range; false if none. */
static bool varied_range(const blur_job *j, const tile_box *box, int *begin, int *end)
{
    int first = box->x0 / 64, last = (box->x1 - 1) / 64, lo = last + 1, hi = first - 1;
    for (int y = box->y0; y < box->y1; y++) {
        const uint64_t *row = mb_bitmap_row(&j->varied, y);
        for (int w = first; w <= last; w++) {
            if (row[w] != 0) {
                lo = w < lo ? w : lo;
                hi = w > hi ? w : hi;
            }
        }
    }
    *begin = lo * 64;
    *end = hi * 64 + 64 < box->x1 ? hi * 64 + 64 : box->x1;
    return hi >= lo;
}

/* Columns [x, end) of row y whose window is constant: their own value. */
static void plain_piece(const blur_job *j, double *row, int y, int x, int end)
{
    size_t step = (size_t)j->mask->channels, first = ((size_t)y * (size_t)j->mask->width + (size_t)x) * step;
    for (int i = 0; i < end - x; i++) {
        row[i] = j->unit[j->mask->v[first + (size_t)i * step]];
    }
    if (end > x) {
        j->sink(j->arg, y, x, row, end - x);
    }
}

/* One tile: rows first, into the scratch; then columns out of it. Columns whose whole window is constant are copied,
 * and nothing is computed where the tile has no others. */
static void blur_tile(const blur_job *j, double *scratch, const tile_box *box)
{
    int x0 = box->x1, x1 = box->x1, r = j->radius;
    double *padded = scratch + (size_t)(j->tile_rows + 2 * r) * TILE_COLS, *out = padded + TILE_COLS + 2 * r;
    bool any = varied_range(j, box, &x0, &x1);
    if (any) {
        for (int y = box->y0 - r; y < box->y1 + r && !mb_should_stop(j->task); y++) {
            padded_row(padded, j, y, x0, x1 - x0);
            double *dst = scratch + (size_t)(y - box->y0 + r) * TILE_COLS;
            weigh(dst, padded + r, (size_t)(x1 - x0), j->weights, r, 1);
        }
    }
    for (int y = box->y0; y < box->y1 && !mb_should_stop(j->task); y++) {
        plain_piece(j, out, y, box->x0, any ? x0 : box->x1);
        if (any) {
            weigh(out, scratch + (size_t)(y - box->y0 + r) * TILE_COLS, (size_t)(x1 - x0), j->weights, r, TILE_COLS);
            j->sink(j->arg, y, x0, out, x1 - x0);
            plain_piece(j, out, y, x1, box->x1);
        }
    }
}

/* Tiles [begin, end), counted row by row. */
static void blur_tiles(void *arg, size_t begin, size_t end, int worker)
{
    const blur_job *j = arg;
    for (size_t i = begin; i < end; i++) {
        int x = (int)(i % (size_t)j->n_x) * TILE_COLS, y = (int)(i / (size_t)j->n_x) * j->tile_rows;
        int right = j->mask->width - x < TILE_COLS ? j->mask->width : x + TILE_COLS;
        int bottom = j->mask->height - y < j->tile_rows ? j->mask->height : y + j->tile_rows;
        blur_tile(j, j->scratch[worker], &(tile_box){x, y, right, bottom});
    }
}

/* varied = the window meets a value above 0 and one below 255; else it is all 0 or all 255. */
static mb_status find_varied(blur_job *j, mb_error *err)
{
    mb_bitmap low = {0};
    mb_window window = {j->radius, j->radius};
    mb_status status = MB_OK;
    MB_TRY(mb_bitmap_create(&j->varied, j->mask->width, j->mask->height, err));
    MB_TRY(mb_bitmap_create(&low, j->mask->width, j->mask->height, err));
    mb_bitmap_range(j->task, &j->varied, j->mask, 1, 255);
    mb_bitmap_range(j->task, &low, j->mask, 0, 254);
    MB_TRY(mb_bitmap_dilate(j->task, &j->varied, window, err));
    MB_TRY(mb_bitmap_dilate(j->task, &low, window, err));
    for (size_t i = 0; i < low.words * (size_t)low.height; i++) {
        j->varied.v[i] &= low.v[i];
    }
done:
    mb_bitmap_dispose(&low);
    return status;
}

/* Scratch is one tile a worker. Tiles are at least twice as high as the radius, so that rows above and below them,
 * which neighbours compute again, stay cheap. */
mb_status mb_gauss_blur(const mb_task *task, const mb_image_u8 *mask, int size, mb_blur_sink sink, void *arg,
                        mb_error *err)
{
    if (size < 1 || size > MAX_SIZE || size % 2 == 0) {
        return mb_fail(err, MB_E_ARGUMENT, "a blur of %d pixels: must be odd, 1 to %d", size, MAX_SIZE);
    }
    int r = size / 2;
    blur_job j = {
        .mask = mask, .radius = r, .sink = sink, .arg = arg, .task = task, .n_x = (mask->width - 1) / TILE_COLS + 1};
    j.tile_rows = 2 * r > 32 ? 2 * r : 32;
    mb_gauss_kernel(j.weights, size);
    for (int v = 0; v < 256; v++) {
        j.unit[v] = (double)((float)v / 255.0f);
    }
    size_t n_workers = (size_t)mb_task_workers(task);
    size_t bytes = ((size_t)(j.tile_rows + 2 * r + 2) * TILE_COLS + 2 * (size_t)r) * sizeof(double); /* under 5 MiB */
    mb_status status = MB_OK;
    MB_TRY(find_varied(&j, err));
    j.scratch = mb_calloc(n_workers, sizeof *j.scratch);
    for (size_t i = 0; i < n_workers; i++) {
        if (j.scratch == NULL || (j.scratch[i] = mb_alloc_aligned(bytes)) == NULL) {
            status = mb_fail_memory(err, bytes, "the blur");
            goto done;
        }
    }
    size_t n_y = ((size_t)mask->height - 1) / (size_t)j.tile_rows + 1;
    MB_TRY(mb_task_for(task, (size_t)j.n_x * n_y, 1, blur_tiles, &j, err));
done:
    if (j.scratch != NULL) {
        for (size_t i = 0; i < n_workers; i++) {
            mb_free_aligned(j.scratch[i]);
        }
        mb_free(j.scratch);
    }
    mb_bitmap_dispose(&j.varied);
    return status;
}
