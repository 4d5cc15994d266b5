/* ViT attention, with relative positions or without, streaming (docs/models/vitmatte.md 4.3 and 5.1 R2): the tokens x tokens matrix
 * never exists.
 *
 * Keys and values of a map (a window, or the whole picture) are packed once per head into panels; blocks of queries
 * then walk over tiles of keys: relative terms -> logits (K panels) -> running softmax (Milakov and Gimelshein 2018) ->
 * output (V panels). The relative terms of a block are one small product with the resized tables, stored backwards:
 * then rh[y'] = q.Rh[y - y' + a - 1] for all y' is a run of memory that starts at column a - 1 - y, and rw alike.
 *
 * With pads_as_one the keys of a window are its tokens on the picture and, behind them, one for all padding, whose
 * relative term is summed up by isa/attention_loops.h.
 *
 * Work items are fixed by the shape (a window and head, or a head and block of queries), so the number of threads
 * changes no bit. Workspace: tables; packed keys and values, of one item of the batch if global, of one window per
 * thread otherwise; 100 KB of scratch per thread. */
#include "core/alloc.h"
#include "vit_attention_layout.h"

#include <math.h>
#include <string.h>

static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    layout l = layout_of(simd, c);
    size_t floats = l.tables, part, bytes;
    bool ok = mb_mul_size(&part, packed_maps(&l), l.kv_floats) && mb_add_size(&floats, floats, part) &&
              mb_mul_size(&part, (size_t)mb_pool_size(c->pool), l.scratch) && mb_add_size(&floats, floats, part) &&
              mb_mul_size(&bytes, floats, sizeof(float));
    return ok ? bytes : SIZE_MAX;
}

/* One axis: panels [d][width] whose column r is row 2a-2-r of the table resized to 2a-1 rows, times rel_scale. */
static void pack_table(float *dst, const layout *l, const mb_view *table, int64_t side, int64_t panels)
{
    const mb_vit_attention_attrs *at = l->call->attrs;
    const float *t = table->data;
    int64_t width = l->loops->width, rows = table->dims[0], out = 2 * side - 1;
    memset(dst, 0, (size_t)(panels * width * l->d) * sizeof(float));
    for (int64_t r = 0; r < out; r++) {
        double s = ((double)(out - 1 - r) + 0.5) * (double)rows / (double)out - 0.5;
        s = s > 0 ? s : 0;
        int64_t i = (int64_t)s, j = i + 1 < rows ? i + 1 : rows - 1;
        double f = s - (double)i;
        float *column = dst + r / width * width * l->d + r % width;
        for (int64_t e = 0; e < l->d; e++) {
            double v = (1 - f) * t[i * l->d + e] + f * t[j * l->d + e];
            column[e * width] = (float)((double)at->rel_scale * v);
        }
    }
}

/* A map: item n, its corner, how many of its tokens lie on the picture, and its keys: a grid of key_cols columns,
 * then, if its padding is one key, that. */
typedef struct map {
    int64_t n, y0, x0, rows, cols;
    int64_t grid, key_cols, keys;
} map;

/* Map `index` (items of the batch, then windows row by row): where it begins, and its keys. Windows inside
 * of the picture have no padding, so pads_as_one changes nothing there. */
static map map_of(const layout *l, int64_t index)
{
    const int64_t *x = l->call->in[0].dims;
    map m = {.n = index / (l->maps_y * l->maps_x)};
    m.y0 = index / l->maps_x % l->maps_y * l->a;
    m.x0 = index % l->maps_x * l->b;
    m.rows = x[2] - m.y0 < l->a ? x[2] - m.y0 : l->a;
    m.cols = x[3] - m.x0 < l->b ? x[3] - m.x0 : l->b;
    const mb_vit_attention_attrs *at = l->call->attrs;
    bool one = at->pads_as_one && m.rows * m.cols < l->keys;
    m.key_cols = one ? m.cols : l->b;
    m.grid = one ? m.rows * m.cols : l->keys;
    m.keys = m.grid + (one ? 1 : 0);
    return m;
}

