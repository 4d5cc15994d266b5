/* How ViT attention lays out what it packs, for a call and a set of inner loops: see vit_attention.c. */
#ifndef MB_CPU_VIT_ATTENTION_LAYOUT_H
#define MB_CPU_VIT_ATTENTION_LAYOUT_H

#include "isa/attention.h"
#include "isa/bf16.h"
#include "variants.h"

#define TILE_KEYS  256
#define BLOCK_ROWS 4 /* in register tiles */
#define MOST_BLOCK (BLOCK_ROWS * MB_ATTENTION_MOST_TILE_ROWS)
#define ROWS16     MB_BF16_MOST_ROWS          /* of rounded queries and weights: MOST_BLOCK, in whole tiles */
#define MOST_VALUE (MB_FIXED16_NORM / 16 - 1) /* of a value in fixed point: 16 is the root of TILE_KEYS */
_Static_assert(ROWS16 >= MOST_BLOCK, "a block of queries fits");

typedef struct layout { /* sizes in floats, each a multiple of a cache line */
    const mb_call *call;
    const mb_attention_loops *loops;
    const mb_bf16_loops *bf16; /* Q K^T and P V in bf16; NULL: in f32 */
    bool relative;             /* there are tables of relative positions */
    int64_t heads, d, channels;
    int64_t panel, depth;     /* keys in a packed panel; bf16: d, padded to whole runs of pairs */
    int64_t a, b;             /* the map that attends: a x b tokens */
    int64_t maps_y, maps_x;   /* how many cover the picture */
    int64_t keys, key_panels; /* of a map: the most */
    int64_t d_padded;         /* columns of the output, in f32 of V too: whole panels */
    int64_t h_panels, w_panels, w_column, terms_pitch;
    int64_t block, s_pitch;
    size_t tables, k_floats, kv_floats, scratch; /* kv: of one map and head */
    size_t scratch16;                            /* bf16: of the scratch, floats that hold rounded rows */
    size_t scales;                               /* fixed point: in kv, of each key, then of each column of values */
} layout;

static inline int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

/* All sizes of a call, from its shapes and the instruction set. Panels are two vectors wide. */
static inline layout layout_of(const mb_simd *simd, const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    const int64_t *x = c->in[0].dims;
    layout l = {.call = c, .heads = at->heads, .channels = x[1] / 3};
    l.loops = simd->streaming;
    int64_t width = l.loops->width;
    l.bf16 = simd->bf16;
    l.panel = l.bf16 != NULL ? MB_BF16_COLUMNS : width;
    l.d = l.channels / l.heads;
    l.d_padded = round_up(l.d, width);
    l.a = at->window > 0 ? at->window : x[2];
    l.b = at->window > 0 ? at->window : x[3];
    l.maps_y = (x[2] + l.a - 1) / l.a;
    l.maps_x = (x[3] + l.b - 1) / l.b;
    /* Per map, padding included: the most that any window has. */
    l.keys = l.a * l.b;
    l.key_panels = (l.keys + l.panel - 1) / l.panel;
    l.relative = mb_view_present(&c->in[1]);
    l.h_panels = l.relative ? (2 * l.a - 1 + width - 1) / width : 0;
    l.w_panels = l.relative ? (2 * l.b - 1 + width - 1) / width : 0;
    l.w_column = l.h_panels * width;
    l.terms_pitch = l.w_column + l.w_panels * width + width; /* terms() reads a vector too much */
    l.block = BLOCK_ROWS * l.loops->tile_rows;
    l.s_pitch = TILE_KEYS + width;
    l.tables = (size_t)((l.h_panels + l.w_panels) * width * l.d);
    l.k_floats = (size_t)(l.key_panels * l.panel * l.d);
    l.kv_floats = l.k_floats + (size_t)(l.key_panels * l.panel * l.d_padded);
    l.scratch =
        (size_t)(l.block * round_up(2 * l.d + l.terms_pitch + l.s_pitch + l.d_padded + l.loops->vector + 16, 16));
    if (l.bf16 != NULL) { /* two values in the room of a float */
        l.depth = round_up(l.d, l.bf16->unit);
        l.k_floats = (size_t)(l.key_panels * l.panel * l.depth / 2);
        l.scales = l.k_floats + (size_t)(l.key_panels * l.panel * mb_bf16_columns(l.d) / 2);
        l.kv_floats = l.scales + (size_t)(l.key_panels * l.panel + round_up(mb_bf16_columns(l.d), MB_BF16_COLUMNS));
        l.scratch16 = (size_t)(ROWS16 * (round_up(l.depth + TILE_KEYS + MB_BF16_COLUMNS, 32) / 2 + 2));
        l.scratch += l.scratch16;
    }
    return l;
}

/* The threads of a product on tiles set them up, and let go of them. */
static inline void begin_tiles(const layout *l)
{
    if (l->bf16 != NULL && l->bf16->begin != NULL) {
        l->bf16->begin();
    }
}

static inline void end_tiles(const layout *l)
{
    if (l->bf16 != NULL && l->bf16->end != NULL) {
        l->bf16->end();
    }
}

/* How many packed maps there are at a time: all heads of one item if global, one per thread with windows. */
static inline size_t packed_maps(const layout *l)
{
    const mb_vit_attention_attrs *at = l->call->attrs;
    return at->window > 0 ? (size_t)mb_pool_size(l->call->pool) : (size_t)l->heads;
}

/* Tables, packed keys and values, scratch of every thread: in this order, in floats. */

#endif
