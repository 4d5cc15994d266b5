/* The guided filter as a stream. docs/models/refine.md section 5 has the equations.
 *
 * The picture is cut into tiles. A tile walks down its rows with three things in cache: a ring of 2r+1 input rows
 * (3 guide channels and the source, f32), 13 running column sums (f64), and a ring of 2r+1 rows of coefficients. Each
 * step adds the row that enters the window and removes the one that leaves it, so the cost does not depend on r, and no
 * plane of the picture's size exists but the result. Sums are f64: f32 running sums lose the covariance (measured,
 * section 5). A mirrored picture is symmetric about its edge, so tiles simply run over mirrored rows and columns. The
 * tiling depends on the sizes alone: same bits for any number of threads. */
#include "matting/guided_core.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <stdatomic.h>
#include <string.h>

#define SUMS  13 /* r g b p, rr rg rb gg gb bb, rp gp bp */
#define CHUNK 64 /* columns between horizontal sums and solving, so that the sums stay in L1 */

typedef struct tile_shape {
    int cols, rows;          /* of the result in a full tile */
    int n_x, n_y;            /* tiles */
    int in_width, out_width; /* floats of an input row (cols + 4r) and of a coefficient row (cols + 2r) */
} tile_shape;

/* Scratch of one worker. Rings have 2r+2 slots: the window's rows and the one that has just left. */
typedef struct tile {
    const mb_task *task;
    const mb_guided_job *job;
    atomic_int *rows_done; /* of all tiles */
    int x0, x1, y0, y1, slots;
    int n_in, n_mid;    /* columns in use: x1 - x0 + 4r, x1 - x0 + 2r */
    float *in;          /* [slots][4][n_in] */
    float *coefficient; /* [slots][4][n_mid] */
    double *column;     /* [13][n_in] */
    double *column2;    /* [4][n_mid] */
    double *sum;        /* [13][CHUNK] */
    float to_unit[256];
} tile;

typedef struct stream {
    const mb_guided_job *job;
    tile_shape shape;
    tile *tiles; /* one a worker */
    atomic_int rows_done;
} stream;

/* The ring slot of input row v, four channels of n_in floats. */
static float *in_row(const tile *t, int v)
{
    return t->in + (size_t)((v - (t->y0 - 2 * t->job->radius)) % t->slots) * 4 * (size_t)t->n_in;
}

/* The ring slot of coefficient row v: a (3 channels) and b, n_mid floats each. */
static float *coefficient_row(const tile *t, int v)
{
    return t->coefficient + (size_t)((v - (t->y0 - t->job->radius)) % t->slots) * 4 * (size_t)t->n_mid;
}

