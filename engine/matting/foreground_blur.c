/* Blur fusion: box means of F a, B (1 - a) and a, twice. docs/models/refine.md section 8.2.
 *
 * Tiles walk down their rows with 7 running column sums in f64 (f32 running sums are 6 levels off: the divisors get
 * small). The tiling depends on the sizes alone: same bits for any number of threads. */
#include "matting/foreground.h"

#include "core/alloc.h"
#include "core/target_clones.h"
#include "image/view.h"

#include <string.h>

#define SUMS      7 /* a, F a (3), B (1 - a) (3) */
#define TILE_COLS 512

/* One pass over the picture. */
typedef struct fusion {
    const mb_image_u8 *photo;
    const mb_image_f32 *alpha;
    const mb_colours *f, *b; /* NULL: the photo */
    mb_colours *out_f, *out_b;
    int before, after; /* of the box */
    int rows, n_x;     /* of a tile; tiles in a row */
    const mb_task *task;
    float unit[256];
    double **scratch; /* a worker: 7 column sums, then 7 products of a row, TILE_COLS + before + after each */
} fusion;

/* Columns [x0, x1) of a tile. */
typedef struct span {
    int x0, x1;
} span;

/* The 7 values of row y, columns [x0 - before, x1 + after), mirrored. */
static void load_row(double *dst, size_t stride, const fusion *j, int y, span columns)
{
    int w = j->photo->width;
    size_t row = (size_t)mb_reflect_101(y, j->photo->height) * (size_t)w, step = (size_t)j->photo->channels;
    for (int x = columns.x0 - j->before, i = 0; x < columns.x1 + j->after; x++, i++) {
        size_t at = row + (size_t)(x >= 0 && x < w ? x : mb_reflect_101(x, w));
        double a = (double)j->alpha->v[at];
        const uint8_t *p = j->photo->v + at * step;
        dst[i] = a;
        for (size_t k = 0; k < 3; k++) {
            double f = (double)(j->f != NULL ? j->f->v[4 * at + k] : j->unit[p[k]]);
            double b = (double)(j->b != NULL ? j->b->v[4 * at + k] : j->unit[p[k]]);
            dst[(1 + k) * stride + (size_t)i] = f * a;
            dst[(4 + k) * stride + (size_t)i] = b * (1 - a);
        }
    }
}

/* sums += sign * row: exact up to rounding in f64, so rows that leave cancel what they brought. */
MB_CLONES static void add_to(double *sums, const double *row, size_t n, double sign)
{
    for (size_t i = 0; i < n; i++) {
        sums[i] += sign * row[i];
    }
}

/* Box means -> foreground and background here, then what explains the photo: F + a (I - a F - (1 - a) B). mean: of a,
 * F a (3), B (1 - a) (3). */
static void finish_pixel(const fusion *j, size_t at, const double mean[SUMS])
{
    double a = (double)j->alpha->v[at];
    const uint8_t *p = j->photo->v + at * (size_t)j->photo->channels;
    for (size_t k = 0; k < 3; k++) {
        double f = mean[1 + k] / (mean[0] + 1e-5), b = mean[4 + k] / (1 - mean[0] + 1e-5);
        double v = f + a * ((double)j->unit[p[k]] - a * f - (1 - a) * b);
        j->out_f->v[4 * at + k] = v > 0 ? (v < 1 ? (float)v : 1.0f) : 0.0f;
        if (j->out_b != NULL) {
            j->out_b->v[4 * at + k] = (float)b;
        }
    }
    j->out_f->v[4 * at + 3] = 0;
}

/* Means of the box around each pixel of a row, from running sums of the column sums. */
static void finish_row(const fusion *j, const double *sums, size_t stride, int y, span columns)
{
    int reach = j->before + j->after + 1;
    double s[SUMS] = {0}, mean[SUMS], inverse = 1 / ((double)reach * (double)reach);
    for (size_t k = 0; k < SUMS; k++) {
        for (int i = 0; i < reach - 1; i++) {
            s[k] += sums[k * stride + (size_t)i];
        }
    }
    size_t at = (size_t)y * (size_t)j->photo->width + (size_t)columns.x0;
    for (size_t x = 0; x < (size_t)(columns.x1 - columns.x0); x++) {
        for (size_t k = 0; k < SUMS; k++) {
            s[k] += sums[k * stride + x + (size_t)reach - 1];
            mean[k] = s[k] * inverse;
            s[k] -= sums[k * stride + x];
        }
        finish_pixel(j, at + x, mean);
    }
}

