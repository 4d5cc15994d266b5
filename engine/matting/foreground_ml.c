/* Multi-level foreground estimation: Gauss-Seidel sweeps from one pixel up to the full size. docs/models/refine.md
 * section 8.1.
 *
 * A sweep is serial by nature: a pixel takes the new values of its left and upper neighbours. Cut into blocks, those on
 * one anti-diagonal depend on the diagonal before only, so they run in parallel and give the serial sweep's bits.
 * Within a pixel the three channels of F and of B are two vectors, and the left neighbour, the only value the next
 * pixel waits for, enters last.
 *
 * Where only the bytes of F are wanted, the full size, which is three quarters of the memory, is never whole there: its
 * sweeps follow each other in bands of rows, each a band behind the one before, and a band is rounded after the last.
 * There the last two levels are swept near edges only. A value that is not swept counts for a half of one pixel's at the
 * most, and so for 2^-32 behind the 32 pixels and more that are swept beside every edge (of the level before the last;
 * 64 of the last): translucent pixels and those around keep their bytes. What is opaque shows the photo. What is wholly
 * transparent keeps the colours that were estimated at a quarter of the size. */
#include "matting/edge_cells.h"
#include "matting/foreground.h"

#include "core/alloc.h"
#include "image/convert.h"

#include <math.h>
#include <string.h>

#define BLOCK_ROWS 64
#define BLOCK_COLS 256
#define BAND       64 /* rows; a band has four rows of blocks, so that threads share it */

typedef float v4f __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));

/* Foreground, background and alpha at one size. */
typedef struct level {
    int width, height;
    int rows;         /* of f and b that are kept at a time: row y is row y % rows of them */
    v4f *f, *b;       /* [rows, width] */
    float *own_a;     /* [height, width], NULL at the full size */
    const float *a;   /* [height, width] alpha of this level: own_a, or the photo's */
    int32_t *columns; /* [width] column of the photo */
} level;

typedef struct ml {
    const mb_image_u8 *photo;
    const mb_image_f32 *alpha;
    float regularization, gradient;
    float unit[256];
    level now, last;
    int top, bottom, block_rows; /* the rows that are swept, and how many a block has */
    int diagonal;                /* of the blocks that are swept side by side */
    mb_image_u8 *bytes;          /* rounded F goes there, where `coverage` is not 255; NULL: F and B stay whole */
    const uint8_t *coverage;
    mb_edge_cells edges; /* of the photo, where `bytes` are wanted */
    bool near_edges;     /* this level is swept there only */
    const mb_task *task;
} ml;

/* min(max(v, 0), 1); NaN becomes 0. */
static inline v4f clip(v4f v)
{
    v4f one = {1, 1, 1, 1};
    v4i positive = v > 0.0f, below = v < 1.0f;
    v4i kept = (v4i)v & positive;
    return (v4f)((kept & below) | ((v4i)one & ~below));
}

/* The photo at row y of this level; `column`: of the photo. Nearest sample. */
static inline v4f photo_at(const ml *m, int y, int column)
{
    size_t row = (size_t)((int64_t)y * m->photo->height / m->now.height);
    const uint8_t *p = m->photo->v + (row * (size_t)m->photo->width + (size_t)column) * (size_t)m->photo->channels;
    return (v4f){m->unit[p[0]], m->unit[p[1]], m->unit[p[2]], 0};
}

static inline v4f splat(float x)
{
    return (v4f){x, x, x, x};
}

/* Where row y of f and b begins. */
static inline size_t row_of(const level *l, int y)
{
    return (size_t)(y % l->rows) * (size_t)l->width;
}

