/* The register tile of the matrix product, and what runs over a panel of weights (mb_panel in isa.h).
 *
 * MB_TILE_ROWS rows x two vectors of columns stay in registers while K passes by: per k two loads of packed weights,
 * one broadcast per row, two FMAs per row. Rows are read where they lie (pixels of a map), through pointers: nothing is
 * copied or transposed, and a convolution is the same loop with one segment per tap. */
#include "isa.h"
#include "simd.h"

#include <string.h>

#if MB_W == 16 || defined(MB_NEON) /* 32 registers */
#define MB_TILE_ROWS 8
#else
#define MB_TILE_ROWS 6
#endif
#define MB_NARROW_ROWS 32 /* whose activations are computed together */
#define MB_UNROLL_ROWS _Pragma("GCC unroll 8")

typedef struct tile {
    const float *const *rows;
    float *out;
    int64_t out_pitch;
    const float *addend;
    int64_t addend_pitch;
} tile;

#if defined(MB_NEON)
/* The next four of K: a row's values are one load, and a multiply-add takes one of its lanes. Returns the next w. */
MB_INLINE const float *multiply_four(mb_v acc[MB_TILE_ROWS][2], const float *const row[MB_TILE_ROWS], int64_t k,
                                     const float *w, const int vectors)
{
    mb_v a[MB_TILE_ROWS];
    MB_UNROLL_ROWS
    for (int r = 0; r < MB_TILE_ROWS; r++) {
        a[r] = v_load(row[r] + k);
    }
#define MB_STEP(lane)                                                                                                  \
    do {                                                                                                               \
        mb_v w0 = v_load(w), w1 = vectors == 2 ? v_load(w + MB_W) : w0;                                                \
        MB_UNROLL_ROWS                                                                                                 \
        for (int r = 0; r < MB_TILE_ROWS; r++) {                                                                       \
            acc[r][0] = v_fma_lane(w0, a[r], lane, acc[r][0]);                                                         \
            if (vectors == 2) {                                                                                        \
                acc[r][1] = v_fma_lane(w1, a[r], lane, acc[r][1]);                                                     \
            }                                                                                                          \
        }                                                                                                              \
        w += vectors * MB_W;                                                                                           \
    } while (0)
    MB_STEP(0);
    MB_STEP(1);
    MB_STEP(2);
    MB_STEP(3);
#undef MB_STEP
    return w;
}
#endif

/* acc[r][v] += rows[r] . w over all segments; `vectors` is a constant at every call, so that both forms are
 * compiled without the test. */
MB_INLINE void multiply(mb_v acc[MB_TILE_ROWS][2], const mb_panel *p, const float *const *rows, const int vectors)
{
    const float *w = p->w;
    for (int64_t s = 0; s < p->segments; s++, rows += MB_TILE_ROWS) {
        const float *row[MB_TILE_ROWS];
        MB_UNROLL_ROWS
        for (int r = 0; r < MB_TILE_ROWS; r++) {
            row[r] = rows[r];
        }
        int64_t k = 0;
#if defined(MB_NEON)
        for (; k + 4 <= p->length; k += 4) {
            w = multiply_four(acc, row, k, w, vectors);
        }
#endif
#pragma GCC unroll 4
        for (; k < p->length; k++) {
            mb_v w0 = v_load(w), w1 = vectors == 2 ? v_load(w + MB_W) : w0;
            MB_UNROLL_ROWS
            for (int r = 0; r < MB_TILE_ROWS; r++) {
                mb_v a = v_set(row[r][k]);
                acc[r][0] = v_fma(a, w0, acc[r][0]);
                if (vectors == 2) {
                    acc[r][1] = v_fma(a, w1, acc[r][1]);
                }
            }
            w += vectors * MB_W;
        }
    }
}

/* One vector. Every lane is computed alike, so the position in a vector changes no bit. */
MB_INLINE mb_v activate(mb_v x, mb_activation act)
{
    switch (act) {
    case MB_ACT_RELU:
        return v_max(v_set(0), x); /* NaN stays NaN, so that a damaged model shows */
    case MB_ACT_GELU:
        return v_gelu(x);
    case MB_ACT_SIGMOID:
        return v_sigmoid(x);
    case MB_ACT_NONE:
    default:
        return x;
    }
}

/* MB_TILE_ROWS rows x `vectors` vectors: the sums, then what the block of K asks for (mb_panel.first, last). */
MB_INLINE void full_tile(const mb_panel *p, const tile *t, const int vectors)
{
    mb_v acc[MB_TILE_ROWS][2];
    MB_UNROLL_ROWS
    for (int r = 0; r < MB_TILE_ROWS; r++) {
        __builtin_prefetch(t->out + r * t->out_pitch, 1);
        acc[r][0] = v_set(0);
        acc[r][1] = v_set(0);
    }
    multiply(acc, p, t->rows, vectors);
    for (int v = 0; v < vectors; v++) {
        mb_v bias = p->first && p->bias != NULL ? v_load(p->bias + v * MB_W) : v_set(0);
        MB_UNROLL_ROWS
        for (int r = 0; r < MB_TILE_ROWS; r++) {
            mb_v y = acc[r][v] + bias;
            if (!p->first) {
                y += v_load(t->out + r * t->out_pitch + v * MB_W);
            } else if (t->addend != NULL) {
                y += v_load(t->addend + r * t->addend_pitch + v * MB_W);
            }
            acc[r][v] = y;
        }
    }
    mb_activation act = p->last ? p->act : MB_ACT_NONE;
    for (int v = 0; v < vectors; v++) {
        MB_UNROLL_ROWS
        for (int r = 0; r < MB_TILE_ROWS; r++) {
            v_store(t->out + r * t->out_pitch + v * MB_W, activate(acc[r][v], act));
        }
    }
}

