/* Swin's window attention: an item is one window and head, whose keys and values are packed into the worker's scratch
 * and whose logits never leave the cache (isa/attend.h). Roll, partition and padding are index arithmetic on the
 * channels-last map; only real queries are computed, padding keys read pad_qkv.
 * qkv [N,3C,H,W], table [(2w-1)^2,heads], pad_qkv [3C] -> [N,C,H,W]. */
#include "core/alloc.h"
#include "isa/bf16.h"
#include "variants.h"

#include <string.h>

#define ATTEND_ROWS (4 * MB_MAX_TILE_ROWS) /* rows of logits at a time: isa/attend.h */

/* mb_prepared.data: the table expanded to a bias per pair of tokens, so that the inner loop only adds rows. */
typedef struct window_tables {
    const mb_simd *simd;
    int64_t keys, keys_padded;
    float *bias;    /* [heads][keys][keys_padded]; padding -1e30 */
    float *pad_qkv; /* [3C] or NULL */
} window_tables;

/* NULL is fine. */
static void tables_free(void *data)
{
    window_tables *t = data;
    if (t != NULL) {
        mb_free_aligned(t->bias);
        mb_free(t);
    }
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* table[(yi-yj+w-1)*(2w-1) + xi-xj+w-1][head] for all pairs. */
static void expand(window_tables *t, const float *table, int64_t heads, int64_t w)
{
    for (int64_t h = 0; h < heads; h++) {
        for (int64_t i = 0; i < t->keys; i++) {
            float *row = t->bias + (h * t->keys + i) * t->keys_padded;
            for (int64_t j = 0; j < t->keys; j++) {
                int64_t at = (i / w - j / w + w - 1) * (2 * w - 1) + i % w - j % w + w - 1;
                row[j] = table[at * heads + h];
            }
            for (int64_t j = t->keys; j < t->keys_padded; j++) {
                row[j] = -1e30f;
            }
        }
    }
}

/* The expanded bias [heads][keys][keys_padded], and pad_qkv behind it. */
static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_window_attention_attrs *a = c->attrs;
    bool has_pad = c->n_in > 2 && mb_view_present(&c->in[2]);
    size_t pad = has_pad ? (size_t)c->in[2].dims[0] : 0, count, bytes;
    window_tables *t = mb_calloc(1, sizeof *t);
    if (t == NULL) {
        return mb_fail_memory(err, sizeof *t, "the bias of window attention");
    }
    t->simd = simd;
    t->keys = (int64_t)a->window * a->window;
    t->keys_padded = round_up(t->keys, simd->width);
    if (!mb_mul_size(&count, (size_t)t->keys, (size_t)t->keys_padded) ||
        !mb_mul_size(&count, count, (size_t)a->heads) || !mb_add_size(&count, count, pad) ||
        !mb_mul_size(&bytes, count, sizeof(float)) || (t->bias = mb_alloc_aligned(bytes)) == NULL) {
        tables_free(t);
        return mb_fail_memory(err, sizeof *t, "the bias of window attention");
    }
    expand(t, c->in[1].data, a->heads, a->window);
    if (has_pad) {
        t->pad_qkv = t->bias + (count - pad);
        memcpy(t->pad_qkv, c->in[2].data, pad * sizeof(float));
    }
    *out = (mb_prepared){t, bytes, tables_free, has_pad ? 6u : 2u};
    return MB_OK;
}

/* A worker's scratch. */
typedef struct scratch {
    float *k, *v, *logits, *weighted;
    uint16_t *k16, *v16, *q16;
    const float **tokens, **rows, **bias; /* [keys]: qkv of each key; k or v of each; bias row per query */
    float **out;
    int32_t *label, *position;
} scratch;

