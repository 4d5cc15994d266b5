/* Blocks, threads and loops of the matrix product (gemm.h). The order is: items of (column group x row block) spread
 * over threads; in an item blocks of K; in a block panels of columns, whose packed weights stay in L1 while all rows of
 * the item pass (isa/panel.h). Rows and outputs of an item stay in L2. */
#include "gemm.h"

#include "core/alloc.h"
#include "isa/bf16.h"

#define ROWS_PER_BLOCK   96  /* a multiple of every tile's rows */
#define K_PER_BLOCK      384 /* 24 KB of weights a panel with AVX2 */
#define COLUMNS_PER_ITEM 512
#define COLUMNS_IN_16                                                                                                  \
    4096 /* in 16 bits: rows are rounded again for each group of columns, which costs more than weights */
#define ITEMS_WANTED 32 /* enough for even shares of up to 16 threads; see row_block */

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
/* Rounded up. */
static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t tile_rows(const mb_packed *w)
{
    const mb_bf16_loops *bf16 = mb_packed_bf16(w);
    return bf16 != NULL ? bf16->tile_rows : w->simd->tile_rows;
}

void mb_gemm_cut_k(const mb_packed *w, mb_blocks *b)
{
    const mb_bf16_loops *bf16 = mb_packed_bf16(w);
    int64_t channels = mb_packed_channels(w);
    /* K: even runs of channels of one tap, or whole taps together where the channels are few. */
    b->channel_blocks = div_up(channels, K_PER_BLOCK);
    b->length = div_up(channels, b->channel_blocks);
    b->length = bf16 != NULL ? mb_bf16_round_up(b->length, bf16->unit) : b->length;
    b->tap_blocks = b->channel_blocks > 1 ? w->taps : div_up(w->taps * channels, K_PER_BLOCK);
    b->tap_blocks = min_i64(b->tap_blocks, w->taps);
    b->taps = div_up(w->taps, b->tap_blocks);
    b->tap_blocks = div_up(w->taps, b->taps);
}

static mb_blocks cut(const mb_gemm *g)
{
    const mb_packed *w = g->w;
    mb_blocks b;
    const mb_bf16_loops *bf16 = mb_packed_bf16(w);
    int64_t panel = bf16 != NULL ? MB_BF16_COLUMNS : 2 * w->simd->width;
    /* Columns: even groups of whole panels. */
    b.column_blocks = div_up(w->n, bf16 != NULL ? COLUMNS_IN_16 : COLUMNS_PER_ITEM);
    b.columns = div_up(div_up(w->n, b.column_blocks), panel) * panel;
    b.column_blocks = div_up(w->n, b.columns);
    /* Rows: as many as fit L2, fewer where that would leave threads without an item; even blocks of whole
 * tiles. */
    int64_t rows = ROWS_PER_BLOCK;
    while (rows > 24 && g->groups * div_up(g->m, rows) * b.column_blocks < ITEMS_WANTED) {
        rows /= 2;
    }
    b.row_blocks = div_up(g->m, rows);
    b.rows = min_i64(rows, div_up(div_up(g->m, b.row_blocks), tile_rows(w)) * tile_rows(w));
    b.row_blocks = div_up(g->m, b.rows);
    mb_gemm_cut_k(w, &b);
    return b;
}

/* Scratch of one worker: row pointers, then gathered rows, then (in bf16) rounded rows. Bytes. */
typedef struct scratch {
    size_t pointers, narrow, scales, total; /* narrow: where the rounded rows begin; scales: of them */
} scratch;

/* Grows with m, though the rows of a block do not: a product
 * of fewer rows than were planned (upsample_conv2d's last strip) fits into the same workspace. */
static bool scratch_bytes(const mb_gemm *g, const mb_blocks *b, scratch *s)
{
    int64_t tile = tile_rows(g->w);
    size_t rows = (size_t)(div_up(min_i64(ROWS_PER_BLOCK, g->m), tile) * tile), values = 0, narrow = 0;
    if (!mb_mul_size(&s->pointers, rows * sizeof(float *), g->gathers ? 1 : (size_t)b->taps)) {
        return false;
    }
    if (g->gathers && !mb_mul_size(&values, rows * sizeof(float), (size_t)(b->taps * b->length))) {
        return false;
    }
    if (mb_packed_bf16(g->w) != NULL && !mb_mul_size(&narrow, rows * sizeof(uint16_t), (size_t)(b->taps * b->length))) {
        return false;
    }
    s->pointers = (s->pointers + 63) & ~(size_t)63;
    return mb_add_size(&s->narrow, s->pointers, (values + 63) & ~(size_t)63) &&
           mb_add_size(&s->scales, s->narrow, (narrow + 63) & ~(size_t)63) &&
           mb_add_size(&s->total, s->scales, narrow > 0 ? (rows * sizeof(float) + 63) & ~(size_t)63 : 0);
}

/* Scratch of all workers. */
size_t mb_gemm_workspace(const mb_gemm *g)
{
    mb_blocks b = cut(g);
    scratch s;
    if (!scratch_bytes(g, &b, &s) || !mb_mul_size(&s.total, s.total, (size_t)mb_pool_size(g->pool))) {
        return SIZE_MAX;
    }
    return s.total;
}

/* What all items share. */
typedef struct job {
    const mb_gemm *g;
    mb_blocks b;
    scratch scratch;
} job;