/* The q of a token of the map (k and v lie channels and 2 * channels behind it); outside of the picture the padding. */
static const float *token_of(const layout *l, const map *m, int64_t y, int64_t x, int64_t head)
{
    const mb_view *v = &l->call->in[0];
    if (y >= m->rows || x >= m->cols) {
        return (const float *)l->call->in[3].data + head * l->d;
    }
    int64_t token = (m->n * v->dims[2] + m->y0 + y) * v->dims[3] + m->x0 + x;
    return (const float *)v->data + token * v->pitch + head * l->d;
}

/* Tokens of the keys [panel], n of them. */
static int64_t panel_tokens(const float *token[MB_ATTENTION_MOST_WIDTH], const layout *l, const map *m, int64_t head,
                            int64_t panel)
{
    int64_t first = panel * l->panel, n = m->keys - first < l->panel ? m->keys - first : l->panel;
    for (int64_t j = 0; j < n; j++) {
        int64_t i = first + j, y = i < m->grid ? i / m->key_cols : l->a; /* row a is padding */
        token[j] = token_of(l, m, y, i % m->key_cols, head);
    }
    return n;
}

/* Rounds a row; fixed point: returns what undoes its scale. */
static float round_row(const layout *l, uint16_t *to, const float *from, int64_t n)
{
    float back = 1;
    if (l->bf16->quantise != NULL) {
        float factor = mb_fixed16_scale(l->bf16->square_sum(from, n), &back);
        l->bf16->quantise(to, from, n, factor);
    } else {
        l->bf16->narrow(to, from, n);
    }
    return back;
}

/* Fixed point: the scales of the columns of V, such that the norm of no tile of keys exceeds MB_FIXED16_NORM. */
static void scale_values(float *kv, const layout *l, const map *m, int64_t head)
{
    float *scale = kv + l->scales + l->key_panels * l->panel;
    if (l->bf16 == NULL || l->bf16->quantise == NULL) {
        return;
    }
    memset(scale, 0, (size_t)l->d * sizeof *scale);
    for (int64_t panel = 0; panel < l->key_panels && panel * l->panel < m->keys; panel++) {
        const float *token[MB_ATTENTION_MOST_WIDTH];
        int64_t n = panel_tokens(token, l, m, head, panel);
        for (int64_t j = 0; j < n; j++) {
            const float *v = token[j] + 2 * l->channels;
            for (int64_t e = 0; e < l->d; e++) {
                float x = fabsf(v[e]);
                scale[e] = x > scale[e] || x != x ? x : scale[e]; /* what is not a number stays */
            }
        }
    }
    for (int64_t e = 0; e < l->d; e++) {
        scale[e] /= MOST_VALUE;
    }
}

/* The same in bf16: K [depth / 2][panel][2], V [keys / 2][width][2] for each panel of d; zeros behind the last key. */
static void pack_panel16(float *kv, const layout *l, const float *const *token, int64_t n, int64_t panel)
{
    uint16_t *k = (uint16_t *)(void *)kv + panel * l->panel * l->depth;
    uint16_t *all = (uint16_t *)(void *)(kv + l->k_floats), rows[2][MB_BF16_MOST_D + MB_BF16_COLUMNS];
    int64_t keys = l->key_panels * l->panel, columns = mb_bf16_columns(l->d);
    const float *back = kv + l->scales + keys; /* scale_values */
    memset(rows, 0, sizeof rows);
    for (int64_t j = 0; j < l->panel; j++) {
        kv[l->scales + (size_t)(panel * l->panel + j)] =
            round_row(l, rows[0], token[j < n ? j : 0] + l->channels, l->d);
        for (int64_t e = 0; e < l->depth; e++) {
            k[e / 2 * 2 * l->panel + 2 * j + e % 2] = j < n ? rows[0][e] : 0;
        }
    }
    for (int64_t j = 0; j < l->panel; j += 2) {
        memset(rows, 0, sizeof rows);
        for (int64_t i = 0; i < 2 && j + i < n; i++) {
            const float *v = token[j + i] + 2 * l->channels;
            if (l->bf16->quantise == NULL) {
                l->bf16->narrow(rows[i], v, l->d);
                continue;
            }
            float scaled[MB_BF16_MOST_D];
            for (int64_t e = 0; e < l->d; e++) {
                scaled[e] = back[e] > 0 ? v[e] / back[e] : 0;
            }
            l->bf16->quantise(rows[i], scaled, l->d, 1);
        }
        for (int64_t e = 0; e < columns; e += MB_BF16_COLUMNS) {
            int64_t width = mb_bf16_width(columns, e);
            uint16_t *v = all + e * keys + (panel * l->panel + j) * width;
            for (int64_t i = 0; i < width; i++) {
                v[2 * i] = rows[0][e + i];
                v[2 * i + 1] = rows[1][e + i];
            }
        }
    }
}

