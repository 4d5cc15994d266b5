/* Weights of the matrix product, packed once per model: see mb_packed in gemm.h. */
#include "gemm.h"

#include "core/alloc.h"

#include <string.h>

/* The panel that begins at column n: [K][width], K running (tap, channel); width is one vector if that
 * holds what is left, else two. Columns beyond n are zeros. */
static void pack_panel(float *to, const float *weight, const mb_packed *p, int64_t n, float scale)
{
    int64_t columns = p->n - n, width = p->simd->width, k_total = p->taps * p->channels;
    width = columns <= width ? width : 2 * width;
    columns = columns < width ? columns : width;
    if (columns < width) {
        memset(to, 0, (size_t)(width * k_total) * sizeof(float));
    }
    for (int64_t j = 0; j < columns; j++) {
        const float *from = weight + (n + j) * k_total; /* [channels][taps] */
        for (int64_t t = 0; t < p->taps; t++) {
            for (int64_t c = 0; c < p->channels; c++) {
                to[(t * p->channels + c) * width + j] = scale * from[c * p->taps + t];
            }
        }
    }
}

/* What the workers share. */
typedef struct pack_job {
    const mb_packed *p;
    const float *weight;
    float scale;
} pack_job;

/* Items: panels. */
static void pack_panels(void *arg, size_t begin, size_t end, int worker)
{
    const pack_job *j = arg;
    int64_t full = 2 * j->p->simd->width, k_total = j->p->taps * j->p->channels;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        int64_t n = (int64_t)i * full;
        pack_panel(j->p->w + n * k_total, j->weight, j->p, n, j->scale);
    }
}

/* Few columns: [n][tap][channel]. */
static void pack_rows(const float *weight, const mb_packed *p, float scale)
{
    float *to = p->w;
    for (int64_t n = 0; n < p->n; n++, weight += p->taps * p->channels) {
        for (int64_t t = 0; t < p->taps; t++) {
            for (int64_t c = 0; c < p->channels; c++) {
                *to++ = scale * weight[c * p->taps + t];
            }
        }
    }
}

/* NULL is fine. */
void mb_packed_free(void *packed)
{
    mb_packed *p = packed;
    if (p != NULL) {
        mb_free_aligned(p->w);
        mb_free(p);
    }
}

/* One block: panels (or rows, if there are few columns), then the bias padded to whole panels, then the
 * zero pixel. `shape`: n, channels, taps. MB_E_MEMORY on overflow too. */
mb_status mb_packed_create(mb_packed **out, const mb_simd *simd, const int64_t shape[3], const float *weight,
                           const float *bias, float scale, mb_pool *pool, mb_error *err)
{
    *out = NULL;
    mb_packed *p = mb_calloc(1, sizeof *p);
    if (p == NULL) {
        return mb_fail_memory(err, sizeof *p, "packed weights");
    }
    *p = (mb_packed){.simd = simd, .n = shape[0], .channels = shape[1], .taps = shape[2]};
    p->narrow = p->n <= MB_NARROW_COLUMNS;
    int64_t full = 2 * simd->width, panels = (p->n + full - 1) / full;
    /* The last panel may be one vector wide. */
    int64_t rest = p->n - (panels - 1) * full, columns = (panels - 1) * full + (rest <= simd->width ? full / 2 : full);
    size_t k_total, values, extra = (size_t)columns + (size_t)p->channels;
    if (!mb_mul_size(&k_total, (size_t)p->taps, (size_t)p->channels) ||
        !mb_mul_size(&values, k_total, (size_t)columns) || !mb_add_size(&values, values, extra) ||
        !mb_mul_size(&p->bytes, values, sizeof(float)) || (p->w = mb_alloc_aligned(p->bytes)) == NULL) {
        size_t wanted = p->bytes;
        mb_packed_free(p);
        return mb_fail_memory(err, wanted, "packed weights");
    }
    if (p->narrow) {
        pack_rows(weight, p, scale);
    } else {
        pack_job job = {p, weight, scale};
        mb_parallel_for(pool, (size_t)panels, 1, pack_panels, &job);
    }
    /* Bias and zero pixel behind the panels. */
    float *after = p->w + k_total * (size_t)columns;
    memset(after, 0, extra * sizeof(float));
    p->zeros = after + columns;
    if (bias != NULL) {
        memcpy(after, bias, (size_t)p->n * sizeof(float));
        p->bias = after;
    }
    *out = p;
    return MB_OK;
}

/* The weight [O,I,kh,kw] is a matrix [O][I][taps]. */
mb_status mb_prepare_packed(mb_prepared *out, const mb_call *c, const mb_simd *simd, int weight, int bias, float scale,
                            mb_error *err)
{
    const mb_view *w = &c->in[weight];
    bool has_bias = bias < c->n_in && mb_view_present(&c->in[bias]);
    const int64_t shape[3] = {w->dims[0], w->dims[1], w->dims[2] * w->dims[3]};
    mb_packed *p;
    mb_status status =
        mb_packed_create(&p, simd, shape, w->data, has_bias ? c->in[bias].data : NULL, scale, c->pool, err);
    if (status == MB_OK) {
        *out = (mb_prepared){p, p->bytes, mb_packed_free, 1u << weight | (has_bias ? 1u << bias : 0)};
    }
    return status;
}
