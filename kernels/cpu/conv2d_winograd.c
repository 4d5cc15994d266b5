/* See conv2d_winograd.h. A map is cut into tiles of 4 x 4 outputs. At each of the 6 x 6 points of a tile a 3x3
 * convolution is one product over channels, so 36 multiplications do the work of 144 (isa/winograd.h). A 7x7 kernel,
 * one row and column of zeros added, is four of 4x4 with 7 x 7 points; a part that lies four pixels further reads the
 * next tile, so that the parts share their transformed tiles and become taps of one product: 196 instead of 784.
 *
 * An item is a block of neighbouring tiles. Its tiles are transformed, multiplied point by point and transformed back
 * in the worker's scratch, in the second cache. How maps are cut into blocks changes no bit: every output is made from
 * its own tile by the same steps. */
#include "conv2d_winograd.h"
#include "core/alloc.h"
#include "gemm.h"

#include <string.h>

#define OUT              4   /* outputs along one side of a tile */
#define MOST_POINTS      7   /* along one side */
#define MOST_PARTS       2   /* of a kernel, along one side */
#define CHANNELS_ONCE    128 /* of the input; a block of K */
#define COLUMNS_ONCE     64  /* of the output */
#define TILES_ONCE       96
#define LEAST_TILES      24 /* in an item, where there are more items than threads want */
#define ITEMS_PER_THREAD 4
#define LEAST_PIXELS     1024
#define MOST_WEIGHTS     8 /* for each pixel: weights of smaller maps would be read more often than they save */
#define LEAST_CHANNELS   16

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What follows from the kernel's size. */
typedef struct form {
    int64_t taps, parts, points; /* along one side: of a part; of the kernel; of a tile */
} form;

static form form_of(int64_t kernel)
{
    return kernel == 3 ? (form){3, 1, 6} : (form){4, 2, 7};
}

static bool supports(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const int64_t *w = c->in[1].dims;
    int64_t pixels = c->out.dims[2] * c->out.dims[3];
    bool square = w[2] == w[3] && (w[2] == 3 || w[2] == 7);
    return square && a->stride == 1 && !a->border_variants && w[0] >= LEAST_CHANNELS && w[1] >= LEAST_CHANNELS &&
           (w[2] == 3 || w[1] <= CHANNELS_ONCE) && pixels >= LEAST_PIXELS && w[0] * w[1] <= MOST_WEIGHTS * pixels;
}

/* ---- weights: U = G w G', a matrix per point, packed for the product */

/* G of 6 points and 3 taps, and of 7 points and 4 taps. */
static const double weights_6[6][4] = {{1, 0, 0},
                                       {1.0 / 3, 1.0 / 3, 1.0 / 3},
                                       {-1.0 / 3, 1.0 / 3, -1.0 / 3},
                                       {-16.0 / 15, -8.0 / 15, -4.0 / 15},
                                       {1.0 / 15, -2.0 / 15, 4.0 / 15},
                                       {0, 0, 1}};
static const double weights_7[7][4] = {{-1.0 / 2, 0, 0, 0},
                                       {-1.0 / 3, -1.0 / 3, -1.0 / 3, -1.0 / 3},
                                       {1.0 / 9, -1.0 / 9, 1.0 / 9, -1.0 / 9},
                                       {1.0 / 36, 1.0 / 18, 1.0 / 9, 2.0 / 9},
                                       {-1.0 / 60, 1.0 / 30, -1.0 / 15, 2.0 / 15},
                                       {32.0 / 45, 16.0 / 45, 8.0 / 45, 4.0 / 45},
                                       {0, 0, 0, 1}};

typedef struct prepared {
    mb_packed *points[MOST_POINTS * MOST_POINTS];
    float *bias; /* whole panels */
} prepared;

static void free_prepared(void *data)
{
    prepared *p = data;
    if (p != NULL) {
        for (int i = 0; i < MOST_POINTS * MOST_POINTS; i++) {
            mb_packed_free(p->points[i]);
        }
        mb_free(p);
    }
}

/* One point's weights [O][I][parts * parts]. */
typedef struct transform {
    const mb_view *weight;
    form f;
    int64_t i, j; /* the point */
    float *to;
} transform;

