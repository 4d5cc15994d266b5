/* A 3x3 convolution of a map enlarged to twice its size (docs/models/vitmatte.md, F1). The products of every tap are
 * made at the small size, a strip of small rows at a time, so that neither the enlarged map nor the products of the
 * whole map exist; output rows then mix and shift them.
 *     x [N,I,h,w], weight [O,I,3,3], bias [O], addend [N,O,2h,2w] -> [N,O,2h,2w] */
#include "core/alloc.h"
#include "gemm.h"
#include "variants.h"

#include <string.h>

#define STRIP_BYTES ((int64_t)4 << 20) /* of products: stays in the last-level cache */

typedef struct prepared {
    mb_packed *packed; /* [9 * padded, I]: tap by tap, outputs padded to vectors */
    int64_t padded;
    float bias[]; /* padded */
} prepared;

/* Outputs rounded up to whole vectors: taps then begin at vectors. */
static int64_t padded_outputs(const mb_simd *simd, int64_t outputs)
{
    return (outputs + simd->width - 1) / simd->width * simd->width;
}

static void free_prepared(void *data)
{
    prepared *p = data;
    if (p != NULL) {
        mb_packed_free(p->packed);
        mb_free(p);
    }
}

/* Nine 1x1 weights instead of a 3x3: [tap][padded outputs][I], packed as one gemm of 9 * padded columns. */
static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    mb_status status = MB_OK;
    int64_t outputs = c->in[1].dims[0], inputs = c->in[1].dims[1], padded = padded_outputs(simd, outputs);
    const float *w = c->in[1].data;
    float *taps = NULL;
    prepared *p = mb_calloc(1, sizeof *p + (size_t)padded * sizeof(float));
    size_t count;
    if (mb_mul_size(&count, (size_t)padded * 9, (size_t)inputs)) {
        taps = mb_calloc(count, sizeof *taps);
    }
    if (p == NULL || taps == NULL) {
        status = mb_fail_memory(err, (size_t)padded * 9 * (size_t)inputs * sizeof *taps, "packed weights");
        goto done;
    }
    /* [O][I][9] as published -> [9][padded][I]. */
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t i = 0; i < inputs; i++) {
            for (int64_t t = 0; t < 9; t++) {
                taps[(t * padded + o) * inputs + i] = w[(o * inputs + i) * 9 + t];
            }
        }
    }
    MB_TRY(
        mb_packed_create(&p->packed, simd, (const int64_t[]){9 * padded, inputs, 1}, taps, NULL, 1.0f, c->pool, err));
    p->padded = padded;
    bool bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    if (bias) {
        memcpy(p->bias, c->in[2].data, (size_t)outputs * sizeof(float));
    }
    *out = (mb_prepared){p, p->packed->bytes, free_prepared, 1u << 1 | (bias ? 1u << 2 : 0)};
    p = NULL;
done:
    free_prepared(p);
    mb_free(taps);
    return status;
}

/* Small rows of one strip, two more for its neighbours; bytes of the buffers behind the product's own workspace. */
typedef struct layout {
    int64_t strip, row_floats; /* products of one small row */
    size_t gemm, products, scratch, total;
} layout;

/* The gemm of some small rows: [pixels][I] x [I][9 * padded]. */
static mb_gemm strip_gemm(const mb_packed *w, const mb_call *c, const mb_view *rows, float *out)
{
    int64_t n = w->n;
    return (mb_gemm){.w = w,
                     .groups = 1,
                     .m = mb_view_tokens(rows),
                     .source = mb_source_tokens,
                     .source_arg = rows,
                     .out = mb_view_of(out, 1, n, rows->dims[2], rows->dims[3]),
                     .pool = c->pool,
                     .workspace = c->workspace};
}

/* How many small rows make a strip (two at least, for STRIP_BYTES of products), and the buffers. False on
 * overflow. */
static bool lay_out(layout *l, const mb_packed *w, const mb_call *c, int64_t padded)
{
    int64_t h = c->in[0].dims[2], width = c->in[0].dims[3];
    l->row_floats = width * w->n;
    /* At least two rows, at most the map. */
    l->strip = STRIP_BYTES / (l->row_floats * (int64_t)sizeof(float));
    l->strip = l->strip < 2 ? 2 : (l->strip > h ? h : l->strip);
    mb_view rows = mb_view_of(NULL, 1, c->in[0].dims[1], l->strip + 2, width);
    mb_gemm g = strip_gemm(w, c, &rows, NULL);
    l->gemm = mb_gemm_workspace(&g);
    size_t threads = (size_t)mb_pool_size(c->pool);
    return l->gemm != SIZE_MAX &&
           mb_mul_size(&l->products, (size_t)(l->strip + 2) * sizeof(float), (size_t)l->row_floats) &&
           mb_mul_size(&l->scratch, (size_t)(3 * padded) * sizeof(float), (size_t)width) &&
           mb_mul_size(&l->total, l->scratch, threads) && mb_add_size(&l->total, l->total, l->products) &&
           mb_add_size(&l->total, l->total, l->gemm + 64);
}