/* One block of K for one item: all panels of its columns.
 *
 * A panel is two vectors of columns (the last one vector, if that holds what is left) with their weights for all of K:
 * [K][width]. This block's weights are the run of `length` rows in it from k = tap * channels + channel on. The first
 * block of K (k == 0) starts the sums with bias and addend, those between add to what lies in the output, the last one
 * applies the activation; with one block it does both. An output that is also the addend is read before it is written.
 * Few columns (narrow): the weights are [n][K] instead, and all columns are one call. */
static void multiply_block(const job *j, const mb_rows_wanted *r, int64_t column, int64_t columns, bool last)
{
    const mb_gemm *g = j->g;
    const mb_packed *w = g->w;
    int64_t width = w->simd->width, full = 2 * width, k_total = w->taps * w->channels;
    int64_t k = r->tap * w->channels + r->channel;
    mb_panel p = {.rows = (const float *const *)r->rows,
                  .n_rows = r->n_rows,
                  .segments = g->gathers ? 1 : r->taps,
                  .length = g->gathers ? r->taps * r->length : r->length,
                  .out_pitch = g->out.pitch,
                  .first = k == 0,
                  .last = last,
                  .act = g->act};
    /* The addend of this block's first row; a vector per group has pitch 0. */
    const float *addend = NULL;
    if (mb_view_present(&g->addend)) {
        bool vector = g->addend.dims[2] * g->addend.dims[3] != g->out.dims[2] * g->out.dims[3];
        p.addend_pitch = vector ? 0 : g->addend.pitch;
        addend = (const float *)g->addend.data + (vector ? r->row / g->m : r->row) * g->addend.pitch;
    }
    /* All columns in one call. */
    if (w->narrow) {
        p.columns = w->n;
        p.w = w->w + k;
        p.w_pitch = k_total;
        p.bias = w->bias;
        p.addend = addend;
        p.out = (float *)g->out.data + r->row * g->out.pitch;
        w->simd->panel(&p);
        return;
    }
    for (int64_t n = column; n < column + columns; n += full) {
        p.columns = min_i64(full, w->n - n);
        p.width = p.columns <= width ? width : full;
        p.w = w->w + n * k_total + k * p.width;
        p.bias = w->bias != NULL ? w->bias + n : NULL;
        p.addend = addend != NULL ? addend + n : NULL;
        p.out = (float *)g->out.data + r->row * g->out.pitch + n;
        w->simd->panel(&p);
    }
}

/* One (column group x row block): blocks of K in order, the source asked anew for each. Every output is
 * summed by one thread in one order, so threads change no bit. */
static void run_item(const job *j, int64_t item, char *space)
{
    const mb_gemm *g = j->g;
    const mb_blocks *b = &j->b;
    bool bf16 = g->w->w16 != NULL;
    int64_t block = item % (b->row_blocks * g->groups), column = item / (b->row_blocks * g->groups) * b->columns;
    int64_t first = block % b->row_blocks * b->rows;
    int64_t columns = min_i64(b->columns, g->w->n - column);
    mb_rows_wanted r = {.row = block / b->row_blocks * g->m + first,
                        .n_rows = min_i64(b->rows, g->m - first),
                        .tile_rows = bf16 ? 1 : g->w->simd->tile_rows,
                        .rows = (const float **)(void *)space,
                        .scratch = (float *)(void *)(space + j->scratch.pointers)};
    uint16_t *narrow = (uint16_t *)(void *)(space + j->scratch.narrow);
    float *scales = (float *)(void *)(space + j->scratch.scales);
    for (r.tap = 0; r.tap < g->w->taps; r.tap += b->taps) {
        r.taps = min_i64(b->taps, g->w->taps - r.tap);
        for (r.channel = 0; r.channel < g->w->channels; r.channel += b->length) {
            r.length = min_i64(b->length, g->w->channels - r.channel);
            g->source(g->source_arg, &r);
            bool last = r.tap + r.taps == g->w->taps && r.channel + r.length == g->w->channels;
            if (bf16) {
                mb_bf16_multiply_block(g, b, &r, narrow, scales, column, columns, last);
            } else {
                multiply_block(j, &r, column, columns, last);
            }
        }
    }
}

/* A worker's share; its scratch is its own. */
static void run_items(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    const mb_bf16_loops *bf16 = mb_packed_bf16(j->g->w);
    if (bf16 != NULL && bf16->begin != NULL) {
        bf16->begin();
    }
    for (size_t i = begin; i < end; i++) {
        run_item(j, (int64_t)i, (char *)j->g->workspace + (size_t)worker * j->scratch.total);
    }
    if (bf16 != NULL && bf16->end != NULL) {
        bf16->end();
    }
}

/* Items are handed out one by one: they are even, but cores may not be. */
void mb_gemm_run(const mb_gemm *g)
{
    job j = {.g = g, .b = cut(g)};
    if (!scratch_bytes(g, &j.b, &j.scratch)) {
        return; /* workspace() said so before: no plan was made */
    }
    mb_parallel_for(g->pool, (size_t)(g->groups * j.b.row_blocks * j.b.column_blocks), 1, run_items, &j);
}

/* Rows as they lie in the map; the last tile's missing rows repeat the last one. */
void mb_source_tokens(const void *arg, const mb_rows_wanted *q)
{
    const mb_view *x = arg;
    const float *first = (const float *)x->data + q->row * x->pitch + q->channel;
    int64_t padded = div_up(q->n_rows, q->tile_rows) * q->tile_rows;
    for (int64_t r = 0; r < padded; r++) {
        q->rows[r] = first + min_i64(r, q->n_rows - 1) * x->pitch;
    }
}