static void transform_outputs(void *arg, size_t begin, size_t end, int worker)
{
    const transform *t = arg;
    const int64_t kernel = t->weight->dims[2], inputs = t->weight->dims[1], parts = t->f.parts, taps = t->f.taps;
    const double *down = t->f.points == 6 ? weights_6[t->i] : weights_7[t->i];
    const double *across = t->f.points == 6 ? weights_6[t->j] : weights_7[t->j];
    (void)worker;
    for (int64_t k = (int64_t)begin * inputs; k < (int64_t)end * inputs; k++) {
        const float *w = (const float *)t->weight->data + k * kernel * kernel;
        for (int64_t part = 0; part < parts * parts; part++) {
            int64_t y0 = part / parts * taps, x0 = part % parts * taps;
            double sum = 0;
            for (int64_t y = 0; y < taps && y0 + y < kernel; y++) {
                for (int64_t x = 0; x < taps && x0 + x < kernel; x++) {
                    sum += down[y] * across[x] * (double)w[(y0 + y) * kernel + x0 + x];
                }
            }
            t->to[k * parts * parts + part] = (float)sum;
        }
    }
}

static int64_t padded(const mb_simd *simd, int64_t channels)
{
    return div_up(channels, simd->width) * simd->width;
}

static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_view *w = &c->in[1];
    form f = form_of(w->dims[2]);
    const int64_t shape[3] = {w->dims[0], w->dims[1], f.parts * f.parts};
    size_t count = 0, bytes = 0;
    transform t = {.weight = w, .f = f};
    prepared *p = mb_calloc(1, sizeof *p + (size_t)padded(simd, shape[0]) * sizeof(float));
    if (mb_mul_size(&count, (size_t)(shape[0] * shape[1]), (size_t)shape[2])) {
        t.to = mb_alloc_array(count, sizeof *t.to);
    }
    if (p == NULL || t.to == NULL) {
        status = mb_fail_memory(err, count * sizeof *t.to, "transformed weights");
        goto done;
    }
    for (int64_t i = 0; i < f.points * f.points; i++) {
        t.i = i / f.points;
        t.j = i % f.points;
        mb_parallel_for(c->pool, (size_t)shape[0], 1, transform_outputs, &t);
        MB_TRY(mb_packed_create(&p->points[i], simd, shape, t.to, NULL, 1.0f, c->pool, err));
        bytes += p->points[i]->bytes;
    }
    p->bias = (float *)(p + 1);
    bool bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    if (bias) {
        memcpy(p->bias, c->in[2].data, (size_t)shape[0] * sizeof(float));
    }
    *out = (mb_prepared){p, bytes, free_prepared, 1u << 1 | (bias ? 1u << 2 : 0)};
    p = NULL;
done:
    free_prepared(p);
    mb_free(t.to);
    return status;
}

/* Beyond the published weights. */
static size_t more_weights(const mb_call *c)
{
    form f = form_of(c->in[1].dims[2]);
    const int64_t *w = c->in[1].dims;
    return (size_t)(w[0] * w[1]) * sizeof(float) * (size_t)(f.points * f.points * f.parts * f.parts - w[2] * w[3]);
}

/* ---- how a map is cut, and a worker's scratch */

typedef struct layout {
    form f;
    int64_t down, across;             /* tiles of the map */
    int64_t block_down, block_across; /* tiles of an item */
    int64_t blocks_down, blocks_across;
    int64_t channels, columns; /* of a block of K, and of a group of outputs, in whole vectors */
    int64_t rows, tiles;       /* most products of an item, in whole register tiles; most transformed tiles */
    size_t points_at, products_at, bytes; /* of the scratch: row pointers, transformed tiles, products */
} layout;

/* Few threads get large blocks, for which weights are read less often. */
static void cut_blocks(layout *l, int64_t items, int threads)
{
    int64_t tiles = TILES_ONCE, wanted = threads > 1 ? (int64_t)threads * ITEMS_PER_THREAD : 1;
    while (tiles > LEAST_TILES && items * l->down * l->across / tiles < wanted) {
        tiles /= 2;
    }
    l->blocks_across = div_up(l->across, 16);
    l->block_across = div_up(l->across, l->blocks_across);
    int64_t high = tiles / l->block_across > 1 ? tiles / l->block_across : 1;
    l->blocks_down = div_up(l->down, high);
    l->block_down = div_up(l->down, l->blocks_down);
    l->blocks_down = div_up(l->down, l->block_down);
}

