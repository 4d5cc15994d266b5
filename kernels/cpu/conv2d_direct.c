/* See conv2d_direct.h. An item is a band of output rows: its input rows, zero padded, lie as planes [row][channel][x]
 * in the worker's scratch (read-bound work that touches memory once); an output row is summed for all x with the kernel
 * of an inner pixel, then the first and last pixel are redone with theirs (attrs.h, border_variants). */
#include "conv2d_direct.h"

#include "core/alloc.h"

#include <string.h>

#define BAND 8 /* output rows per item */

/* mb_prepared.data: a copy, because the published weights may be released. */
typedef struct direct_weights {
    const mb_simd *simd;
    int64_t kernels; /* O, or 9 O */
    float *bias;     /* behind w; zeros if there is none */
    float w[];       /* as published */
} direct_weights;

/* Weights [O or 9 O, I, kh, kw] stay in their order: the inner loop walks along x with one weight at a time. */
mb_status mb_direct_conv_prepare(mb_prepared *out, const mb_call *c, const mb_simd *simd, mb_error *err)
{
    const mb_view *w = &c->in[1];
    size_t count = (size_t)mb_view_count(w), kernels = (size_t)w->dims[0], bytes;
    if (!mb_add_size(&bytes, count, kernels) || !mb_mul_size(&bytes, bytes, sizeof(float)) ||
        !mb_add_size(&bytes, bytes, sizeof(direct_weights))) {
        return mb_fail_memory(err, SIZE_MAX, "weights of a convolution");
    }
    direct_weights *d = mb_calloc(1, bytes);
    if (d == NULL) {
        return mb_fail_memory(err, bytes, "weights of a convolution");
    }
    d->simd = simd;
    d->kernels = w->dims[0];
    d->bias = d->w + count;
    memcpy(d->w, w->data, count * sizeof(float));
    bool has_bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    if (has_bias) {
        memcpy(d->bias, c->in[2].data, kernels * sizeof(float));
    }
    *out = (mb_prepared){d, bytes, mb_free, has_bias ? 6u : 2u};
    return MB_OK;
}

/* Sizes of a worker's scratch: planes of BAND output rows' inputs, then one row of sums. */
typedef struct band {
    int64_t in_w, in_rows; /* padded, of the planes */
    size_t planes, floats; /* floats of the planes; with the row of sums, rounded up */
} band;

/* Vectors may read and write up to one vector beyond a row. */
static bool band_of(const mb_call *c, band *b)
{
    const mb_conv2d_attrs *a = c->attrs;
    const int64_t *w = c->in[1].dims;
    /* With the padding on both sides. */
    b->in_w = c->in[0].dims[3] + 2 * a->pad;
    b->in_rows = BAND + w[2] - 1;
    size_t row;
    if (!mb_mul_size(&row, (size_t)w[1], (size_t)b->in_w) || !mb_mul_size(&b->planes, row, (size_t)b->in_rows) ||
        !mb_add_size(&b->floats, b->planes, (size_t)c->out.dims[3] + 256)) {
        return false;
    }
    b->floats = (b->floats + 15) & ~(size_t)15;
    return true;
}

/* One band per thread. */
size_t mb_direct_conv_workspace(const mb_call *c)
{
    band b;
    size_t bytes;
    if (!band_of(c, &b) || !mb_mul_size(&bytes, b.floats, sizeof(float) * (size_t)mb_pool_size(c->pool))) {
        return SIZE_MAX;
    }
    return bytes;
}

/* Planes of input rows [first, first + in_rows) of item n. */
static void split(const mb_call *c, const band *b, int64_t n, int64_t first, float *planes)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0];
    int64_t channels = x->dims[1], height = x->dims[2], width = x->dims[3], pitch = x->pitch;
    for (int64_t r = 0; r < b->in_rows; r++) {
        int64_t y = first + r;
        float *row = planes + r * channels * b->in_w;
        if (y < 0 || y >= height) {
            memset(row, 0, (size_t)(channels * b->in_w) * sizeof(float));
            continue;
        }
        const float *from = (const float *)x->data + (n * height + y) * width * pitch;
        for (int64_t i = 0; i < channels; i++, row += b->in_w) {
            for (int64_t k = 0; k < a->pad; k++) {
                row[k] = 0;
                row[a->pad + width + k] = 0;
            }
            for (int64_t k = 0; k < width; k++) {
                row[a->pad + k] = from[k * pitch + i];
            }
        }
    }
}

