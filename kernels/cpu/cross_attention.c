/* Attention of many queries to the keys of another map, streaming (isa/attention.h): the queries x keys matrix never
 * exists. Keys and values of an item are packed once for all heads, then blocks of queries walk over tiles of keys:
 * logits, running softmax (Milakov and Gimelshein 2018), output.
 *
 * Work items are fixed by the shape (a head and a block of queries), so the number of threads changes no bit.
 * Workspace: packed keys and values of one item of the batch, and scratch of every thread.
 *     q [N,C,H,W], kv [N,2C,h,w] -> [N,C,H,W] */
#include "core/alloc.h"
#include "isa/attention.h"
#include "variants.h"

#include <math.h>
#include <string.h>

#define TILE_KEYS  256
#define BLOCK_ROWS 4 /* in register tiles */

typedef struct layout { /* sizes in floats */
    const mb_call *call;
    const mb_attention_loops *loops;
    int64_t heads, d, channels, queries, keys;
    int64_t panels;   /* of keys */
    int64_t d_padded; /* columns of the output and of V: whole panels */
    int64_t block, s_pitch;
    size_t k_floats, kv_floats, scratch; /* kv: of one head */
} layout;

static int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

static layout layout_of(const mb_simd *simd, const mb_call *c)
{
    const mb_cross_attention_attrs *a = c->attrs;
    const int64_t width = simd->streaming->width;
    layout l = {.call = c, .loops = simd->streaming, .heads = a->heads, .channels = c->out.dims[1]};
    l.d = l.channels / l.heads;
    l.queries = c->out.dims[2] * c->out.dims[3];
    l.keys = c->in[1].dims[2] * c->in[1].dims[3];
    l.panels = (l.keys + width - 1) / width;
    l.d_padded = round_up(l.d, width);
    l.block = BLOCK_ROWS * l.loops->tile_rows;
    l.s_pitch = TILE_KEYS + width;
    l.k_floats = (size_t)(l.panels * width * l.d);
    l.kv_floats = l.k_floats + (size_t)(l.panels * width * l.d_padded);
    l.scratch = (size_t)(l.block * round_up(l.d + l.s_pitch + l.d_padded + l.loops->vector + 1, 16));
    return l;
}

static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    const layout l = layout_of(simd, c);
    size_t floats, part, bytes;
    bool ok = mb_mul_size(&floats, (size_t)l.heads, l.kv_floats) &&
              mb_mul_size(&part, (size_t)mb_pool_size(c->pool), l.scratch) && mb_add_size(&floats, floats, part) &&
              mb_mul_size(&bytes, floats, sizeof(float));
    return ok ? bytes : SIZE_MAX;
}

/* What the workers share. */
typedef struct job {
    layout l;
    float *kv, *scratch;
    int64_t n, blocks; /* the item of the batch; blocks of queries per head */
} job;

/* Keys of one panel to K: [d][width], zeros behind the last key; V: [keys][width] for each panel of d. */
static void pack_panel(float *kv, const job *j, int64_t head, int64_t panel)
{
    const layout *l = &j->l;
    const mb_view *from = &l->call->in[1];
    const int64_t width = l->loops->width, first = panel * width;
    const int64_t n = l->keys - first < width ? l->keys - first : width;
    const float *token = (const float *)from->data + (j->n * l->keys + first) * from->pitch + head * l->d;
    float *k = kv + first * l->d;
    for (int64_t e = 0; e < l->d; e++) {
        for (int64_t i = 0; i < width; i++) {
            k[e * width + i] = i < n ? token[i * from->pitch + e] : 0;
        }
    }
    for (int64_t e = 0; e < l->d_padded; e += width) {
        const int64_t columns = l->d - e < width ? l->d - e : width;
        float *v = kv + l->k_floats + e * l->panels * width + first * width;
        for (int64_t i = 0; i < n; i++) {
            memcpy(v + i * width, token + i * from->pitch + l->channels + e, (size_t)columns * sizeof(float));
            memset(v + i * width + columns, 0, (size_t)(width - columns) * sizeof(float));
        }
    }
}

/* Items: (head, panel of keys). */
static void run_pack(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const int64_t head = (int64_t)i / j->l.panels;
        pack_panel(j->kv + (size_t)head * j->l.kv_floats, j, head, (int64_t)i % j->l.panels);
    }
}

/* The scratch of a thread. */
typedef struct block {
    float *q;        /* [block][d], scaled */
    float *s;        /* [block][s_pitch] */
    float *out;      /* [block][d_padded] */
    float *sum;      /* [block][vector] */
    float *max;      /* [block] */
    int64_t n, rows; /* queries, rounded up to register tiles */
} block;