static bool lay_out(layout *l, const mb_simd *simd, const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    l->f = form_of(w[2]);
    l->down = div_up(c->out.dims[2], OUT);
    l->across = div_up(c->out.dims[3], OUT);
    cut_blocks(l, c->out.dims[0], mb_pool_size(c->pool));
    /* Even blocks of K; a 7x7 kernel has one, its taps lie side by side in the weights. */
    int64_t blocks = div_up(w[1], CHANNELS_ONCE);
    l->channels = padded(simd, div_up(w[1], blocks));
    l->columns = least(COLUMNS_ONCE, padded(simd, w[0]));
    l->rows = div_up(l->block_down * l->block_across, simd->tile_rows) * simd->tile_rows;
    l->tiles = (l->block_down + l->f.parts - 1) * (l->block_across + l->f.parts - 1);
    size_t points = (size_t)(l->f.points * l->f.points) * sizeof(float), tiles, products;
    l->points_at = ((size_t)(l->rows * l->f.parts * l->f.parts) * sizeof(float *) + 63) & ~(size_t)63;
    return mb_mul_size(&tiles, points, (size_t)(l->tiles * l->channels)) &&
           mb_mul_size(&products, points, (size_t)(l->rows * l->columns)) &&
           mb_add_size(&l->products_at, l->points_at, (tiles + 63) & ~(size_t)63) &&
           mb_add_size(&l->bytes, l->products_at, (products + 63) & ~(size_t)63);
}

static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    layout l;
    size_t bytes;
    return lay_out(&l, simd, c) && mb_mul_size(&bytes, l.bytes, (size_t)mb_pool_size(c->pool)) ? bytes : SIZE_MAX;
}

/* ---- the run */

typedef struct job {
    const mb_call *c;
    const mb_simd *simd;
    const prepared *p;
    layout l;
} job;

/* One item: tiles [y, y + down) x [x, x + across) of batch item n. */
typedef struct block {
    int64_t n, y, x, down, across;
    const float **rows;
    float *tiles, *products;
} block;

/* Transforms channels [from, from + channels) of the block's tiles, and of those that its last ones' parts lie in. */
static void tiles_in(const job *j, const block *b, int64_t from, int64_t channels)
{
    const mb_view *x = &j->c->in[0];
    const mb_conv2d_attrs *a = j->c->attrs;
    const float *pixels[MOST_POINTS * MOST_POINTS], *zeros = j->p->points[0]->zeros;
    int64_t points = j->l.f.points, more = j->l.f.parts - 1, height = x->dims[2], width = x->dims[3];
    const float *map = (const float *)x->data + b->n * height * width * x->pitch + from;
    mb_winograd_in q = {
        .pixels = pixels, .points = points, .channels = channels, .to = b->tiles, .plane = j->l.tiles * j->l.channels};
    for (int64_t ty = b->y; ty < b->y + b->down + more; ty++) {
        for (int64_t tx = b->x; tx < b->x + b->across + more; tx++, q.to += j->l.channels) {
            for (int64_t i = 0; i < points * points; i++) {
                int64_t py = ty * OUT - a->pad + i / points, px = tx * OUT - a->pad + i % points;
                bool inside = py >= 0 && py < height && px >= 0 && px < width;
                pixels[i] = inside ? map + (py * width + px) * x->pitch : zeros;
            }
            j->simd->winograd_in(&q);
        }
    }
}

/* Where the rows of the first point's product lie, as mb_panel wants them: a segment per part. The last register
 * tile's missing rows repeat the last one. */
static void point_rows(const job *j, const block *b)
{
    int64_t parts = j->l.f.parts, wide = b->across + parts - 1, tile = j->simd->tile_rows;
    int64_t rows = div_up(b->down * b->across, tile) * tile;
    for (int64_t r = 0; r < rows; r++) {
        int64_t t = least(r, b->down * b->across - 1), y = t / b->across, x = t % b->across;
        const float **to = b->rows + r / tile * tile * parts * parts + r % tile;
        for (int64_t part = 0; part < parts * parts; part++) {
            to[part * tile] = b->tiles + ((y + part / parts) * wide + x + part % parts) * j->l.channels;
        }
    }
}

typedef struct span {
    int64_t from, n;
} span;

/* Products of a block of K, the inputs' `channels`, with some of the outputs, `columns`, point by point; the pointers to
 * the rows move from point to point, and back. */
