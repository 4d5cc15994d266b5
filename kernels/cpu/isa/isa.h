/* The inner loops that exist once per instruction set. Drivers in kernels/cpu get the table of the set in use.
 *
 * A file is a shape of loop, not an op:
 *   panel.h            panel       rows x a panel of packed weights: every gemm (linear, conv2d, deform_conv2d, ...)
 *   plane_row.h        plane_row   one row of a convolution over planes (few channels: conv2d_direct.c)
 *   shift_row.h        shift_row   one row of a convolution of an enlarged map, from the products of its taps
 *   attend.h           attend      one window and head with all logits in cache (window_attention), and its packing
 *   attention_loops.h  streaming   attention tile by tile with a running softmax (vit_attention); see attention.h
 *   rows.h             norm, blend, taps, larger, add, scale, activate, gate, rotate, sample: one token's channels after
 *                      the other
 *   winograd.h         winograd_in, winograd_out  the transforms of a tile of a convolution (conv2d_winograd.c)
 *   peak.h             peak        what the multiply-adds reach without memory, for `mattebox bench`
 *   simd.h             the vectors that all of them are written in
 *   table.h            puts the loops of one set into a mb_simd; kernels_<set>.c compiles it with the set's flags */
#ifndef MB_ISA_H
#define MB_ISA_H

#include "attrs.h"
#include "core/cpu.h"

#include <stddef.h>

#define MB_MAX_TILE_ROWS  8
#define MB_NARROW_COLUMNS 4 /* up to here dot products along K win over a register tile */

/* One panel of packed weights against some rows: out[r][0..columns) (+)= rows[r] . w, with the epilogue.
 * A row is `segments` runs of `length` values; the pointer of row r = tile * tile_rows + i, segment s is
 * rows[(tile * segments + s) * tile_rows + i]; rows beyond `n_rows` in the last tile repeat a valid one. */
typedef struct mb_panel {
    const float *const *rows;
    int64_t n_rows, segments, length;
    const float *w; /* [segments * length][width] */
    int64_t width;  /* one or two vectors; 0: w is [columns][w_pitch], a few long rows */
    int64_t w_pitch;
    int64_t columns;
    float *out;
    int64_t out_pitch;
    const float *bias; /* `width` values, or NULL */
    const float *addend;
    int64_t addend_pitch; /* 0: the same for all rows */
    bool first, last;     /* blocks of K: the first writes out (with bias and addend), the last activates */
    mb_activation act;
} mb_panel;

/* One output row of a convolution over planes: the value at x sums plane(ky,i)[x + kx] * w[i][ky][kx], plus bias. */
typedef struct mb_plane_rows {
    const float *planes; /* row ky, channel i at (ky * channels + i) * pitch; readable one vector beyond a row */
    int64_t pitch, channels, kernel_h, kernel_w;
    const float *w;
    float bias;
} mb_plane_rows;

/* One row of a 3x3 convolution of a map enlarged to twice its size: products of the small map with each tap are there
 * ([pixel][tap][padded outputs]); this mixes and shifts them. rows[i]: the two small rows that the enlarged row of tap
 * row i lies between, with their weights (0, 0 outside of the map). */
typedef struct mb_shift_row {
    const float *rows[3][2];
    float weight[3][2];
    int64_t width, outputs, padded; /* small width; outputs, and rounded up to vectors */
    float *scratch;                 /* [3][width][padded] */
    float *out;
    int64_t out_pitch;
    const float *addend; /* or NULL */
    int64_t addend_pitch;
    const float *bias; /* padded, or NULL */
    mb_activation act;
} mb_shift_row;

/* One window and head of attention. */
typedef struct mb_attend {
    int64_t queries, keys, d;
    int64_t keys_padded, d_padded; /* to whole vectors */
    const float *const *q;         /* per query d values */
    const float *k, *v;            /* packed by pack_keys (scaled) and pack_values */
    const float *const *bias;      /* per query keys_padded values, those of padding -1e30 */
    const int32_t *key_label;      /* a query sees keys of its own label; NULL: all. Whole vectors are read */
    const int32_t *position;       /* per query its index among the keys; read with key_label only */
    float *logits, *weighted;      /* scratch of 4 tiles' rows x keys_padded, x d_padded */
    uint16_t *k16, *v16, *q16;     /* products in bf16: scratch in place of k and v, and for rows (isa/bf16.h) */
    float *const *out;             /* per query */
} mb_attend;

/* Rows of a deformable convolution's product: per pixel and tap the modulated sample of all channels. */
typedef struct mb_samples {
    const float *item; /* the map [height][width], channels at each pixel */
    int64_t height, width, pitch, channels;
    const float *offset;    /* of this pixel: [2t] is y, [2t+1] x */
    const float *modulator; /* [t - tap] */
    int64_t y, x;           /* of tap 0 without offset */
    int64_t kernel_w, tap, taps;
    const float *zeros; /* a pixel outside of the map */
} mb_samples;

