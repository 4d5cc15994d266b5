/* Multi-level foreground estimation: Gauss-Seidel sweeps from one pixel up to the full size. docs/models/refine.md
 * section 8.1.
 *
 * A sweep is serial by nature: a pixel takes the new values of its left and upper neighbours. Cut into blocks, those on
 * one anti-diagonal depend on the diagonal before only, so they run in parallel and give the serial sweep's bits.
 * Within a pixel the three channels of F and of B are two vectors, and the left neighbour, the only value the next
 * pixel waits for, enters last. */
#include "matting/foreground.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

#define BLOCK_ROWS 64
#define BLOCK_COLS 256

typedef float v4f __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));

/* Foreground, background and alpha at one size. */
typedef struct level {
    int width, height;
    v4f *f, *b;       /* [height, width] */
    float *a;         /* [height, width] alpha of this level */
    int32_t *columns; /* [width] column of the photo */
} level;

typedef struct ml {
    const mb_image_u8 *photo;
    const mb_image_f32 *alpha;
    float regularization, gradient;
    float unit[256];
    level now, last;
    int diagonal; /* of the blocks that are swept side by side */
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

/* One row of a block: x in [x0, x1). Neighbours beyond the picture are the pixel itself. */
static void sweep_row(const ml *m, int y, int x0, int x1)
{
    const level *l = &m->now;
    size_t w = (size_t)l->width, row = (size_t)y * w;
    size_t up = y > 0 ? row - w : row, down = y + 1 < l->height ? row + w : row;
    float reg = m->regularization, grad = m->gradient;
    v4f left_f = l->f[row + (size_t)(x0 > 0 ? x0 - 1 : 0)], left_b = l->b[row + (size_t)(x0 > 0 ? x0 - 1 : 0)];
    for (int i = x0; i < x1; i++) {
        size_t x = (size_t)i, left = i > 0 ? x - 1 : x, right = i + 1 < l->width ? x + 1 : x;
        float a = l->a[row + x], rest = 1 - a;
        float w_left = reg + grad * fabsf(a - l->a[row + left]), w_right = reg + grad * fabsf(a - l->a[row + right]);
        float w_up = reg + grad * fabsf(a - l->a[up + x]), w_down = reg + grad * fabsf(a - l->a[down + x]);
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
static int blocks_y(const level *l)
{
    return (l->height - 1) / BLOCK_ROWS + 1;
}

/* Blocks of the diagonal, counted by their column from its first. */
static void sweep_blocks(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const ml *m = arg;
    int first = m->diagonal - (blocks_y(&m->now) - 1);
    first = first > 0 ? first : 0;
    for (size_t i = begin; i < end; i++) {
        int bx = first + (int)i, by = m->diagonal - bx;
        int x0 = bx * BLOCK_COLS, x1 = m->now.width - x0 < BLOCK_COLS ? m->now.width : x0 + BLOCK_COLS;
        int y0 = by * BLOCK_ROWS, y1 = m->now.height - y0 < BLOCK_ROWS ? m->now.height : y0 + BLOCK_ROWS;
        for (int y = y0; y < y1; y++) {
            sweep_row(m, y, x0, x1);
        }
    }
}

/* One Gauss-Seidel sweep over the level, diagonal by diagonal. */
static mb_status sweep(ml *m, mb_error *err)
{
    mb_status status = MB_OK;
    int nx = blocks_x(&m->now), ny = blocks_y(&m->now);
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
    for (size_t y = begin; y < end; y++) {
        size_t row = y * (size_t)l->width, from = y * (size_t)s->height / (size_t)l->height * (size_t)s->width;
        const float *alpha = m->alpha->v + y * (size_t)m->alpha->height / (size_t)l->height * (size_t)m->alpha->width;
        for (size_t x = 0; x < (size_t)l->width; x++) {
            size_t at = from + x * (size_t)s->width / (size_t)l->width;
            l->f[row + x] = s->f[at];
            l->b[row + x] = s->b[at];
            l->a[row + x] = alpha[l->columns[x]];
        }
    }
}

static void dispose_level(level *l)
{
    mb_free_aligned(l->f);
    mb_free_aligned(l->b);
    mb_free_aligned(l->a);
    mb_free(l->columns);
    *l = (level){0};
}

/* F, B and alpha of one size, and for each column the one of the photo. */
static mb_status create_level(level *l, int width, int height, const mb_image_u8 *photo, mb_error *err)
{
    size_t area, bytes;
    *l = (level){.width = width, .height = height};
    if (!mb_mul_size(&area, (size_t)width, (size_t)height) || !mb_mul_size(&bytes, area, sizeof(v4f))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    l->f = mb_alloc_aligned(bytes);
    l->b = mb_alloc_aligned(bytes);
    l->a = mb_alloc_aligned(bytes / 4);
    l->columns = mb_alloc_array((size_t)width, sizeof *l->columns);
    if (l->f == NULL || l->b == NULL || l->a == NULL || l->columns == NULL) {
        dispose_level(l);
        return mb_fail_memory(err, bytes * 9 / 4, "foreground colours (foreground=blurfusion needs less)");
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

/* From 1 x 1 to the full size in steps of a constant factor; each level starts from the one before. */
static mb_status run_levels(const mb_task *task, ml *m, const mb_foreground_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    int w = m->photo->width, h = m->photo->height;
    int n = (int)ceil(log2((double)(w > h ? w : h)));
    int small_size = o->small_size > 0 ? o->small_size : 32;
    int small = o->small_iterations > 0 ? o->small_iterations : 10, big = o->big_iterations > 0 ? o->big_iterations : 2;
    for (int i = 0; i <= n; i++) {
        double t = n > 0 ? (double)i / n : 1; /* a single pixel: one level, and no division by zero */
        int lw = (int)rint(pow(w, t)), lh = (int)rint(pow(h, t));
        MB_TRY(create_level(&m->now, lw, lh, m->photo, err));
        MB_TRY(mb_task_for(task, (size_t)lh, 64, enlarge_rows, m, err));
        dispose_level(&m->last);
        int iterations = lw <= small_size && lh <= small_size ? small : big;
        for (int k = 0; k < iterations; k++) {
            MB_TRY(sweep(m, err));
            mb_report_progress(task, ((double)lw * lh) / ((double)w * h) * (k + 1) / iterations);
        }
        m->last = m->now;
        m->now = (level){0};
    }
done:
    return status;
}

/* The last level becomes the result without a copy. */
mb_status mb_foreground_ml(const mb_task *task, mb_colours *f, mb_colours *b, const mb_image_u8 *photo,
                           const mb_image_f32 *alpha, const mb_foreground_options *o, mb_error *err)
{
    ml m = {.photo = photo, .alpha = alpha, .task = task};
    m.regularization = o->regularization > 0 ? o->regularization : 1e-5f;
    m.gradient = o->gradient_weight > 0 ? o->gradient_weight : 1.0f;
    mb_status status = MB_OK;
    *f = (mb_colours){0};
    if (b != NULL) {
        *b = (mb_colours){0};
    }
    for (int v = 0; v < 256; v++) {
        m.unit[v] = (float)v / 255.0f;
    }
    MB_TRY(create_level(&m.last, 1, 1, photo, err));
    start(&m);
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