/* One row of a block: x in [x0, x1). Neighbours beyond the picture are the pixel itself. */
static void sweep_row(const ml *m, int y, int x0, int x1)
{
    const level *l = &m->now;
    const size_t w = (size_t)l->width, row = row_of(l, y);
    const size_t up = y > 0 ? row_of(l, y - 1) : row, down = y + 1 < l->height ? row_of(l, y + 1) : row;
    const float *alpha = l->a + (size_t)y * w, *above = y > 0 ? alpha - w : alpha;
    const float *below = y + 1 < l->height ? alpha + w : alpha;
    float reg = m->regularization, grad = m->gradient;
    v4f left_f = l->f[row + (size_t)(x0 > 0 ? x0 - 1 : 0)], left_b = l->b[row + (size_t)(x0 > 0 ? x0 - 1 : 0)];
    for (int i = x0; i < x1; i++) {
        size_t x = (size_t)i, left = i > 0 ? x - 1 : x, right = i + 1 < l->width ? x + 1 : x;
        float a = alpha[x], rest = 1 - a;
        float w_left = reg + grad * fabsf(a - alpha[left]), w_right = reg + grad * fabsf(a - alpha[right]);
        float w_up = reg + grad * fabsf(a - above[x]), w_down = reg + grad * fabsf(a - below[x]);
        float sum = w_left + w_right + w_up + w_down;
        float a00 = a * a + sum, a01 = a * rest, a11 = rest * rest + sum;
        float inverse = 1 / (a00 * a11 - a01 * a01);
        v4f colour = photo_at(m, y, l->columns[x]);
        v4f f = splat(a) * colour + splat(w_right) * l->f[row + right] + splat(w_up) * l->f[up + x] +
                splat(w_down) * l->f[down + x] + splat(w_left) * left_f;
        v4f b = splat(rest) * colour + splat(w_right) * l->b[row + right] + splat(w_up) * l->b[up + x] +
                splat(w_down) * l->b[down + x] + splat(w_left) * left_b;
        float ff = inverse * a11, fb = -inverse * a01, bb = inverse * a00;
        left_f = clip(splat(ff) * f + splat(fb) * b);
        left_b = clip(splat(fb) * f + splat(bb) * b);
        l->f[row + x] = left_f;
        l->b[row + x] = left_b;
    }
}

static int blocks_x(const level *l)
{
    return (l->width - 1) / BLOCK_COLS + 1;
}
static int blocks_y(const ml *m)
{
    return (m->bottom - m->top - 1) / m->block_rows + 1;
}

/* First column of this level that lies in column `cell` of the map of edges. */
static int first_of_cell(const ml *m, int cell)
{
    const int64_t x = (int64_t)cell * MB_EDGE_CELL * m->now.width;
    return (int)((x + m->photo->width - 1) / m->photo->width);
}

/* The same row where it is near edges: one run of cells after the other. */
static void sweep_row_near(const ml *m, int y, int x0, int x1)
{
    const int64_t row = (int64_t)y * m->photo->height / m->now.height / MB_EDGE_CELL;
    const uint8_t *is_near = m->edges.is_near + row * m->edges.columns;
    const int last = m->now.columns[x1 - 1] / MB_EDGE_CELL;
    for (int cell = m->now.columns[x0] / MB_EDGE_CELL; cell <= last; cell++) {
        int end = cell;
        while (end <= last && is_near[end]) {
            end++;
        }
        if (end > cell) {
            const int from = first_of_cell(m, cell), to = first_of_cell(m, end);
            sweep_row(m, y, from > x0 ? from : x0, to < x1 ? to : x1);
            cell = end;
        }
    }
}

/* Blocks of the diagonal, counted by their column from its first. */
static void sweep_blocks(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const ml *m = arg;
    int first = m->diagonal - (blocks_y(m) - 1);
    first = first > 0 ? first : 0;
    for (size_t i = begin; i < end; i++) {
        int bx = first + (int)i, by = m->diagonal - bx;
        int x0 = bx * BLOCK_COLS, x1 = m->now.width - x0 < BLOCK_COLS ? m->now.width : x0 + BLOCK_COLS;
        int y0 = m->top + by * m->block_rows, y1 = m->bottom - y0 < m->block_rows ? m->bottom : y0 + m->block_rows;
        for (int y = y0; y < y1; y++) {
            if (m->near_edges) {
                sweep_row_near(m, y, x0, x1);
            } else {
                sweep_row(m, y, x0, x1);
            }
        }
    }
}

