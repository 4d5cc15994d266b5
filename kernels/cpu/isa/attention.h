/* The inner loops of streaming attention, once per instruction set (isa/attention_loops.h, vit_attention_*.c). */
#ifndef MB_ISA_ATTENTION_H
#define MB_ISA_ATTENTION_H

#include "isa.h"

/* c[rows][panels * width] += a[rows][k] . b (fresh: =), b as `panels` panels [k][width] that lie b_panel floats apart. */
typedef struct mb_attention_product {
    float *c;
    int64_t c_pitch;
    const float *a;
    int64_t a_pitch;
    const float *b;
    int64_t b_panel;
    int64_t rows, panels, k; /* rows: a multiple of tile_rows */
    bool fresh;              /* c need not be set before */
} mb_attention_product;

/* Logits of some queries against a tile of keys, and the running softmax of these queries. */
typedef struct mb_attention_softmax {
    float *s; /* [rows][pitch] logits in, exp(logit - max) out */
    int64_t pitch, rows, n;
    float *max; /* [rows] of all tiles so far */
    float *sum; /* [rows][vector] partial sums, lane by lane */
    float *out; /* [rows][out_pitch] sum of weights times values so far: scaled down when max grows */
    int64_t out_pitch;
} mb_attention_softmax;

/* The relative terms of one query: s[i] = rh[y] + rw[x] for keys j0 + i of a map that is b wide, i < n; -inf for one
 * panel behind. rw may be read one vector beyond b. With window_a > 0 s[n] is the term of one key more: log sum exp of
 * rh[y] + rw[x] over the places of a window window_a x window_b outside of its first rows x b. */
typedef struct mb_attention_terms {
    float *s;
    const float *rh, *rw;
    int64_t j0, n, b;
    int64_t window_a, window_b, rows;
} mb_attention_terms;

typedef struct mb_attention_loops { /* mb_simd.streaming */
    int64_t vector, width;          /* floats in a vector and in a panel: two vectors */
    int64_t tile_rows;
    void (*product)(const mb_attention_product *p);
    void (*terms)(const mb_attention_terms *t);
    void (*softmax)(const mb_attention_softmax *s);
} mb_attention_loops;

#define MB_ATTENTION_MOST_TILE_ROWS 8
#define MB_ATTENTION_MOST_WIDTH     32

extern const mb_attention_loops mb_attention_generic;
#if defined(__x86_64__)
extern const mb_attention_loops mb_attention_avx2, mb_attention_avx512;
#elif defined(__aarch64__)
extern const mb_attention_loops mb_attention_neon;
#endif

#endif