/* Sizes in floats or elements; fills `s` if `base` is not NULL. Returns bytes, a multiple of 64; SIZE_MAX: overflow. */
static size_t lay_out(scratch *s, char *base, int64_t keys, int64_t d, const mb_simd *simd)
{
    int64_t vector = simd->width;
    size_t n = (size_t)keys, padded = (size_t)round_up(keys, vector), columns = (size_t)round_up(d, vector);
    bool f32 = simd->bf16 == NULL;
    size_t product, most = (size_t)1 << 40;
    /* Larger than anything that could be allocated counts as overflow, so that the sums below need no checks. */
    if (!mb_mul_size(&product, padded, columns + (size_t)d + ATTEND_ROWS + 64) || product > most) {
        return SIZE_MAX;
    }
    /* Floats first, each part from a cache line on; then rounded values, pointers, labels and positions. */
    const size_t floats[4] = {f32 ? padded * (size_t)d : 0, f32 ? n * columns : 0, ATTEND_ROWS * padded,
                              ATTEND_ROWS * columns};
    size_t at = 0;
    float **vectors[4] = {&s->k, &s->v, &s->logits, &s->weighted};
    for (int i = 0; i < 4; i++) {
        *vectors[i] = base != NULL ? (float *)(void *)(base + at) : NULL;
        at += (floats[i] * sizeof(float) + 63) & ~(size_t)63;
    }
    const int64_t narrow[3] = {mb_bf16_attend_k(keys, d), mb_bf16_attend_v(keys, d), mb_bf16_attend_q(keys, d)};
    uint16_t **narrow_vectors[3] = {&s->k16, &s->v16, &s->q16};
    for (int i = 0; i < 3; i++) {
        *narrow_vectors[i] = base != NULL && !f32 ? (uint16_t *)(void *)(base + at) : NULL;
        at += f32 ? 0 : ((size_t)narrow[i] * sizeof(uint16_t) + 63) & ~(size_t)63;
    }
    const float ***pointers[3] = {&s->tokens, &s->rows, &s->bias};
    for (int i = 0; i < 3; i++) {
        *pointers[i] = base != NULL ? (const float **)(void *)(base + at) : NULL;
        at += n * sizeof(float *);
    }
    s->out = base != NULL ? (float **)(void *)(base + at) : NULL;
    at += n * sizeof(float *);
    /* Labels are read in whole vectors. */
    s->label = base != NULL ? (int32_t *)(void *)(base + at) : NULL;
    s->position = base != NULL ? s->label + padded : NULL;
    return (at + (padded + n) * sizeof(int32_t) + 63) & ~(size_t)63;
}

/* Of one worker. */
static size_t scratch_bytes(const mb_simd *simd, const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    scratch unused;
    return lay_out(&unused, NULL, (int64_t)a->window * a->window, c->in[0].dims[1] / 3 / a->heads, simd);
}

/* One scratch per thread. */
static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    size_t bytes = scratch_bytes(simd, c);
    return bytes != SIZE_MAX && mb_mul_size(&bytes, bytes, (size_t)mb_pool_size(c->pool)) ? bytes : SIZE_MAX;
}

/* Rows (or columns) of the rolled grid: which never see each other. */
static int32_t label(int64_t rolled, int64_t padded, const mb_window_attention_attrs *a)
{
    if (a->shift == 0 || rolled < padded - a->window) {
        return 0;
    }
    return rolled < padded - a->shift ? 1 : 2;
}

/* An item of work. */
typedef struct window {
    int64_t n, y, x; /* corner on the rolled grid */
    int64_t head;
} window;

/* Keys, queries and labels of a window; returns whether any labels differ. */
static bool collect(const mb_call *c, const window *w, scratch *s, mb_attend *job)
{
    const mb_window_attention_attrs *a = c->attrs;
    const window_tables *t = c->prepared->data;
    const mb_view *qkv = &c->in[0], *out = &c->out;
    int64_t height = qkv->dims[2], width = qkv->dims[3];
    int64_t hp = round_up(height, a->window), wp = round_up(width, a->window);
    bool differ = false;
    /* Place i of the window on the rolled grid, and where the roll took it from. No divisions: they took longer than
     * a small window's softmax. */
    for (int64_t i = 0, ry = w->y; ry < w->y + a->window; ry++) {
        int64_t y = ry + a->shift < hp ? ry + a->shift : ry + a->shift - hp;
        int32_t row_label = 3 * label(ry, hp, a);
        for (int64_t rx = w->x; rx < w->x + a->window; rx++, i++) {
            int64_t x = rx + a->shift < wp ? rx + a->shift : rx + a->shift - wp,
                    token = (w->n * height + y) * width + x;
            s->label[i] = row_label + label(rx, wp, a);
            differ = differ || s->label[i] != s->label[0];
            /* Padding is a key, never a query. */
            if (y >= height || x >= width) {
                s->tokens[i] = t->pad_qkv;
                continue;
            }
            s->tokens[i] = (const float *)qkv->data + token * qkv->pitch;
            s->bias[job->queries] = t->bias + (w->head * t->keys + i) * t->keys_padded;
            s->out[job->queries] = (float *)out->data + token * out->pitch + w->head * job->d;
            s->position[job->queries++] = (int32_t)i;
        }
    }
    return differ;
}

/* One window and head: collect its tokens, pack keys (scaled) and values, then attend. s->rows points to
 * the keys, then to the values, then to the queries of the tokens. */