/* Keys [panel] to K: [d][width], zeros behind the last key; V: [keys][width] for each panel of d. */
static void pack_panel(float *kv, const layout *l, const map *m, int64_t head, int64_t panel)
{
    int64_t width = l->panel, keys = l->key_panels * width, first = panel * width;
    const float *token[MB_ATTENTION_MOST_WIDTH];
    float *k = kv + panel * width * l->d;
    int64_t n = panel_tokens(token, l, m, head, panel);
    if (l->bf16 != NULL) {
        pack_panel16(kv, l, token, n, panel);
        return;
    }
    /* K: column j of the panel is key j. */
    for (int64_t e = 0; e < l->d; e++) {
        for (int64_t j = 0; j < width; j++) {
            k[e * width + j] = j < n ? token[j][l->channels + e] : 0;
        }
    }
    /* V: a panel per `width` columns of d, one row per key. */
    for (int64_t e = 0; e < l->d_padded; e += width) {
        int64_t columns = l->d - e < width ? l->d - e : width;
        float *v = kv + l->k_floats + e * keys + first * width;
        for (int64_t j = 0; j < n; j++) {
            memset(v + j * width + columns, 0, (size_t)(width - columns) * sizeof(float));
            memcpy(v + j * width, token[j] + 2 * l->channels + e, (size_t)columns * sizeof(float));
        }
    }
}

/* The scratch of a thread. */
typedef struct block {
    float *q, *scaled;        /* [block][d] */
    float *terms;             /* [block][terms_pitch]: h from column 0, w from w_column */
    float *s;                 /* [block][s_pitch] */
    float *out;               /* [block][d_padded] */
    float *sum;               /* [block][vector] */
    float *max;               /* [block] */
    uint16_t *q16, *p16;      /* bf16: [ROWS16][depth], [ROWS16][TILE_KEYS + 32] */
    float *q_scale, *p_scale; /* fixed point: [ROWS16] */
    int64_t n, rows;          /* queries, rounded up to register tiles */
    int64_t y[MOST_BLOCK], x[MOST_BLOCK];
} block;

/* A block of queries of one head: as they are for the relative terms, scaled for the logits. Rows up to a
 * whole register tile are zeros. */
static void load_queries(block *q, const layout *l, const map *m, int64_t head, int64_t first)
{
    const mb_vit_attention_attrs *at = l->call->attrs;
    int64_t left = m->rows * m->cols - first;
    q->n = left < l->block ? left : l->block;
    q->rows = round_up(q->n, l->loops->tile_rows);
    memset(q->q, 0, (size_t)(q->rows * l->d) * sizeof(float));
    for (int64_t i = 0; i < q->n; i++) {
        q->y[i] = (first + i) / m->cols;
        q->x[i] = (first + i) % m->cols;
        memcpy(q->q + i * l->d, token_of(l, m, q->y[i], q->x[i], head), (size_t)l->d * sizeof(float));
    }
    for (int64_t i = 0; i < q->rows * l->d; i++) {
        q->scaled[i] = q->q[i] * at->scale;
    }
    for (int64_t i = 0; l->bf16 != NULL && i < q->rows; i++) {
        q->q_scale[i] = round_row(l, q->q16 + i * l->depth, q->scaled + i * l->d, l->d);
        memset(q->q16 + i * l->depth + l->d, 0, (size_t)(l->depth - l->d) * sizeof(uint16_t));
    }
    for (int64_t i = q->n; i < q->rows; i++) { /* rows nobody reads: any place on the map */
        q->y[i] = q->y[0];
        q->x[i] = q->x[0];
    }
    for (int64_t i = 0; i < q->rows; i++) {
        q->max[i] = -INFINITY;
    }
    memset(q->sum, 0, (size_t)(q->rows * l->loops->vector) * sizeof(float));
    memset(q->out, 0, (size_t)(q->rows * l->d_padded) * sizeof(float));
}