/* Tiles [begin, end), counted row by row. Column sums of the rows in the box; each step down adds one row and takes
 * one away. */
static void run_tiles(void *arg, size_t begin, size_t end, int worker)
{
    const fusion *j = arg;
    int w = j->photo->width, h = j->photo->height;
    size_t stride = (size_t)(TILE_COLS + j->before + j->after);
    double *sums = j->scratch[worker], *row = sums + SUMS * stride;
    for (size_t i = begin; i < end; i++) {
        int x0 = (int)(i % (size_t)j->n_x) * TILE_COLS, y0 = (int)(i / (size_t)j->n_x) * j->rows;
        const span columns = {x0, w - x0 < TILE_COLS ? w : x0 + TILE_COLS};
        int y1 = h - y0 < j->rows ? h : y0 + j->rows;
        memset(sums, 0, 2 * SUMS * stride * sizeof *sums); /* both: unused columns are added too */
        for (int y = y0 - j->before; y < y0 + j->after; y++) {
            load_row(row, stride, j, y, columns);
            add_to(sums, row, SUMS * stride, 1);
        }
        for (int y = y0; y < y1 && !mb_should_stop(j->task); y++) {
            load_row(row, stride, j, y + j->after, columns);
            add_to(sums, row, SUMS * stride, 1);
            finish_row(j, sums, stride, y, columns);
            load_row(row, stride, j, y - j->before, columns);
            add_to(sums, row, SUMS * stride, -1);
        }
    }
}

/* One pass with a box of r x r, anchored at r/2. */
static mb_status pass(const mb_task *task, fusion *j, int r, mb_error *err)
{
    size_t n_workers = (size_t)mb_task_workers(task);
    mb_status status = MB_OK;
    MB_TRY(mb_task_check(task, err));
    j->before = r / 2;
    j->after = r - 1 - r / 2;
    j->rows = 4 * r > 128 ? 4 * r : 128;
    j->n_x = (j->photo->width - 1) / TILE_COLS + 1;
    j->scratch = mb_calloc(n_workers, sizeof *j->scratch);
    size_t bytes = 2 * SUMS * ((size_t)TILE_COLS + (size_t)r) * sizeof(double); /* under 1 MiB */
    for (size_t i = 0; i < n_workers; i++) {
        if (j->scratch == NULL || (j->scratch[i] = mb_alloc_aligned(bytes)) == NULL) {
            status = mb_fail_memory(err, bytes, "foreground colours");
            goto done;
        }
    }
    size_t n_y = ((size_t)j->photo->height - 1) / (size_t)j->rows + 1;
    MB_TRY(mb_task_for(task, (size_t)j->n_x * n_y, 1, run_tiles, j, err));
done:
    if (j->scratch != NULL) {
        for (size_t i = 0; i < n_workers; i++) {
            mb_free_aligned(j->scratch[i]);
        }
        mb_free(j->scratch);
    }
    j->scratch = NULL;
    return status;
}

/* A wide box first, then a narrow one on its result. */
mb_status mb_foreground_blurfusion(const mb_task *task, mb_colours *f, const mb_image_u8 *photo,
                                   const mb_image_f32 *alpha, const mb_foreground_options *o, mb_error *err)
{
    int first = o->first_radius > 0 ? o->first_radius : 90, second = o->second_radius > 0 ? o->second_radius : 6;
    mb_colours rough = {0}, back = {0};
    mb_status status = MB_OK;
    *f = (mb_colours){0};
    if (first > 1024 || second > 1024) {
        return mb_fail(err, MB_E_ARGUMENT, "blur fusion radii %d and %d: 1 to 1024", first, second);
    }
    fusion j = {.photo = photo, .alpha = alpha, .out_f = &rough, .out_b = &back, .task = task};
    for (int v = 0; v < 256; v++) {
        j.unit[v] = (float)v / 255.0f;
    }
    MB_TRY(mb_colours_create(&rough, photo->width, photo->height, err));
    MB_TRY(mb_colours_create(&back, photo->width, photo->height, err));
    MB_TRY(pass(task, &j, first, err));
    MB_TRY(mb_colours_create(f, photo->width, photo->height, err));
    j.f = &rough;
    j.b = &back;
    j.out_f = f;
    j.out_b = NULL;
    MB_TRY(pass(task, &j, second, err));
done:
    mb_colours_dispose(&rough);
    mb_colours_dispose(&back);
    if (status != MB_OK) {
        mb_colours_dispose(f);
    }
    return status;
}