/* Rows of tokens, normalised over channels. */
typedef struct mb_norm_rows {
    const float *x, *weight, *bias; /* weight and bias may be NULL */
    float *y;
    int64_t x_pitch, y_pitch, rows, channels;
    float eps;
    bool zero_mean;
} mb_norm_rows;

/* A tile of a map to Winograd's points (winograd.h): value (i, j) of channel c goes to to[(i * points + j) * plane + c].
 * Whole vectors of channels are written. */
typedef struct mb_winograd_in {
    const float *const *pixels; /* [points][points]; a zero pixel outside of the map */
    int64_t points, channels;   /* points along one side: 6 or 7 */
    float *to;
    int64_t plane;
} mb_winograd_in;

/* And back: products at the points to a tile of 4 x 4 outputs, of which `rows` x `columns` exist. */
typedef struct mb_winograd_out {
    const float *from; /* as mb_winograd_in.to, in whole vectors of channels */
    int64_t points, plane;
    int64_t rows, columns, channels;
    float *out;
    int64_t out_pitch, out_row; /* floats between pixels, and between rows of pixels */
    const float *bias;          /* whole vectors */
    const float *addend;        /* or NULL */
    int64_t addend_pitch, addend_row;
    mb_activation act;
} mb_winograd_out;

/* One pixel of a convolution of each channel by itself: y[c] = bias[c] + sum_t weight[t][c] * x[t][c]. */
typedef struct mb_taps {
    const float *const *x; /* a pixel per tap */
    const float *weight;   /* [taps][channels] */
    const float *bias;     /* [channels] */
    int64_t taps, channels;
} mb_taps;

struct mb_bf16_loops;

typedef struct mb_simd {
    mb_isa isa;
    const struct mb_bf16_loops *bf16; /* products in bf16 by these; NULL: in f32 */
    int64_t width;                    /* floats in a vector; a full panel of weights is two vectors wide */
    int64_t tile_rows;                /* rows of a register tile */
    void (*panel)(const mb_panel *p);
    void (*plane_row)(const mb_plane_rows *p, float *out, int64_t width); /* may write 64 floats beyond `width` */
    void (*shift_row)(const mb_shift_row *q);
    void (*attend)(const mb_attend *a);
    void (*pack_keys)(float *to, const float *const *rows, const mb_attend *a, float scale);
    void (*pack_values)(float *to, const float *const *rows, const mb_attend *a);
    void (*winograd_in)(const mb_winograd_in *q);
    void (*winograd_out)(const mb_winograd_out *q);
    void (*sample)(const mb_samples *s, float *to); /* [taps][channels] */
    void (*norm)(const mb_norm_rows *r);
    /* y = sum_i weight[i] * x[i], i < 4, + addend (or NULL) */
    void (*blend)(float *y, const float *const x[4], const float weight[4], const float *addend, int64_t n);
    void (*taps)(float *y, const mb_taps *t);
    /* y = max(a, b); what is not a number stays. y may be a */
    void (*larger)(float *y, const float *a, const float *b, int64_t n);
    void (*add)(float *y, const float *a, const float *b, int64_t n);
    void (*scale)(float *y, const float *x, float factor, int64_t n);
    void (*activate)(float *y, const float *x, int64_t n, mb_activation act);
    int64_t (*peak)(int64_t rounds); /* multiply-adds in registers; returns how many there were */
    /* y = gate * sigmoid(gate) * x; y may be the gate */
    void (*gate)(float *y, const float *gate, const float *x, int64_t n);
    /* 2n values in two halves: each pair (x[i], x[i + n]) turned by an angle; y may be x */
    void (*rotate)(float *y, const float *x, const float *sine, const float *cosine, int64_t n);
    const struct mb_attention_loops *streaming; /* attention.h; compiled on its own: its tiles are larger */
} mb_simd;

extern const mb_simd mb_simd_generic, mb_simd_bf16_generic, mb_simd_avx512_bf16_model, mb_simd_amx_model,
    mb_simd_fixed16_generic;
#if defined(__x86_64__)
extern const mb_simd mb_simd_avx2, mb_simd_avx512, mb_simd_bf16_avx2, mb_simd_bf16_avx512, mb_simd_avx512_bf16,
    mb_simd_amx, mb_simd_fixed16_avx2, mb_simd_avx512_vnni;
#elif defined(__aarch64__)
extern const mb_simd mb_simd_neon, mb_simd_bf16_neon, mb_simd_neon_bf16; /* the last if MB_BFMMLA_COMPILED */
#endif

/* NULL for MB_ISA_REF and sets of other processors. */
const mb_simd *mb_simd_of(mb_isa isa);

#endif