/* Products with the columns [first, last] of one axis' table; whole panels. */
static void table_product(const block *q, const layout *l, const float *table, int64_t column, int64_t first,
                          int64_t last)
{
    int64_t width = l->loops->width, panel = first / width, panels = last / width - panel + 1;
    mb_attention_product p = {.c = q->terms + column + panel * width,
                              .c_pitch = l->terms_pitch,
                              .a = q->q,
                              .a_pitch = l->d,
                              .b = table + panel * width * l->d,
                              .b_panel = width * l->d,
                              .rows = q->rows,
                              .panels = panels,
                              .k = l->d};
    for (int64_t i = 0; i < q->rows; i++) {
        memset(p.c + i * p.c_pitch, 0, (size_t)(panels * width) * sizeof(float));
    }
    l->loops->product(&p);
}

/* Terms of all queries of a block against the table rows that they can meet: one query row needs a + b of
 * them, several rows all columns. */
static void relative_terms(const block *q, const layout *l, const float *tables)
{
    int64_t y_min = q->y[0], y_max = q->y[q->n - 1], x_min = q->x[0], x_max = q->x[q->n - 1];
    /* Several rows of queries meet every column of the table. */
    if (y_min != y_max) {
        x_min = 0;
        x_max = l->b - 1;
    }
    table_product(q, l, tables, 0, l->a - 1 - y_max, 2 * l->a - 2 - y_min);
    table_product(q, l, tables + l->h_panels * l->loops->width * l->d, l->w_column, l->b - 1 - x_max,
                  2 * l->b - 2 - x_min);
}

/* Logits of keys [j0, j0 + n), added to the terms in s. */
static void logits16(const block *q, const layout *l, const float *kv, int64_t j0, int64_t n)
{
    mb_bf16_panel p = {.rows = q->q16,
                       .row_pitch = l->depth,
                       .row_scale = q->q_scale,
                       .n_rows = q->rows,
                       .depth = l->depth,
                       .width = MB_BF16_COLUMNS,
                       .out_pitch = l->s_pitch,
                       .last = true};
    for (int64_t j = 0; j < n; j += MB_BF16_COLUMNS) {
        p.columns = n - j < MB_BF16_COLUMNS ? round_up(n - j, l->loops->width) : MB_BF16_COLUMNS;
        p.w = (const uint16_t *)(const void *)kv + (j0 + j) * l->depth;
        p.column_scale = kv + l->scales + j0 + j;
        p.out = q->s + j;
        l->bf16->panel(&p);
    }
}

/* Weighted values of these keys, added to out. */
static void values16(const block *q, const layout *l, const float *kv, int64_t j0, int64_t n)
{
    const uint16_t *v = (const uint16_t *)(const void *)(kv + l->k_floats);
    int64_t keys = l->key_panels * l->panel, columns = mb_bf16_columns(l->d);
    mb_bf16_panel p = {.rows = q->p16,
                       .row_pitch = TILE_KEYS + MB_BF16_COLUMNS,
                       .row_scale = q->p_scale,
                       .n_rows = q->rows,
                       .depth = round_up(n, l->bf16->unit),
                       .out_pitch = l->d_padded,
                       .last = true};
    for (int64_t i = 0; i < q->rows; i++) {
        q->p_scale[i] = round_row(l, q->p16 + i * p.row_pitch, q->s + i * l->s_pitch, n);
        memset(q->p16 + i * p.row_pitch + n, 0, (size_t)(p.depth - n) * sizeof(uint16_t));
    }
    for (int64_t e = 0; e < columns; e += MB_BF16_COLUMNS) {
        p.width = mb_bf16_width(columns, e);
        p.columns = l->d_padded - e < p.width ? l->d_padded - e : p.width;
        p.w = v + e * keys + j0 * p.width;
        p.column_scale = kv + l->scales + keys + e;
        p.out = q->out + e;
        l->bf16->panel(&p);
    }
}

static void softmax(const block *q, const layout *l, int64_t n)
{
    l->loops->softmax(&(mb_attention_softmax){.s = q->s,
                                              .pitch = l->s_pitch,
                                              .rows = q->rows,
                                              .n = round_up(n, l->loops->width),
                                              .max = q->max,
                                              .sum = q->sum,
                                              .out = q->out,
                                              .out_pitch = l->d_padded});
}