static void run_window(const mb_call *c, const window *w, scratch *s)
{
    const mb_window_attention_attrs *a = c->attrs;
    const window_tables *t = c->prepared->data;
    int64_t channels = c->out.dims[1], d = channels / a->heads;
    mb_attend job = {.keys = t->keys,
                     .d = d,
                     .keys_padded = t->keys_padded,
                     .d_padded = round_up(d, t->simd->width),
                     .q = s->rows,
                     .k = s->k,
                     .v = s->v,
                     .k16 = s->k16,
                     .v16 = s->v16,
                     .q16 = s->q16,
                     .bias = s->bias,
                     .position = s->position,
                     .logits = s->logits,
                     .weighted = s->weighted,
                     .out = s->out};
    /* Without a shift, or inside of the map, all labels are equal: no mask is needed. */
    job.key_label = collect(c, w, s, &job) ? s->label : NULL;
    for (int64_t i = 0; i < t->keys; i++) {
        s->rows[i] = s->tokens[i] + channels + w->head * d;
        __builtin_prefetch(s->tokens[i] + w->head * d); /* tokens lie pages apart: no hardware prefetch */
        __builtin_prefetch(s->rows[i] + channels);
        __builtin_prefetch(s->tokens[i] + w->head * d + d - 1); /* rows of 32 values are two lines */
        __builtin_prefetch(s->rows[i] + channels + d - 1);
    }
    const mb_bf16_loops *bf16 = t->simd->bf16;
    if (bf16 != NULL) {
        bf16->attend_pack(&job, s->rows, false, a->scale);
    } else {
        t->simd->pack_keys(s->k, s->rows, &job, a->scale);
    }
    for (int64_t i = 0; i < t->keys; i++) {
        s->rows[i] += channels;
    }
    if (bf16 != NULL) {
        bf16->attend_pack(&job, s->rows, true, 1);
    } else {
        t->simd->pack_values(s->v, s->rows, &job);
    }
    for (int64_t i = 0; i < job.queries; i++) {
        s->rows[i] = s->tokens[s->position[i]] + w->head * d;
    }
    if (bf16 != NULL) {
        bf16->attend(&job);
    } else {
        t->simd->attend(&job);
    }
}

/* Items: (head, window). A head's bias is shared by all its windows. */
static void run_items(void *arg, size_t begin, size_t end, int worker)
{
    const mb_call *c = arg;
    const mb_window_attention_attrs *a = c->attrs;
    const window_tables *t = c->prepared->data;
    int64_t down = (c->out.dims[2] + a->window - 1) / a->window, across = (c->out.dims[3] + a->window - 1) / a->window;
    int64_t windows = c->out.dims[0] * down * across;
    scratch s;
    size_t bytes = scratch_bytes(t->simd, c);
    lay_out(&s, (char *)c->workspace + (size_t)worker * bytes, t->keys, c->out.dims[1] / a->heads, t->simd);
    if (t->simd->bf16 != NULL && t->simd->bf16->begin != NULL) {
        t->simd->bf16->begin();
    }
    for (size_t item = begin; item < end; item++) {
        int64_t i = (int64_t)item % windows; /* heads outside: a head's bias stays in L2 */
        window w = {i / (down * across), i / across % down * a->window, i % across * a->window,
                    (int64_t)item / windows};
        run_window(c, &w, &s);
    }
    if (t->simd->bf16 != NULL && t->simd->bf16->end != NULL) {
        t->simd->bf16->end();
    }
}

static bool supports(const mb_simd *simd, const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    return simd->bf16 == NULL || simd->bf16->attend == NULL || c->out.dims[1] / a->heads <= MB_BF16_MOST_D;
}

/* Windows do not depend on each other. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_window_attention_attrs *a = c->attrs;
    mb_call copy = *c;
    int64_t down = (c->out.dims[2] + a->window - 1) / a->window, across = (c->out.dims[3] + a->window - 1) / a->window;
    mb_parallel_for(c->pool, (size_t)(c->out.dims[0] * down * across * a->heads), 1, run_items, &copy);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_SUPPORTS(set)                                                                                           \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    static const mb_kernel kernel_##set = {                                                                            \
        .name = #set, .supports = supports_##set, .prepare = prepare_##set, .workspace = workspace_##set, .run = run};
MB_EACH_SET(VARIANT)
MB_CHOOSE(window_attention)
MB_EACH_BF16_SET(VARIANT)
MB_CHOOSE_BF16(window_attention)