/* One Gauss-Seidel sweep over rows [top, bottom), diagonal by diagonal. */
static mb_status sweep(ml *m, mb_error *err)
{
    mb_status status = MB_OK;
    int nx = blocks_x(&m->now), ny = blocks_y(m);
    for (m->diagonal = 0; m->diagonal < nx + ny - 1; m->diagonal++) {
        int first = m->diagonal - (ny - 1), last = m->diagonal < nx ? m->diagonal : nx - 1;
        first = first > 0 ? first : 0;
        MB_TRY(mb_task_for(m->task, (size_t)(last - first + 1), 1, sweep_blocks, m, err));
    }
done:
    return status;
}

/* F, B, a of the new level: nearest in the level before, and in the full alpha. */
static void enlarge_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const ml *m = arg;
    const level *l = &m->now, *s = &m->last;
    for (size_t y = (size_t)m->top + begin; y < (size_t)m->top + end; y++) {
        size_t row = row_of(l, (int)y), from = y * (size_t)s->height / (size_t)l->height * (size_t)s->width;
        const float *alpha = m->alpha->v + y * (size_t)m->alpha->height / (size_t)l->height * (size_t)m->alpha->width;
        for (size_t x = 0; x < (size_t)l->width; x++) {
            size_t at = from + x * (size_t)s->width / (size_t)l->width;
            l->f[row + x] = s->f[at];
            l->b[row + x] = s->b[at];
        }
        for (size_t x = 0; l->own_a != NULL && x < (size_t)l->width; x++) {
            l->own_a[y * (size_t)l->width + x] = alpha[l->columns[x]];
        }
    }
}

static void dispose_level(level *l)
{
    mb_free_aligned(l->f);
    mb_free_aligned(l->b);
    mb_free_aligned(l->own_a);
    mb_free(l->columns);
    *l = (level){0};
}

/* F, B (`rows` of them) and alpha of one size, and for each column the one of the photo. */
static mb_status create_level(level *l, int width, int height, int rows, const ml *m, mb_error *err)
{
    const mb_image_u8 *photo = m->photo;
    const bool full = width == m->alpha->width && height == m->alpha->height;
    size_t area, bytes, alpha_bytes;
    *l = (level){.width = width, .height = height, .rows = rows};
    if (!mb_mul_size(&area, (size_t)width, (size_t)rows) || !mb_mul_size(&bytes, area, sizeof(v4f)) ||
        !mb_mul_size(&area, (size_t)width, (size_t)height) || !mb_mul_size(&alpha_bytes, area, sizeof(float))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    l->f = mb_alloc_aligned(bytes);
    l->b = mb_alloc_aligned(bytes);
    l->own_a = full ? NULL : mb_alloc_aligned(alpha_bytes);
    l->a = full ? m->alpha->v : l->own_a;
    l->columns = mb_alloc_array((size_t)width, sizeof *l->columns);
    if (l->f == NULL || l->b == NULL || l->a == NULL || l->columns == NULL) {
        dispose_level(l);
        return mb_fail_memory(err, 2 * bytes + alpha_bytes, "foreground colours (foreground=blurfusion needs less)");
    }
    for (int x = 0; x < width; x++) {
        l->columns[x] = (int32_t)((int64_t)x * photo->width / width);
    }
    return MB_OK;
}

/* Mean colours of what is surely foreground and background: the single pixel before level 0. */
static void start(ml *m)
{
    double f[3] = {0}, b[3] = {0}, n_f = 1e-5, n_b = 1e-5;
    size_t n = (size_t)m->photo->width * (size_t)m->photo->height, step = (size_t)m->photo->channels;
    for (size_t i = 0; i < n; i++) {
        float a = m->alpha->v[i];
        bool fore = a > 0.9f, back = a < 0.1f;
        n_f += fore;
        n_b += back;
        for (size_t k = 0; k < 3; k++) {
            double v = (double)m->unit[m->photo->v[i * step + k]];
            f[k] += fore ? v : 0;
            b[k] += back ? v : 0;
        }
    }
    m->last.f[0] = (v4f){(float)(f[0] / n_f), (float)(f[1] / n_f), (float)(f[2] / n_f), 0};
    m->last.b[0] = (v4f){(float)(b[0] / n_b), (float)(b[1] / n_b), (float)(b[2] / n_b), 0};
}

/* Rows [begin, end) of the band from `top` on: F to bytes. Opaque pixels keep the photo's. */
static void round_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const ml *m = arg;
    const size_t w = (size_t)m->now.width;
    for (size_t y = (size_t)m->top + begin; y < (size_t)m->top + end; y++) {
        const v4f *f = m->now.f + row_of(&m->now, (int)y);
        const uint8_t *coverage = m->coverage + y * w;
        uint8_t *to = m->bytes->v + 3 * y * w;
        for (size_t x = 0; x < w; x++) {
            for (int k = 0; k < 3 && coverage[x] != 255; k++) {
                to[3 * x + (size_t)k] = mb_to8(f[x][k]);
            }
        }
    }
}