/* The logits of a tile start from its relative terms. */
static void begin_relative(const block *q, const layout *l, const map *m, int64_t j0, int64_t n)
{
    bool pads = j0 + n > m->grid; /* the last key stands for all padding */
    for (int64_t i = 0; i < q->rows; i++) {
        const float *terms = q->terms + i * l->terms_pitch;
        l->loops->terms(&(mb_attention_terms){.s = q->s + i * l->s_pitch,
                                              .rh = terms + l->a - 1 - q->y[i],
                                              .rw = terms + l->w_column + l->b - 1 - q->x[i],
                                              .j0 = j0,
                                              .n = pads ? n - 1 : n,
                                              .b = m->key_cols,
                                              .window_a = pads ? l->a : 0,
                                              .window_b = l->b,
                                              .rows = m->rows});
    }
}

/* They start from 0; -inf for one panel behind. */
static void begin_plain(const block *q, const layout *l, int64_t n)
{
    for (int64_t i = 0; i < q->rows; i++) {
        float *s = q->s + i * l->s_pitch;
        memset(s, 0, (size_t)n * sizeof *s);
        for (int64_t k = n; k < n + l->loops->width; k++) {
            s[k] = -INFINITY;
        }
    }
}

/* Keys [j0, j0 + n) of the map, n a multiple of the panels' width except at the end. */
static void attend_tile(const block *q, const layout *l, const map *m, const float *kv, int64_t j0, int64_t n)
{
    int64_t width = l->loops->width, panels = (n + width - 1) / width;
    if (l->relative) {
        begin_relative(q, l, m, j0, n);
    } else {
        begin_plain(q, l, n);
    }
    if (l->bf16 != NULL) {
        logits16(q, l, kv, j0, n);
        softmax(q, l, n);
        values16(q, l, kv, j0, n);
        return;
    }
    l->loops->product(&(mb_attention_product){.c = q->s,
                                              .c_pitch = l->s_pitch,
                                              .a = q->scaled,
                                              .a_pitch = l->d,
                                              .b = kv + j0 * l->d,
                                              .b_panel = width * l->d,
                                              .rows = q->rows,
                                              .panels = panels,
                                              .k = l->d});
    softmax(q, l, n);
    l->loops->product(&(mb_attention_product){.c = q->out,
                                              .c_pitch = l->d_padded,
                                              .a = q->s,
                                              .a_pitch = l->s_pitch,
                                              .b = kv + l->k_floats + j0 * width,
                                              .b_panel = l->key_panels * width * width,
                                              .rows = q->rows,
                                              .panels = l->d_padded / width,
                                              .k = n});
}

/* Divides by the sum of the weights, which lies lane by lane, and writes the real queries. */
static void store_outputs(const block *q, const layout *l, const map *m, int64_t head)
{
    const mb_view *v = &l->call->out;
    for (int64_t i = 0; i < q->n; i++) {
        int64_t token = (m->n * v->dims[2] + m->y0 + q->y[i]) * v->dims[3] + m->x0 + q->x[i];
        float *y = (float *)v->data + token * v->pitch + head * l->d, sum = 0;
        for (int64_t k = 0; k < l->loops->vector; k++) {
            sum += q->sum[i * l->loops->vector + k];
        }
        for (int64_t e = 0; e < l->d; e++) {
            y[e] = q->out[i * l->d_padded + e] / sum;
        }
    }
}

/* One block of queries of one head against all keys of its map, tile by tile. `kv`: packed keys and values. */
static void attend_block(const layout *l, const map *m, int64_t head, int64_t first, const float *tables,
                         const float *kv, float *scratch)
{
    block q = {.q = scratch};
    q.scaled = q.q + l->block * l->d;
    q.terms = q.scaled + l->block * l->d;
    q.s = q.terms + l->block * l->terms_pitch;
    q.out = q.s + l->block * l->s_pitch;
    q.sum = q.out + l->block * l->d_padded;
    q.max = q.sum + l->block * l->loops->vector;
    q.q16 = (uint16_t *)(void *)(scratch + l->scratch - l->scratch16);
    q.p16 = q.q16 + ROWS16 * l->depth;
    q.q_scale = scratch + l->scratch - 2 * ROWS16;
    q.p_scale = q.q_scale + ROWS16;
    load_queries(&q, l, m, head, first);
    if (l->relative) {
        relative_terms(&q, l, tables);
    }
    for (int64_t j = 0; j < m->keys; j += TILE_KEYS) {
        attend_tile(&q, l, m, kv, j, m->keys - j < TILE_KEYS ? m->keys - j : TILE_KEYS);
    }
    store_outputs(&q, l, m, head);
}