/* While planning there are no packed weights yet: their shape will do. */
static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    layout l;
    int64_t padded = padded_outputs(simd, c->in[1].dims[0]);
    const mb_packed shape = {.simd = simd, .n = 9 * padded, .channels = c->in[1].dims[1], .taps = 1};
    return lay_out(&l, &shape, c, padded) ? l.total : SIZE_MAX;
}

/* The strip that is being worked on. */
typedef struct job {
    const mb_call *c;
    const prepared *p;
    layout l;
    int64_t item, first_row, begin; /* batch item; small row at the start of `products`; first output row */
    float *products;
    char *scratch;
} job;

/* The two small rows that enlarged row u lies between, and their weights. */
static void vertical(const job *j, int64_t u, const float *rows[2], float weight[2])
{
    int64_t h = j->c->in[0].dims[2], a = u % 2 == 0 ? u / 2 - 1 : u / 2, b;
    bool outside = u < 0 || u >= 2 * h;
    a = outside ? j->first_row : a;
    b = outside ? a : a + 1;
    a = a < 0 ? 0 : a;
    b = b > h - 1 ? h - 1 : b;
    rows[0] = j->products + (a - j->first_row) * j->l.row_floats;
    rows[1] = j->products + (b - j->first_row) * j->l.row_floats;
    weight[0] = outside ? 0 : (u % 2 == 0 ? 0.25f : 0.75f);
    weight[1] = outside ? 0 : 1 - weight[0];
}

/* Items: output rows of the strip. Row `row` mixes up to four small rows for each of its three tap rows. */
static void output_rows(void *arg, size_t begin, size_t end, int worker)
{
    const job *j = arg;
    const mb_upsample_conv2d_attrs *a = j->c->attrs;
    const mb_view *y = &j->c->out, *addend = j->c->n_in > 3 ? &j->c->in[3] : NULL;
    for (size_t k = begin; k < end; k++) {
        int64_t row = j->begin + (int64_t)k, token = (j->item * y->dims[2] + row) * y->dims[3];
        mb_shift_row q = {.width = j->c->in[0].dims[3],
                          .outputs = y->dims[1],
                          .padded = j->p->padded,
                          .scratch = (float *)(void *)(j->scratch + (size_t)worker * j->l.scratch),
                          .out = (float *)y->data + token * y->pitch,
                          .out_pitch = y->pitch,
                          .bias = j->p->bias,
                          .act = a->act};
        if (addend != NULL && mb_view_present(addend)) {
            q.addend = (const float *)addend->data + token * addend->pitch;
            q.addend_pitch = addend->pitch;
        }
        for (int i = 0; i < 3; i++) {
            vertical(j, row - 1 + i, q.rows[i], q.weight[i]);
        }
        j->p->packed->simd->shift_row(&q);
    }
}

/* Products of small rows [from, to) of the job's item, written behind those of the rows before. */
static void multiply_rows(const job *j, int64_t from, int64_t to)
{
    const mb_view *x = &j->c->in[0];
    mb_view rows = *x;
    rows.data = (float *)x->data + (j->item * x->dims[2] + from) * x->dims[3] * x->pitch;
    rows.dims[0] = 1;
    rows.dims[2] = to - from;
    mb_gemm g = strip_gemm(j->p->packed, j->c, &rows, j->products + (from - j->first_row) * j->l.row_floats);
    mb_gemm_run(&g);
}

/* Strip by strip: the two small rows that strips share are kept (moved to the front), the others
 * multiplied, then all threads make the strip's output rows. */
static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)simd;
    job j = {.c = c, .p = c->prepared->data};
    int64_t h = c->in[0].dims[2];
    if (!lay_out(&j.l, j.p->packed, c, j.p->padded)) {
        return mb_fail(err, MB_E_INTERNAL, "upsample_conv2d: the workspace was not planned");
    }
    j.products = (float *)(void *)((char *)c->workspace + (j.l.gemm + 63) / 64 * 64);
    j.scratch = (char *)j.products + j.l.products;
    for (j.item = 0; j.item < c->in[0].dims[0]; j.item++) {
        int64_t have = 0; /* small rows whose products have been made */
        j.first_row = 0;
        for (int64_t from = 0; from < h; from += j.l.strip) {
            int64_t to = from + j.l.strip < h ? from + j.l.strip : h;
            int64_t first = from > 0 ? from - 1 : 0, needed = to < h ? to + 1 : h;
            /* What the last strip has made of rows that this one needs moves to the front. */
            memmove(j.products, j.products + (first - j.first_row) * j.l.row_floats,
                    (size_t)((have > first ? have - first : 0) * j.l.row_floats) * sizeof(float));
            j.first_row = first;
            if (needed > have) {
                multiply_rows(&j, have, needed);
            }
            have = needed;
            j.begin = 2 * from;
            mb_parallel_for(c->pool, (size_t)(2 * (to - from)), 1, output_rows, &j);
        }
    }
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    MB_VARIANT_RUN(set)                                                                                                \
    static const mb_kernel kernel_##set = {.name = #set,                                                               \
                                           .prepare = prepare_##set,                                                   \
                                           .workspace = workspace_##set,                                               \
                                           .run = run_##set,                                                           \
                                           .in_place_input = 1 + 3};
MB_EACH_SET(VARIANT)
MB_CHOOSE(upsample_conv2d)