/* A tile that juts out over the last row or column: the same arithmetic on a copy. */
static void part_tile(const mb_panel *p, const tile *t, int64_t n_rows, const int vectors)
{
    float out[MB_TILE_ROWS * 2 * MB_W] = {0}, addend[MB_TILE_ROWS * 2 * MB_W] = {0};
    size_t bytes = (size_t)p->columns * sizeof(float);
    int64_t pitch = vectors * MB_W;
    for (int64_t r = 0; r < n_rows; r++) {
        if (!p->first) {
            memcpy(out + r * pitch, t->out + r * t->out_pitch, bytes);
        } else if (t->addend != NULL) {
            memcpy(addend + r * pitch, t->addend + r * t->addend_pitch, bytes);
        }
    }
    tile copy = {t->rows, out, pitch, t->addend != NULL ? addend : NULL, pitch};
    full_tile(p, &copy, vectors);
    for (int64_t r = 0; r < n_rows; r++) {
        memcpy(t->out + r * t->out_pitch, out + r * pitch, bytes);
    }
}

/* All rows against one panel. */
MB_INLINE void panel_of(const mb_panel *p, const int vectors)
{
    for (int64_t row = 0; row < p->n_rows; row += MB_TILE_ROWS) {
        tile t = {p->rows + row * p->segments, p->out + row * p->out_pitch, p->out_pitch,
                  p->addend != NULL ? p->addend + row * p->addend_pitch : NULL, p->addend_pitch};
        int64_t left = p->n_rows - row;
        if (left >= MB_TILE_ROWS && p->columns == vectors * MB_W) {
            full_tile(p, &t, vectors);
        } else {
            part_tile(p, &t, left < MB_TILE_ROWS ? left : MB_TILE_ROWS, vectors);
        }
    }
}

/* Few columns (mb_panel.width 0): dot products along K, w is [columns][w_pitch]. */
MB_INLINE float dot(const mb_panel *p, const float *const *row, const float *w)
{
    mb_v a = v_set(0), b = v_set(0);
    float rest = 0;
    for (int64_t s = 0; s < p->segments; s++, row += MB_TILE_ROWS, w += p->length) {
        const float *x = *row;
        int64_t k = 0;
        for (; k + 2 * MB_W <= p->length; k += 2 * MB_W) {
            a = v_fma(v_load(x + k), v_load(w + k), a);
            b = v_fma(v_load(x + k + MB_W), v_load(w + k + MB_W), b);
        }
        for (; k + MB_W <= p->length; k += MB_W) {
            a = v_fma(v_load(x + k), v_load(w + k), a);
        }
        for (; k < p->length; k++) {
            rest += x[k] * w[k];
        }
    }
    return v_sum(a + b) + rest;
}

static void activate_all(float *y, const float *x, int64_t n, mb_activation act);

/* The activation of narrow rows [first, end): through a buffer, since a row of one value would waste a vector on it. */
static void activate_rows(const mb_panel *p, int64_t first, int64_t end)
{
    if (p->out_pitch == p->columns) {
        float *all = p->out + first * p->out_pitch;
        activate_all(all, all, (end - first) * p->columns, p->act);
        return;
    }
    float together[MB_NARROW_ROWS * MB_NARROW_COLUMNS];
    int64_t n = 0;
    for (int64_t r = first; r < end; r++) {
        for (int64_t i = 0; i < p->columns; i++) {
            together[n++] = p->out[r * p->out_pitch + i];
        }
    }
    activate_all(together, together, n, p->act);
    n = 0;
    for (int64_t r = first; r < end; r++) {
        for (int64_t i = 0; i < p->columns; i++) {
            p->out[r * p->out_pitch + i] = together[n++];
        }
    }
}

/* Up to MB_NARROW_COLUMNS columns; rows are activated MB_NARROW_ROWS at a time. */
static void narrow_panel(const mb_panel *p)
{
    for (int64_t r = 0; r < p->n_rows; r++) {
        const float *const *row = p->rows + r / MB_TILE_ROWS * MB_TILE_ROWS * p->segments + r % MB_TILE_ROWS;
        float *out = p->out + r * p->out_pitch;
        for (int64_t n = 0; n < p->columns; n++) {
            float y = dot(p, row, p->w + n * p->w_pitch);
            if (p->first) {
                y += p->bias != NULL ? p->bias[n] : 0;
                y += p->addend != NULL ? p->addend[r * p->addend_pitch + n] : 0;
            } else {
                y += out[n];
            }
            out[n] = y;
        }
        if (p->last && p->act != MB_ACT_NONE && (r % MB_NARROW_ROWS == MB_NARROW_ROWS - 1 || r == p->n_rows - 1)) {
            activate_rows(p, r / MB_NARROW_ROWS * MB_NARROW_ROWS, r + 1);
        }
    }
}

static void activate_all(float *y, const float *x, int64_t n, mb_activation act)
{
    int64_t i = 0;
    for (; i + MB_W <= n; i += MB_W) {
        v_store(y + i, activate(v_load(x + i), act));
    }
    if (i < n) {
        float rest[MB_W] = {0};
        memcpy(rest, x + i, (size_t)(n - i) * sizeof(float));
        v_store(rest, activate(v_load(rest), act));
        memcpy(y + i, rest, (size_t)(n - i) * sizeof(float));
    }
}

/* mb_simd.panel. */
static void panel(const mb_panel *p)
{
    if (p->width == 0) {
        narrow_panel(p);
    } else if (p->width == 2 * MB_W) {
        panel_of(p, 2);
    } else {
        panel_of(p, 1);
    }
}