/* Rows of band number k of the level, cut off at its ends. -> are there any? */
static bool choose_band(ml *m, int k)
{
    m->top = k * BAND;
    m->bottom = m->now.height - m->top < BAND ? m->now.height : m->top + BAND;
    return k >= 0 && m->top < m->bottom;
}

/* The last level in bands. In step s band s gets its first values; then sweep k is over band s - k: what it reads from the
 * band below has gone through sweep k - 1, and what it reads from the band above through sweep k. */
static mb_status run_bands(const mb_task *task, ml *m, int iterations, mb_error *err)
{
    mb_status status = MB_OK;
    const int bands = (m->now.height - 1) / BAND + 1;
    m->block_rows = BAND / 4;
    for (int s = 0; s < bands + iterations; s++) {
        if (choose_band(m, s)) {
            MB_TRY(mb_task_for(task, (size_t)(m->bottom - m->top), 16, enlarge_rows, m, err));
        }
        for (int k = 1; k <= iterations; k++) {
            if (choose_band(m, s - k)) {
                MB_TRY(sweep(m, err));
            }
        }
        if (choose_band(m, s - iterations)) {
            MB_TRY(mb_task_for(task, (size_t)(m->bottom - m->top), 16, round_rows, m, err));
        }
        mb_report_progress(task, 0.25 + 0.75 * (s + 1) / (bands + iterations));
    }
done:
    return status;
}

/* A level as a whole. share: its pixels, of those of the full size. */
static mb_status run_whole(const mb_task *task, ml *m, int iterations, double share, mb_error *err)
{
    mb_status status = MB_OK;
    m->top = 0;
    m->bottom = m->now.height;
    m->block_rows = BLOCK_ROWS;
    MB_TRY(mb_task_for(task, (size_t)m->now.height, 64, enlarge_rows, m, err));
    dispose_level(&m->last);
    for (int k = 0; k < iterations; k++) {
        MB_TRY(sweep(m, err));
        mb_report_progress(task, share * (k + 1) / iterations);
    }
done:
    return status;
}

/* Levels after the single pixel: from 1 x 1 to the full size in steps of a constant factor. */
static int count_levels(int width, int height)
{
    return (int)ceil(log2((double)(width > height ? width : height)));
}

/* Level i of n; rows: of F and B that are kept at a time. Returns how often it is swept. */
static int size_of_level(int size[2], int *rows, int i, int n, int width, int height, bool bytes,
                         const mb_foreground_options *o)
{
    const int small_size = o->small_size > 0 ? o->small_size : 32;
    const int small = o->small_iterations > 0 ? o->small_iterations : 10;
    const int big = o->big_iterations > 0 ? o->big_iterations : 2;
    const double t = n > 0 ? (double)i / n : 1; /* a single pixel: one level, and no division by zero */
    size[0] = (int)rint(pow(width, t));
    size[1] = (int)rint(pow(height, t));
    const int iterations = size[0] <= small_size && size[1] <= small_size ? small : big;
    const bool in_bands = i == n && bytes && iterations < size[1] / BAND; /* else nothing is saved */
    *rows = in_bands ? (iterations + 1) * BAND + 1 : size[1];
    return iterations;
}