/* What the workers share. */
typedef struct job {
    layout l;
    float *tables, *kv, *scratch;
    map m;          /* global: the item of the batch */
    int64_t blocks; /* global: blocks of queries per head */
} job;

/* Items: (window, head). */
static void run_windows(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    const layout *l = &j->l;
    float *kv = j->kv + (size_t)worker * l->kv_floats;
    begin_tiles(l);
    for (size_t i = begin; i < end; i++) {
        map m = map_of(l, (int64_t)i / l->heads);
        int64_t head = (int64_t)i % l->heads;
        scale_values(kv, l, &m, head);
        for (int64_t panel = 0; panel * l->panel < m.keys; panel++) {
            pack_panel(kv, l, &m, head, panel);
        }
        for (int64_t q = 0; q < m.rows * m.cols; q += l->block) {
            attend_block(l, &m, head, q, j->tables, kv, j->scratch + (size_t)worker * l->scratch);
        }
    }
    end_tiles(l);
}

/* Items: heads. */
static void scale_global(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    (void)worker;
    for (size_t head = begin; head < end; head++) {
        scale_values(j->kv + head * j->l.kv_floats, &j->l, &j->m, (int64_t)head);
    }
}

/* Items: (head, panel of keys). */
static void pack_global(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        int64_t head = (int64_t)i / j->l.key_panels;
        pack_panel(j->kv + (size_t)head * j->l.kv_floats, &j->l, &j->m, head, (int64_t)i % j->l.key_panels);
    }
}

/* Items: (head, block of queries). */
static void run_global(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    begin_tiles(&j->l);
    for (size_t i = begin; i < end; i++) {
        int64_t head = (int64_t)i / j->blocks;
        attend_block(&j->l, &j->m, head, (int64_t)i % j->blocks * j->l.block, j->tables,
                     j->kv + (size_t)head * j->l.kv_floats, j->scratch + (size_t)worker * j->l.scratch);
    }
    end_tiles(&j->l);
}

static bool supports(const mb_simd *simd, const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    return simd->bf16 == NULL || c->out.dims[1] / at->heads <= MB_BF16_MOST_D;
}

/* Windows: a thread packs and attends a window and head on its own. Global: all threads pack the keys of
 * every head, then share the blocks of queries. */
static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_vit_attention_attrs *at = c->attrs;
    job j = {.l = layout_of(simd, c), .tables = c->workspace};
    const layout *l = &j.l;
    j.kv = j.tables + l->tables;
    j.scratch = j.kv + packed_maps(l) * l->kv_floats;
    if (l->relative) {
        pack_table(j.tables, l, &c->in[1], l->a, l->h_panels);
        pack_table(j.tables + l->h_panels * l->loops->width * l->d, l, &c->in[2], l->b, l->w_panels);
    }
    if (at->window > 0) {
        size_t windows = (size_t)(c->out.dims[0] * l->maps_y * l->maps_x);
        mb_parallel_for(c->pool, windows * (size_t)l->heads, 1, run_windows, &j);
        return MB_OK;
    }
    j.blocks = (l->keys + l->block - 1) / l->block;
    for (int64_t n = 0; n < c->out.dims[0]; n++) {
        j.m = map_of(l, n);
        mb_parallel_for(c->pool, (size_t)l->heads, 1, scale_global, &j);
        mb_parallel_for(c->pool, (size_t)(l->heads * l->key_panels), 8, pack_global, &j);
        mb_parallel_for(c->pool, (size_t)(l->heads * j.blocks), 1, run_global, &j);
    }
    return MB_OK;
}

#define KERNEL(set)                                                                                                    \
    MB_VARIANT_SUPPORTS(set)                                                                                           \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    MB_VARIANT_RUN(set)                                                                                                \
    static const mb_kernel kernel_##set = {                                                                            \
        .name = #set, .supports = supports_##set, .workspace = workspace_##set, .run = run_##set};
MB_EACH_SET(KERNEL)
MB_CHOOSE(vit_attention)
MB_EACH_BF16_SET(KERNEL)
MB_CHOOSE_BF16(vit_attention)
