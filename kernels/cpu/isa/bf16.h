/* Products of bf16 operands with f32 sums, once per instruction set (docs/precision.md).
 *
 * Operands are rounded to bf16 (nearest even) just before they meet: rows into scratch, weights when they are packed.
 * Both lie as pairs along K, so that one 32-bit lane holds what VDPBF16PS and TDPBF16PS take: rows
 * [row][depth], weights [depth / 2][width][2]. Widening sets read the same memory. */
#ifndef MB_ISA_BF16_H
#define MB_ISA_BF16_H

#include "isa.h"

#include <math.h>

#define MB_BF16_COLUMNS 32 /* of a full panel of weights; the last one of a product may have half of them */

/* The whole panel against some rows: out[r][0..columns) (+)= rows[r] . w, with the epilogue (mb_panel in isa.h). */
typedef struct mb_bf16_panel {
    const uint16_t *rows; /* readable up to a multiple of tile_rows rows */
    int64_t row_pitch, n_rows;
    int64_t depth; /* a multiple of `unit` */
    const uint16_t *w;
    int64_t width, columns; /* MB_BF16_COLUMNS or half of it; of these, the ones that are wanted */
    float *out;
    int64_t out_pitch;
    const float *row_scale;    /* fixed point: of each row (up to a multiple of tile_rows) */
    const float *column_scale; /* and of each column, `width` of them */
    const float *bias;         /* `width` values, or NULL */
    const float *addend;
    int64_t addend_pitch; /* 0: the same for all rows */
    bool first, last;     /* blocks of K: the first writes out (with bias and addend), the last activates */
    mb_activation act;
} mb_bf16_panel;

typedef struct mb_bf16_loops {
    const char *name;
    int64_t unit;      /* a run of channels is padded with zeros to a multiple of this */
    int64_t tile_rows; /* at most MB_BF16_MOST_ROWS */
    void (*narrow)(uint16_t *to, const float *from, int64_t n);
    /* Not NULL: operands are 16-bit integers instead, x * scale rounded, and `narrow` is not used. */
    void (*quantise)(uint16_t *to, const float *from, int64_t n, float scale);
    float (*square_sum)(const float *from, int64_t n);
    /* Between begin and end a thread calls panel and attend only: tile registers are set up. NULL: nothing to do. */
    void (*begin)(void);
    void (*end)(void);
    void (*panel)(const mb_bf16_panel *p);
    /* mb_attend of isa.h in bf16 (k16, v16, q16; d up to MB_BF16_MOST_D); `rows` are the keys or values of all keys. */
    void (*attend_pack)(const mb_attend *a, const float *const *rows, bool values, float scale);
    void (*attend)(const mb_attend *a);
    int64_t (*peak)(int64_t rounds); /* multiply-adds in registers, between begin and end; returns how many */
} mb_bf16_loops;

/* Fixed point: a run of K is scaled so that its Euclidean norm is this. By Cauchy and Schwarz no partial sum of a
 * product then leaves 32 bits, whatever the values, and no value leaves 16. */
#define MB_FIXED16_NORM 32767.0f

#define MB_BF16_MOST_ROWS   32
#define MB_BF16_MOST_D      256 /* of a head of attention */
#define MB_BF16_ATTEND_ROWS 32  /* queries at a time: a multiple of every tile's rows */
#define MB_BF16_MOST_UNIT   32

/* What a run of this sum of squares is multiplied by, and *back, which undoes it: not a number where the sum is none.
 */
static inline float mb_fixed16_scale(float square_sum, float *back)
{
    float norm = sqrtf(square_sum);
    *back = norm / MB_FIXED16_NORM;
    return norm > 0 ? MB_FIXED16_NORM / norm : 0;
}

static inline int64_t mb_bf16_round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

/* Columns of packed memory for n: whole panels, the last one of half the width if that is enough. */
static inline int64_t mb_bf16_columns(int64_t n)
{
    return mb_bf16_round_up(n, MB_BF16_COLUMNS / 2);
}
/* Width of the panel that starts at column `at` of n. */
static inline int64_t mb_bf16_width(int64_t n, int64_t at)
{
    return n - at <= MB_BF16_COLUMNS / 2 ? MB_BF16_COLUMNS / 2 : MB_BF16_COLUMNS;
}

/* Elements of mb_attend's k16, v16 and q16, for any set. */
static inline int64_t mb_bf16_attend_k(int64_t keys, int64_t d)
{
    return mb_bf16_columns(keys) * mb_bf16_round_up(d, MB_BF16_MOST_UNIT);
}
static inline int64_t mb_bf16_attend_v(int64_t keys, int64_t d)
{
    return mb_bf16_columns(d) * mb_bf16_round_up(keys, MB_BF16_MOST_UNIT);
}
static inline int64_t mb_bf16_attend_q(int64_t keys, int64_t d)
{
    return MB_BF16_ATTEND_ROWS * (mb_bf16_round_up(d, MB_BF16_MOST_UNIT) + mb_bf16_round_up(keys, MB_BF16_COLUMNS));
}

extern const mb_bf16_loops mb_bf16_generic, mb_bf16_model, mb_bf16_amx_model, mb_fixed16_generic;
#if defined(__x86_64__)
extern const mb_bf16_loops mb_bf16_avx2, mb_bf16_avx512, mb_bf16_native, mb_bf16_amx, mb_fixed16_avx2, mb_fixed16_vnni;
#endif

#endif