double mb_foreground_ml_memory(int width, int height, bool bytes)
{
    const mb_foreground_options standard = {0};
    const int n = count_levels(width, height);
    double last = 0, most = 0;
    for (int i = 0; i <= n; i++) {
        int size[2], rows;
        (void)size_of_level(size, &rows, i, n, width, height, bytes, &standard);
        const double alpha = i < n ? (double)sizeof(float) * size[0] * size[1] : 0;
        const double now = 2.0 * sizeof(v4f) * size[0] * rows + alpha + (double)sizeof(int32_t) * size[0];
        most = now + last > most ? now + last : most;
        last = now;
    }
    return most;
}

/* Each level starts from the one before. */
static mb_status run_levels(const mb_task *task, ml *m, const mb_foreground_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    int w = m->photo->width, h = m->photo->height;
    const int n = count_levels(w, h);
    for (int i = 0; i <= n; i++) {
        int size[2], rows;
        const int iterations = size_of_level(size, &rows, i, n, w, h, m->bytes != NULL, o);
        const int lw = size[0], lh = size[1];
        const bool in_bands = rows < lh;
        m->near_edges = m->bytes != NULL && i >= n - 1;
        MB_TRY(create_level(&m->now, lw, lh, rows, m, err));
        MB_TRY(in_bands ? run_bands(task, m, iterations, err)
                        : run_whole(task, m, iterations, ((double)lw * lh) / ((double)w * h), err));
        if (i == n && m->bytes != NULL && !in_bands) {
            MB_TRY(mb_task_for(task, (size_t)lh, 64, round_rows, m, err));
        }
        dispose_level(&m->last);
        m->last = m->now;
        m->now = (level){0};
    }
done:
    return status;
}

/* Weights, tables, and the single pixel before level 0. */
static mb_status open_levels(ml *m, const mb_foreground_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    m->regularization = o->regularization > 0 ? o->regularization : 1e-5f;
    m->gradient = o->gradient_weight > 0 ? o->gradient_weight : 1.0f;
    for (int v = 0; v < 256; v++) {
        m->unit[v] = (float)v / 255.0f;
    }
    MB_TRY(create_level(&m->last, 1, 1, 1, m, err));
    start(m);
done:
    return status;
}

/* The last level becomes the result without a copy. */
mb_status mb_foreground_ml(const mb_task *task, mb_colours *f, mb_colours *b, const mb_image_u8 *photo,
                           const mb_image_f32 *alpha, const mb_foreground_options *o, mb_error *err)
{
    ml m = {.photo = photo, .alpha = alpha, .task = task};
    mb_status status = MB_OK;
    *f = (mb_colours){0};
    if (b != NULL) {
        *b = (mb_colours){0};
    }
    MB_TRY(open_levels(&m, o, err));
    MB_TRY(run_levels(task, &m, o, err));
    *f = (mb_colours){photo->width, photo->height, (float *)m.last.f};
    m.last.f = NULL;
    if (b != NULL) {
        *b = (mb_colours){photo->width, photo->height, (float *)m.last.b};
        m.last.b = NULL;
    }
done:
    dispose_level(&m.now);
    dispose_level(&m.last);
    return status;
}

/* A row is rounded when no sweep needs the photo there any more: the bytes may take the photo's place. */
mb_status mb_foreground_ml_bytes(const mb_task *task, mb_image_u8 *photo, const mb_image_f32 *alpha,
                                 const uint8_t *coverage, const mb_foreground_options *o, mb_error *err)
{
    ml m = {.photo = photo, .alpha = alpha, .task = task, .bytes = photo, .coverage = coverage};
    mb_status status = MB_OK;
    MB_TRY(open_levels(&m, o, err));
    MB_TRY(mb_edge_cells_create(task, &m.edges, alpha, err));
    MB_TRY(run_levels(task, &m, o, err));
done:
    mb_edge_cells_dispose(&m.edges);
    dispose_level(&m.now);
    dispose_level(&m.last);
    return status;
}
