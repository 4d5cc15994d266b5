/* The matrix product behind linear, conv2d and deform_conv2d: out[m,n] = act(sum_k A[m,k] W[n,k] + bias[n] + addend).
 *
 * W is packed once per model into panels of two vectors of columns, k running (tap, channel). A is never packed: a
 * source says, per block of rows and K, where each row's values lie (pixels of the map, a zero pixel outside of it), or
 * gathers them into scratch rows where no such place exists. Blocks depend on the shape only and every output sums K in
 * one order, so neither the number of threads nor the position in a batch changes a bit. */
#ifndef MB_CPU_GEMM_H
#define MB_CPU_GEMM_H

#include "core/threads.h"
#include "isa/isa.h"
#include "kernel.h"

typedef struct mb_packed {
    const mb_simd *simd;
    int64_t n, taps, channels; /* K = taps * channels */
    bool narrow;               /* few columns: w is [n][K] */
    float *w;                  /* panels [K][2 vectors], the last [K][1 vector] if that holds its columns */
    uint16_t *w16;             /* instead, where the set's products are in bf16 (gemm_bf16.c); NULL: f32 */
    float *scale16;            /* fixed point: of each column [block of K][columns] */
    int64_t columns;           /* n, padded to whole panels */
    float *bias;               /* padded with zeros to whole panels; NULL: none */
    float *zeros;              /* `channels` zeros: the pixel outside of the map */
    size_t bytes;
} mb_packed;

/* weight [n, channels, taps] as published, bias [n] or NULL. `w` is scaled by `scale`; pool: may be NULL. */
MB_MUST_CHECK mb_status mb_packed_create(mb_packed **out, const mb_simd *simd, const int64_t n_channels_taps[3],
                                         const float *weight, const float *bias, float scale, mb_pool *pool,
                                         mb_error *err);
void mb_packed_free(void *packed);
/* Packs inputs `weight` and, where present, `bias` of a call into *out, and marks them as replaced. */
MB_MUST_CHECK mb_status mb_prepare_packed(mb_prepared *out, const mb_call *c, const mb_simd *simd, int weight, int bias,
                                          float scale, mb_error *err);

/* What a source is asked for: where rows [row, row + n_rows) have their values of K taps [tap, tap + taps), of which
 * the channels [channel, channel + length) (all of them if taps > 1). */
typedef struct mb_rows_wanted {
    int64_t row, n_rows, tap, taps, channel, length;
    int64_t tile_rows;  /* see mb_panel */
    const float **rows; /* to be filled: mb_panel's rows with `taps` segments, or one if it gathers */
    float *scratch;     /* [n_rows][taps * length], for sources that gather */
} mb_rows_wanted;

typedef struct mb_gemm {
    const mb_packed *w;
    int64_t groups, m; /* row g * m + i; an addend may differ per group (batch item) */
    void (*source)(const void *arg, const mb_rows_wanted *wanted);
    const void *source_arg;
    bool gathers; /* the source fills scratch: one segment per row */
    mb_view out;
    mb_view addend; /* absent, the size of out, or one vector per group */
    mb_activation act;
    mb_pool *pool;
    void *workspace;
} mb_gemm;

size_t mb_gemm_workspace(const mb_gemm *g); /* bytes; SIZE_MAX on overflow */
void mb_gemm_run(const mb_gemm *g);

/* The loops of a product in bf16; NULL: it is in f32. Products of few columns stay in f32. */
const struct mb_bf16_loops *mb_packed_bf16(const mb_packed *w);
/* A run of channels in packed weights. */
int64_t mb_packed_channels(const mb_packed *w);
/* Packs the panel from column n on into w16. weight: as in mb_packed_create. */
void mb_bf16_pack_panel(const mb_packed *p, const float *weight, int64_t n, float scale);

/* How a product is cut: the same whatever the number of threads. */
typedef struct mb_blocks {
    int64_t rows, row_blocks, columns, column_blocks; /* per item; number of them */
    int64_t taps, length, tap_blocks, channel_blocks; /* per block of K; number of them */
} mb_blocks;

/* The part that depends on the weights alone; the rest of *b is not set. */
void mb_gemm_cut_k(const mb_packed *w, mb_blocks *b);

/* One block of K for one item in bf16: rows are rounded into `rows16`, then meet all panels of the item's columns.
 * row_scale: room for a value per row. */
void mb_bf16_multiply_block(const mb_gemm *g, const mb_blocks *b, const mb_rows_wanted *r, uint16_t *rows16,
                            float *row_scale, int64_t column, int64_t columns, bool last);

/* The source of plain tokens. `arg` is the mb_view. */
void mb_source_tokens(const void *arg, const mb_rows_wanted *wanted);

#endif