/* Rows up to a whole register tile are zeros. */
static void load_queries(block *b, const job *j, int64_t head, int64_t first)
{
    const layout *l = &j->l;
    const mb_cross_attention_attrs *a = l->call->attrs;
    const mb_view *from = &l->call->in[0];
    b->n = l->queries - first < l->block ? l->queries - first : l->block;
    b->rows = round_up(b->n, l->loops->tile_rows);
    for (int64_t i = 0; i < b->rows; i++) {
        const float *q = (const float *)from->data + (j->n * l->queries + first + i) * from->pitch + head * l->d;
        for (int64_t e = 0; e < l->d; e++) {
            b->q[i * l->d + e] = i < b->n ? q[e] * a->scale : 0;
        }
        b->max[i] = -INFINITY;
    }
    memset(b->sum, 0, (size_t)(b->rows * l->loops->vector) * sizeof(float));
    memset(b->out, 0, (size_t)(b->rows * l->d_padded) * sizeof(float));
}

/* Keys [first, first + n), n a multiple of the panels' width except at the end. */
static void attend_tile(const block *b, const layout *l, const float *kv, int64_t first, int64_t n)
{
    const int64_t width = l->loops->width, padded = round_up(n, width);
    for (int64_t i = 0; i < b->rows; i++) {
        float *s = b->s + i * l->s_pitch;
        memset(s, 0, (size_t)n * sizeof(float));
        for (int64_t k = n; k < padded; k++) {
            s[k] = -INFINITY;
        }
    }
    l->loops->product(&(mb_attention_product){.c = b->s,
                                              .c_pitch = l->s_pitch,
                                              .a = b->q,
                                              .a_pitch = l->d,
                                              .b = kv + first * l->d,
                                              .b_panel = width * l->d,
                                              .rows = b->rows,
                                              .panels = padded / width,
                                              .k = l->d});
    l->loops->softmax(&(mb_attention_softmax){.s = b->s,
                                              .pitch = l->s_pitch,
                                              .rows = b->rows,
                                              .n = padded,
                                              .max = b->max,
                                              .sum = b->sum,
                                              .out = b->out,
                                              .out_pitch = l->d_padded});
    l->loops->product(&(mb_attention_product){.c = b->out,
                                              .c_pitch = l->d_padded,
                                              .a = b->s,
                                              .a_pitch = l->s_pitch,
                                              .b = kv + l->k_floats + first * width,
                                              .b_panel = l->panels * width * width,
                                              .rows = b->rows,
                                              .panels = l->d_padded / width,
                                              .k = n});
}

/* Divides by the sum of the weights, which lies lane by lane. */
static void store_outputs(const block *b, const job *j, int64_t head, int64_t first)
{
    const layout *l = &j->l;
    const mb_view *to = &l->call->out;
    for (int64_t i = 0; i < b->n; i++) {
        float *y = (float *)to->data + (j->n * l->queries + first + i) * to->pitch + head * l->d, sum = 0;
        for (int64_t k = 0; k < l->loops->vector; k++) {
            sum += b->sum[i * l->loops->vector + k];
        }
        for (int64_t e = 0; e < l->d; e++) {
            y[e] = b->out[i * l->d_padded + e] / sum;
        }
    }
}

/* Items: (head, block of queries). */
static void run_blocks(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    const layout *l = &j->l;
    block b = {.q = j->scratch + (size_t)worker * l->scratch};
    b.s = b.q + l->block * l->d;
    b.out = b.s + l->block * l->s_pitch;
    b.sum = b.out + l->block * l->d_padded;
    b.max = b.sum + l->block * l->loops->vector;
    for (size_t i = begin; i < end; i++) {
        const int64_t head = (int64_t)i / j->blocks, first = (int64_t)i % j->blocks * l->block;
        const float *kv = j->kv + (size_t)head * l->kv_floats;
        load_queries(&b, j, head, first);
        for (int64_t k = 0; k < l->keys; k += TILE_KEYS) {
            attend_tile(&b, l, kv, k, l->keys - k < TILE_KEYS ? l->keys - k : TILE_KEYS);
        }
        store_outputs(&b, j, head, first);
    }
}

static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    job j = {.l = layout_of(simd, c), .kv = c->workspace};
    j.scratch = j.kv + (size_t)j.l.heads * j.l.kv_floats;
    j.blocks = (j.l.queries + j.l.block - 1) / j.l.block;
    for (j.n = 0; j.n < c->out.dims[0]; j.n++) {
        mb_parallel_for(c->pool, (size_t)(j.l.heads * j.l.panels), 8, run_pack, &j);
        mb_parallel_for(c->pool, (size_t)(j.l.heads * j.blocks), 4, run_blocks, &j);
    }
    return MB_OK;
}

#define KERNEL(set)                                                                                                    \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    MB_VARIANT_RUN(set)                                                                                                \
    static const mb_kernel kernel_##set = {.name = #set, .workspace = workspace_##set, .run = run_##set};
MB_EACH_SET(KERNEL)
MB_CHOOSE(cross_attention)