static void multiply(const job *j, const block *b, span channels, span columns)
{
    const mb_simd *simd = j->simd;
    int64_t parts = j->l.f.parts * j->l.f.parts, full = 2 * simd->width, points = j->l.f.points * j->l.f.points;
    int64_t rows = div_up(b->down * b->across, simd->tile_rows) * simd->tile_rows;
    point_rows(j, b);
    for (int64_t i = 0; i < points; i++) {
        const mb_packed *w = j->p->points[i];
        int64_t k_total = w->taps * w->channels, end = columns.from + columns.n;
        for (int64_t n = columns.from; n < end; n += full) {
            int64_t width = w->n - n <= simd->width ? simd->width : full;
            mb_panel q = {.rows = (const float *const *)b->rows,
                          .n_rows = rows,
                          .segments = parts,
                          .length = channels.n,
                          .w = w->w + n * k_total + channels.from * width,
                          .width = width,
                          .columns = width,
                          .out = b->products + i * j->l.rows * j->l.columns + n - columns.from,
                          .out_pitch = j->l.columns,
                          .first = channels.from == 0};
            simd->panel(&q);
        }
        for (int64_t r = 0; r < rows * parts; r++) {
            b->rows[r] += j->l.tiles * j->l.channels;
        }
    }
}

static void tiles_out(const job *j, const block *b, int64_t column, int64_t columns)
{
    const mb_conv2d_attrs *a = j->c->attrs;
    const mb_view *out = &j->c->out, *addend = &j->c->in[3];
    int64_t height = out->dims[2], width = out->dims[3];
    bool added = j->c->n_in > 3 && mb_view_present(addend);
    bool vector = added && addend->dims[2] * addend->dims[3] != height * width;
    mb_winograd_out q = {.from = b->products,
                         .points = j->l.f.points,
                         .plane = j->l.rows * j->l.columns,
                         .channels = columns,
                         .out_pitch = out->pitch,
                         .out_row = width * out->pitch,
                         .bias = j->p->bias + column,
                         .addend_pitch = vector ? 0 : addend->pitch,
                         .addend_row = vector ? 0 : width * addend->pitch,
                         .act = a->act};
    for (int64_t ty = b->y; ty < b->y + b->down; ty++) {
        for (int64_t tx = b->x; tx < b->x + b->across; tx++, q.from += j->l.columns) {
            int64_t pixel = (b->n * height + ty * OUT) * width + tx * OUT;
            q.rows = least(OUT, height - ty * OUT);
            q.columns = least(OUT, width - tx * OUT);
            q.out = (float *)out->data + pixel * out->pitch + column;
            if (added) {
                q.addend = (const float *)addend->data + (vector ? b->n : pixel) * addend->pitch + column;
            }
            j->simd->winograd_out(&q);
        }
    }
}

/* Groups of outputs, in each blocks of K in order. With one block of K tiles are transformed once for all groups. */
static void run_items(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    const layout *l = &j->l;
    int64_t inputs = j->c->in[1].dims[1], outputs = j->c->in[1].dims[0];
    char *space = (char *)j->c->workspace + (size_t)worker * l->bytes;
    block b = {.rows = (const float **)(void *)space,
               .tiles = (float *)(void *)(space + l->points_at),
               .products = (float *)(void *)(space + l->products_at)};
    for (size_t item = begin; item < end; item++) {
        int64_t at = (int64_t)item % (l->blocks_down * l->blocks_across);
        b.n = (int64_t)item / (l->blocks_down * l->blocks_across);
        b.y = at / l->blocks_across * l->block_down;
        b.x = at % l->blocks_across * l->block_across;
        b.down = least(l->block_down, l->down - b.y);
        b.across = least(l->block_across, l->across - b.x);
        for (int64_t column = 0; column < outputs; column += l->columns) {
            int64_t columns = least(l->columns, outputs - column);
            for (int64_t from = 0; from < inputs; from += l->channels) {
                int64_t channels = least(l->channels, inputs - from);
                if (column == 0 || l->channels < inputs) {
                    tiles_in(j, &b, from, channels);
                }
                multiply(j, &b, (span){from, channels}, (span){column, columns});
            }
            tiles_out(j, &b, column, columns);
        }
    }
}

static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    job j = {.c = c, .simd = simd, .p = c->prepared->data};
    if (!lay_out(&j.l, simd, c)) {
        return mb_fail(err, MB_E_INTERNAL, "conv2d: the workspace was not planned");
    }
    mb_parallel_for(c->pool, (size_t)(c->out.dims[0] * j.l.blocks_down * j.l.blocks_across), 1, run_items, &j);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    MB_VARIANT_RUN(set)                                                                                                \
    const mb_kernel mb_conv2d_winograd_##set = {.name = #set " winograd",                                              \
                                                .supports = supports,                                                  \
                                                .prepare = prepare_##set,                                              \
                                                .more_weights = more_weights,                                          \
                                                .workspace = workspace_##set,                                          \
                                                .run = run_##set,                                                      \
                                                .in_place_input = 1 + 3};
MB_EACH_SET(VARIANT)