/* 0 on the first row or column, 2 on the last, 1 between. */
static int64_t side(int64_t i, int64_t size)
{
    return i == 0 ? 0 : (i == size - 1 ? 2 : 1);
}

/* One output pixel with kernel `k`. */
static float single(const mb_call *c, const band *b, const float *planes, int64_t x, const float *kernel)
{
    const int64_t *w = c->in[1].dims;
    float sum = 0;
    for (int64_t i = 0; i < w[1]; i++) {
        for (int64_t ky = 0; ky < w[2]; ky++) {
            for (int64_t kx = 0; kx < w[3]; kx++) {
                sum += kernel[(i * w[2] + ky) * w[3] + kx] * planes[(ky * w[1] + i) * b->in_w + x + kx];
            }
        }
    }
    return sum;
}

/* Output row y of item n, channel o; `planes` begins at the row's first input row. */
static void one_row(const mb_call *c, const band *b, const float *planes, float *sums, const int64_t n_y_o[3])
{
    const mb_conv2d_attrs *a = c->attrs;
    const direct_weights *d = c->prepared->data;
    const int64_t *w = c->in[1].dims;
    const mb_view *out = &c->out, *addend = &c->in[3];
    int64_t width = out->dims[3], y = n_y_o[1], o = n_y_o[2], kernel_size = w[1] * w[2] * w[3];
    /* Variant 3 * side(y) + 1: an inner pixel of this row. */
    int64_t inner = a->border_variants ? (3 * side(y, out->dims[2]) + 1) * out->dims[1] + o : o;
    const mb_plane_rows rows = {planes, b->in_w, w[1], w[2], w[3], d->w + inner * kernel_size, d->bias[inner]};
    d->simd->plane_row(&rows, sums, width);
    for (int64_t end = 0; a->border_variants && end < 2; end++) {
        int64_t x = end == 0 ? 0 : width - 1, k = inner + (end == 0 ? -1 : 1) * out->dims[1];
        sums[x] = single(c, b, planes, x, d->w + k * kernel_size) + d->bias[k];
    }
    /* Of the row, in tokens. */
    int64_t first = (n_y_o[0] * out->dims[2] + y) * width;
    if (c->n_in > 3 && mb_view_present(addend)) {
        bool vector = addend->dims[2] * addend->dims[3] == 1 && out->dims[2] * width != 1;
        const float *from = (const float *)addend->data + (vector ? n_y_o[0] : first) * addend->pitch + o;
        for (int64_t x = 0; x < width; x++) {
            sums[x] += from[vector ? 0 : x * addend->pitch];
        }
    }
    if (a->act != MB_ACT_NONE) {
        d->simd->activate(sums, sums, width, a->act);
    }
    float *to = (float *)out->data + first * out->pitch + o;
    for (int64_t x = 0; x < width; x++) {
        to[x * out->pitch] = sums[x];
    }
}

/* Items: bands of output rows of an item of the batch. The planes are made once and serve all outputs. */
static void run_bands(void *arg, size_t begin, size_t end, int worker)
{
    const mb_call *c = arg;
    const mb_conv2d_attrs *a = c->attrs;
    band b;
    if (!band_of(c, &b)) {
        return; /* workspace() said so */
    }
    float *planes = (float *)c->workspace + (size_t)worker * b.floats, *sums = planes + b.planes;
    int64_t bands = (c->out.dims[2] + BAND - 1) / BAND;
    for (size_t item = begin; item < end; item++) {
        int64_t n = (int64_t)item / bands, first = (int64_t)item % bands * BAND;
        split(c, &b, n, first - a->pad, planes);
        for (int64_t y = first; y < first + BAND && y < c->out.dims[2]; y++) {
            const float *rows = planes + (y - first) * c->in[0].dims[1] * b.in_w;
            for (int64_t o = 0; o < c->out.dims[1]; o++) {
                one_row(c, &b, rows, sums, (const int64_t[3]){n, y, o});
            }
        }
    }
}

/* The number of threads decides who computes a band, never how. */
void mb_direct_conv_run(const mb_call *c)
{
    mb_call copy = *c;
    int64_t bands = (c->out.dims[2] + BAND - 1) / BAND;
    mb_parallel_for(c->pool, (size_t)(c->out.dims[0] * bands), 1, run_bands, &copy);
}