/* One channel of `count` pixels from column x on, which lie inside the picture. */
static void load_inside(float *dst, const mb_image_view *s, size_t first, int count, const float *to_unit)
{
    size_t step = (size_t)s->channels;
    if (s->u8 != NULL) {
        const uint8_t *p = s->u8 + first;
        for (int i = 0; i < count; i++) {
            dst[i] = to_unit[p[(size_t)i * step]];
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        dst[i] = mb_image_view_at(s, first + (size_t)i * step);
    }
}

/* One channel of row y for the columns of the tile and 2r more on both sides, mirrored beyond the picture. */
static void load_channel(float *dst, const tile *t, const mb_image_view *s, int channel, int y)
{
    int begin = t->x0 - 2 * t->job->radius, end = begin + t->n_in, w = s->width;
    size_t row = (size_t)y * (size_t)w, step = (size_t)s->channels;
    int from = begin > 0 ? begin : 0, to = end < w ? end : w;
    for (int x = begin; x < from; x++) {
        dst[x - begin] = mb_image_view_at(s, (row + (size_t)mb_reflect(x, w)) * step + (size_t)channel);
    }
    load_inside(dst + (from - begin), s, (row + (size_t)from) * step + (size_t)channel, to - from, t->to_unit);
    for (int x = to; x < end; x++) {
        dst[x - begin] = mb_image_view_at(s, (row + (size_t)mb_reflect(x, w)) * step + (size_t)channel);
    }
}

/* Input row v, which may lie beyond the picture, into its ring slot. */
static void load_row(const tile *t, int v)
{
    float *dst = in_row(t, v);
    const mb_image_view *guide = &t->job->guide;
    int y = mb_reflect(v, guide->height);
    for (int c = 0; c < 3; c++) { /* a grey guide stands for three equal channels: see mb_guided_filter */
        load_channel(dst + (size_t)c * (size_t)t->n_in, t, guide, guide->channels == 1 ? 0 : c, y);
    }
    load_channel(dst + 3 * (size_t)t->n_in, t, &t->job->source, 0, y);
}

/* Column sums += products of the row `add` - products of the row `del`. Products of f32 are exact in f64. */
MB_CLONES static void slide_down(double *column, const float *add, const float *del, size_t n)
{
#pragma GCC ivdep
    for (size_t x = 0; x < n; x++) {
        double r = (double)add[x], g = (double)add[n + x], b = (double)add[2 * n + x], p = (double)add[3 * n + x];
        double r0 = (double)del[x], g0 = (double)del[n + x], b0 = (double)del[2 * n + x], p0 = (double)del[3 * n + x];
        column[x] += r - r0;
        column[n + x] += g - g0;
        column[2 * n + x] += b - b0;
        column[3 * n + x] += p - p0;
        column[4 * n + x] += r * r - r0 * r0;
        column[5 * n + x] += r * g - r0 * g0;
        column[6 * n + x] += r * b - r0 * b0;
        column[7 * n + x] += g * g - g0 * g0;
        column[8 * n + x] += g * b - g0 * b0;
        column[9 * n + x] += b * b - b0 * b0;
        column[10 * n + x] += r * p - r0 * p0;
        column[11 * n + x] += g * p - g0 * p0;
        column[12 * n + x] += b * p - b0 * p0;
    }
}

/* The same for the four coefficients, whose sums need no products. */
MB_CLONES static void slide_down4(double *column, const float *add, const float *del, size_t n4)
{
    for (size_t i = 0; i < n4; i++) {
        column[i] += (double)add[i] - (double)del[i];
    }
}

/* For n columns: from the window sums (stride CHUNK) times `inv` = 1 / pixels of a window to a and b (stride out_stride).
 * (S + eps Id) a = c by LDL^T in f64; b = mean p - a . mean I. */
MB_CLONES static void solve(float *out, size_t out_stride, const double *sum, size_t n, double inv, double eps)
{
#pragma GCC ivdep
    for (size_t x = 0; x < n; x++) {
        double r = sum[x] * inv, g = sum[CHUNK + x] * inv, b = sum[2 * CHUNK + x] * inv, p = sum[3 * CHUNK + x] * inv;
        double rr = sum[4 * CHUNK + x] * inv - r * r + eps, rg = sum[5 * CHUNK + x] * inv - r * g;
        double rb = sum[6 * CHUNK + x] * inv - r * b, gg = sum[7 * CHUNK + x] * inv - g * g + eps;
        double gb = sum[8 * CHUNK + x] * inv - g * b, bb = sum[9 * CHUNK + x] * inv - b * b + eps;
        double cr = sum[10 * CHUNK + x] * inv - r * p, cg = sum[11 * CHUNK + x] * inv - g * p;
        double cb = sum[12 * CHUNK + x] * inv - b * p;
        double d0 = 1.0 / rr, l10 = rg * d0, l20 = rb * d0;
        double d1 = 1.0 / (gg - l10 * rg), m21 = gb - l20 * rg, l21 = m21 * d1;
        double d2 = 1.0 / (bb - l20 * rb - l21 * m21);
        double y1 = cg - l10 * cr, y2 = cb - l20 * cr - l21 * y1;
        double a2 = y2 * d2, a1 = y1 * d1 - l21 * a2, a0 = cr * d0 - l10 * a1 - l20 * a2;
        out[x] = (float)a0;
        out[out_stride + x] = (float)a1;
        out[2 * out_stride + x] = (float)a2;
        out[3 * out_stride + x] = (float)(p - a0 * r - a1 * g - a2 * b);
    }
}

/* Window sums of n columns beginning at x0, each from the one before. `state` carries the sums from chunk to chunk. */
static void slide_right(const tile *t, double state[SUMS], int x0, int n)
{
    size_t stride = (size_t)t->n_in, reach = (size_t)(2 * t->job->radius + 1);
    const double *leave = t->column + x0;
    double s[SUMS];
    memcpy(s, state, sizeof s);
    for (size_t x = 0; x < (size_t)n; x++) {
        for (size_t k = 0; k < SUMS; k++) {
            t->sum[k * CHUNK + x] = s[k];
            s[k] += leave[k * stride + x + reach] - leave[k * stride + x];
        }
    }
    memcpy(state, s, sizeof s);
}

/* Row v of a and b for the columns of the tile and r more on both sides. */
static void coefficients(const tile *t, int v)
{
    int reach = 2 * t->job->radius + 1;
    double n_inv = 1.0 / ((double)reach * (double)reach), state[SUMS] = {0};
    float *out = coefficient_row(t, v);
    for (size_t k = 0; k < SUMS; k++) {
        for (int x = 0; x < reach; x++) {
            state[k] += t->column[k * (size_t)t->n_in + (size_t)x];
        }
    }
    for (int x = 0; x < t->n_mid; x += CHUNK) {
        int n = t->n_mid - x < CHUNK ? t->n_mid - x : CHUNK;
        slide_right(t, state, x, n);
        solve(out + x, (size_t)t->n_mid, t->sum, (size_t)n, n_inv, t->job->eps);
    }
}

/* The second box, over the coefficients, and the result of row y. */
static void finish_row(const tile *t, int y)
{
    const mb_guided_job *job = t->job;
    int r = job->radius, reach = 2 * r + 1, width = job->guide.width;
    size_t n = (size_t)t->n_mid, n_in = (size_t)t->n_in;
    double inv = 1.0 / ((double)reach * (double)reach), s[4] = {0};
    const float *guide = in_row(t, y) + 2 * r;
    for (size_t k = 0; k < 4; k++) {
        for (size_t x = 0; x < (size_t)reach; x++) {
            s[k] += t->column2[k * n + x];
        }
    }
    size_t dst = (size_t)y * (size_t)width + (size_t)t->x0;
    for (size_t x = 0; x < (size_t)(t->x1 - t->x0); x++) {
        if (job->means != NULL) {
            for (size_t k = 0; k < 4; k++) {
                job->means[(dst + x) * 4 + k] = (float)(s[k] * inv);
            }
        } else {
            job->result[dst + x] = (float)((s[0] * (double)guide[x] + s[1] * (double)guide[n_in + x] +
                                            s[2] * (double)guide[2 * n_in + x] + s[3]) *
                                           inv);
        }
        for (size_t k = 0; k < 4; k++) {
            s[k] += t->column2[k * n + x + (size_t)reach] - t->column2[k * n + x];
        }
    }
}

/* Rows of tiles count alike, whatever their width; now and then is enough for who watches. */
static void report_row(const tile *t, const tile_shape *shape)
{
    int done = atomic_fetch_add_explicit(t->rows_done, 1, memory_order_relaxed) + 1;
    if (done % 16 == 0) {
        mb_report_progress(t->task, (double)done / ((double)t->job->guide.height * shape->n_x));
    }
}

/* Walks down the rows. Sums start from rows of zeros above the first, so there is no special beginning. */
static void run_tile(tile *t, const tile_shape *shape)
{
    int r = t->job->radius;
    size_t in_row_size = 4 * (size_t)t->n_in, mid_row_size = 4 * (size_t)t->n_mid;
    memset(t->in, 0, (size_t)t->slots * in_row_size * sizeof(float)); /* rows above the first weigh nothing */
    memset(t->coefficient, 0, (size_t)t->slots * mid_row_size * sizeof(float));
    memset(t->column, 0, (SUMS * (size_t)t->n_in + (size_t)1) * sizeof(double));
    memset(t->column2, 0, (4 * (size_t)t->n_mid + (size_t)1) * sizeof(double));
    for (int v = t->y0 - 2 * r; v < t->y1 + 2 * r && !mb_should_stop(t->task); v++) {
        load_row(t, v); /* into the slot after the newest; the slot beyond it holds the row that leaves */
        slide_down(t->column, in_row(t, v), in_row(t, v + 1), (size_t)t->n_in);
        int mid = v - r; /* the row whose window is now complete */
        if (mid < t->y0 - r) {
            continue;
        }
        coefficients(t, mid);
        slide_down4(t->column2, coefficient_row(t, mid), coefficient_row(t, mid + 1), mid_row_size);
        if (mid - r >= t->y0) {
            finish_row(t, mid - r);
            report_row(t, shape);
        }
    }
}

/* Tiles [begin, end), counted row by row. */
static void run_tiles(void *arg, size_t begin, size_t end, int worker)
{
    const stream *s = arg;
    tile *t = &s->tiles[worker];
    int r = s->job->radius, w = s->job->guide.width, h = s->job->guide.height;
    for (size_t i = begin; i < end; i++) {
        t->x0 = (int)(i % (size_t)s->shape.n_x) * s->shape.cols;
        t->y0 = (int)(i / (size_t)s->shape.n_x) * s->shape.rows;
        t->x1 = w - t->x0 < s->shape.cols ? w : t->x0 + s->shape.cols;
        t->y1 = h - t->y0 < s->shape.rows ? h : t->y0 + s->shape.rows;
        t->n_in = t->x1 - t->x0 + 4 * r;
        t->n_mid = t->x1 - t->x0 + 2 * r;
        run_tile(t, &s->shape);
    }
}

/* Tiles so large that the mirrored or shared borders (4r rows and columns) cost little, and the rings stay in L2. */
static tile_shape choose_shape(const mb_guided_job *job)
{
    int r = job->radius, w = job->guide.width, h = job->guide.height;
    int cols = 8 * r > 384 ? 8 * r : 384, rows = 16 * r > 256 ? 16 * r : 256;
    tile_shape s = {.cols = w < cols ? w : cols, .rows = h < rows ? h : rows};
    s.n_x = (w - 1) / s.cols + 1;
    s.n_y = (h - 1) / s.rows + 1;
    s.in_width = s.cols + 4 * r;
    s.out_width = s.cols + 2 * r;
    return s;
}

/* Scratch for the largest tile; smaller ones at the edges use a part of it. */
static mb_status create_tile(const mb_task *task, tile *t, stream *all, mb_error *err)
{
    const mb_guided_job *job = all->job;
    size_t slots = 2 * (size_t)job->radius + 2, in = (size_t)all->shape.in_width, mid = (size_t)all->shape.out_width;
    *t = (tile){.task = task, .job = job, .rows_done = &all->rows_done, .slots = (int)slots};
    for (int v = 0; v < 256; v++) {
        t->to_unit[v] = (float)v / 255.0f;
    }
    t->in = mb_alloc_aligned(slots * 4 * in * sizeof(float));
    t->coefficient = mb_alloc_aligned(slots * 4 * mid * sizeof(float));
    t->column = mb_alloc_aligned((SUMS * in + 1) * sizeof(double)); /* one more: slide_right reads past the last */
    t->column2 = mb_alloc_aligned((4 * mid + 1) * sizeof(double));
    t->sum = mb_alloc_aligned(SUMS * CHUNK * sizeof(double));
    bool ok = t->in != NULL && t->coefficient != NULL && t->column != NULL && t->column2 != NULL && t->sum != NULL;
    return ok ? MB_OK : mb_fail_memory(err, slots * 4 * (in + mid) * sizeof(float), "the guided filter's rows");
}

static void dispose_tile(tile *t)
{
    mb_free_aligned(t->in);
    mb_free_aligned(t->coefficient);
    mb_free_aligned(t->column);
    mb_free_aligned(t->column2);
    mb_free_aligned(t->sum);
}

/* Scratch for every worker, tiles side by side. */
mb_status mb_guided_stream(const mb_task *task, const mb_guided_job *job, mb_error *err)
{
    size_t n_workers = (size_t)mb_task_workers(task);
    stream s = {job, choose_shape(job), mb_calloc(n_workers, sizeof(tile)), 0};
    mb_status status = MB_OK;
    if (s.tiles == NULL) {
        return mb_fail_memory(err, n_workers * sizeof(tile), "the guided filter");
    }
    for (size_t i = 0; i < n_workers; i++) {
        MB_TRY(create_tile(task, &s.tiles[i], &s, err));
    }
    MB_TRY(mb_task_for(task, (size_t)s.shape.n_x * (size_t)s.shape.n_y, 1, run_tiles, &s, err));
done:
    for (size_t i = 0; i < n_workers; i++) {
        dispose_tile(&s.tiles[i]);
    }
    mb_free(s.tiles);
    return status;
}
