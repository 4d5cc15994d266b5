/* Bilinear resizing without antialiasing: OpenCV's INTER_LINEAR in f32 and in 8 bits, and PyTorch's align_corners.
 * Formulas: docs/models/birefnet.md, "Pre- and post-processing".
 *
 * Each output row needs two source rows, so a chunk of output rows interpolates source rows horizontally into a cache
 * of two and combines them: memory is 2 rows a worker whatever the picture's size. OpenCV's f32 rule is fmaf(b - a, l,
 * a); on a processor without FMA the C library computes the same value, slowly. */
#include "image/resize.h"

#include "core/alloc.h"
#include "core/cpu.h"
#include "image/convert.h"

#include <math.h>
#include <string.h>

#define ROWS_PER_CHUNK 16
#define MAX_SIDE       (1 << 24) /* so that side x channels fits an int */
#define INLINE         static inline __attribute__((always_inline))

typedef enum rule { RULE_CV_F32, RULE_CV_TRUNC, RULE_CV_U8, RULE_CORNERS } rule;

/* Per output position: the two source positions and the weight of the second. */
typedef struct linear_axis {
    int *a, *b;
    float *l;
} linear_axis;

typedef struct job {
    rule rule;
    const float *src_f;
    const uint8_t *src_u;
    float *dst_f;
    uint8_t *dst_u;
    int sw, sh, dw, dh, channels;
    linear_axis x, y;
    float *cache; /* [workers, 2, dw*channels]; the 8-bit rule keeps int32 there */
} job;

static void linear_axis_dispose(linear_axis *t)
{
    mb_free(t->a);
    mb_free(t->b);
    mb_free(t->l);
    *t = (linear_axis){0};
}

/* c = (o + 0.5) in/out - 0.5; i = floor(c), l = c - i, clamped at both ends. In f64, as OpenCV's f32 path. */
static void half_pixel(linear_axis *t, int in, int out)
{
    const double scale = (double)in / (double)out;
    for (int o = 0; o < out; o++) {
        double c = ((double)o + 0.5) * scale - 0.5, whole = floor(c);
        int i = (int)whole;
        bool outside = i < 0 || i >= in - 1;
        t->a[o] = i < 0 ? 0 : i < in - 1 ? i : in - 1;
        t->b[o] = outside ? t->a[o] : i + 1;
        t->l[o] = outside ? 0.0f : (float)(c - whole);
    }
}

/* The 8-bit path: c is rounded to f32 before it is split, the scale is a reciprocal of a quotient, and rows keep their
 * l where they are clamped (both rows are the same there, but each product is rounded on its own). */
static void half_pixel_u8(linear_axis *t, int in, int out, bool vertical)
{
    const double scale = 1.0 / ((double)out / (double)in);
    for (int o = 0; o < out; o++) {
        float c = (float)(((double)o + 0.5) * scale - 0.5), whole = floorf(c);
        int i = (int)whole;
        bool outside = i < 0 || i >= in - 1;
        t->a[o] = i < 0 ? 0 : i < in - 1 ? i : in - 1;
        t->b[o] = outside ? t->a[o] : i + 1;
        t->l[o] = outside && !vertical ? 0.0f : c - whole;
    }
}

/* r = (in-1)/(out-1), p = r o, i = trunc(p), l = p - i: all in f32, as PyTorch does. */
static void corners(linear_axis *t, int in, int out)
{
    const float r = out > 1 ? (float)(in - 1) / (float)(out - 1) : 0.0f;
    for (int o = 0; o < out; o++) {
        float p = r * (float)o;
        int i = (int)p;
        i = i < in - 1 ? i : in - 1;
        t->a[o] = i;
        t->b[o] = i < in - 1 ? i + 1 : i;
        t->l[o] = p - (float)i;
    }
}

static mb_status linear_axis_create(linear_axis *t, int in, int out, rule r, bool vertical, mb_error *err)
{
    t->a = mb_alloc_array((size_t)out, sizeof *t->a);
    t->b = mb_alloc_array((size_t)out, sizeof *t->b);
    t->l = mb_alloc_array((size_t)out, sizeof *t->l);
    if (t->a == NULL || t->b == NULL || t->l == NULL) {
        linear_axis_dispose(t);
        return mb_fail_memory(err, (size_t)out * 12, "the taps of a resize");
    }
    if (r == RULE_CORNERS) {
        corners(t, in, out);
    } else if (r == RULE_CV_U8) {
        half_pixel_u8(t, in, out, vertical);
    } else {
        half_pixel(t, in, out);
    }
    return MB_OK;
}

/* ---- rows */

INLINE void across_cv(float *dst, const float *row, const job *j, int channels)
{
    for (int x = 0; x < j->dw; x++) {
        const float *a = row + j->x.a[x] * channels, *b = row + j->x.b[x] * channels;
        float l = j->x.l[x];
        for (int c = 0; c < channels; c++) {
            dst[x * channels + c] = __builtin_fmaf(b[c] - a[c], l, a[c]);
        }
    }
}

/* The same on v/255 of an 8-bit row. */
INLINE void across_trunc(float *dst, const uint8_t *row, const job *j, const float *unit, int channels)
{
    for (int x = 0; x < j->dw; x++) {
        const uint8_t *a = row + j->x.a[x] * channels, *b = row + j->x.b[x] * channels;
        float l = j->x.l[x];
        for (int c = 0; c < channels; c++) {
            float va = unit[a[c]], vb = unit[b[c]];
            dst[x * channels + c] = __builtin_fmaf(vb - va, l, va);
        }
    }
}

/* 11-bit weights; sums below 2^19 are exact in f32 too, but stay integers. */
INLINE void across_u8(int32_t *dst, const uint8_t *row, const job *j, int channels)
{
    for (int x = 0; x < j->dw; x++) {
        const uint8_t *a = row + j->x.a[x] * channels, *b = row + j->x.b[x] * channels;
        int32_t wb = (int32_t)lrintf(j->x.l[x] * 2048.0f), wa = 2048 - wb;
        for (int c = 0; c < channels; c++) {
            dst[x * channels + c] = wa * a[c] + wb * b[c];
        }
    }
}

INLINE void across_corners(float *dst, const float *row, const job *j)
{
    for (int x = 0; x < j->dw; x++) {
        float l = j->x.l[x];
        dst[x] = (1.0f - l) * row[j->x.a[x]] + l * row[j->x.b[x]];
    }
}

INLINE void across(float *cache, const job *j, int y, const float *unit)
{
    const size_t row = (size_t)y * (size_t)j->sw * (size_t)j->channels;
    switch (j->rule) {
    case RULE_CV_F32:
        across_cv(cache, j->src_f + row, j, j->channels);
        break;
    case RULE_CV_TRUNC:
        across_trunc(cache, j->src_u + row, j, unit, j->channels);
        break;
    case RULE_CV_U8:
        across_u8((int32_t *)(void *)cache, j->src_u + row, j, j->channels);
        break;
    case RULE_CORNERS:
        across_corners(cache, j->src_f + row, j);
        break;
    }
}

INLINE void down_u8(uint8_t *dst, const float *above, const float *below, float l, size_t n)
{
    const int32_t *a = (const int32_t *)(const void *)above, *b = (const int32_t *)(const void *)below;
    const int32_t wb = (int32_t)lrintf(l * 2048.0f), wa = 2048 - wb;
    for (size_t i = 0; i < n; i++) {
        dst[i] = (uint8_t)(((wa * (a[i] >> 4) >> 16) + (wb * (b[i] >> 4) >> 16) + 2) >> 2);
    }
}

INLINE void down(const job *j, int y, const float *above, const float *below)
{
    const size_t n = (size_t)j->dw * (size_t)j->channels, at = (size_t)y * n;
    const float l = j->y.l[y];
    switch (j->rule) {
    case RULE_CV_F32:
        for (size_t i = 0; i < n; i++) {
            j->dst_f[at + i] = __builtin_fmaf(below[i] - above[i], l, above[i]);
        }
        break;
    case RULE_CV_TRUNC:
        for (size_t i = 0; i < n; i++) {
            float v = 255.0f * __builtin_fmaf(below[i] - above[i], l, above[i]);
            j->dst_u[at + i] = (uint8_t)(v < 255.0f ? v : 255.0f); /* never negative */
        }
        break;
    case RULE_CV_U8:
        down_u8(j->dst_u + at, above, below, l, n);
        break;
    case RULE_CORNERS:
        for (size_t i = 0; i < n; i++) {
            j->dst_f[at + i] = (1.0f - l) * above[i] + l * below[i];
        }
        break;
    }
}

INLINE void rows_body(const job *j, size_t begin, size_t end, int worker)
{
    const size_t n = (size_t)j->dw * (size_t)j->channels;
    float *line[2] = {j->cache + (size_t)worker * 2 * n, j->cache + ((size_t)worker * 2 + 1) * n};
    int held[2] = {-1, -1};
    float unit[256];
    for (int v = 0; v < 256; v++) {
        unit[v] = mb_from8((uint8_t)v);
    }
    for (size_t y = begin; y < end; y++) {
        int a = j->y.a[y], b = j->y.b[y];
        if (held[1] == a) { /* the lower row of before is the upper one now */
            float *swap = line[0];
            line[0] = line[1];
            line[1] = swap;
            held[1] = held[0];
            held[0] = a;
        }
        if (held[0] != a) {
            across(line[0], j, a, unit);
            held[0] = a;
        }
        if (b != a && held[1] != b) {
            across(line[1], j, b, unit);
            held[1] = b;
        }
        down(j, (int)y, line[0], b != a ? line[1] : line[0]);
    }
}

static void rows_generic(void *arg, size_t begin, size_t end, int worker)
{
    rows_body(arg, begin, end, worker);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void rows_avx2(void *arg, size_t begin, size_t end, int worker)
{
    rows_body(arg, begin, end, worker);
}
#endif

static mb_range_fn choose_rows(void)
{
#if defined(__x86_64__)
    mb_isa isa;
    if (mb_cpu_choose_isa(&isa, NULL) == MB_OK && isa >= MB_ISA_AVX2) {
        return rows_avx2;
    }
#endif
    return rows_generic;
}

static mb_status run(job *j, mb_pool *pool, mb_error *err)
{
    mb_status status;
    size_t n, all;
    if (j->sw > MAX_SIDE || j->sh > MAX_SIDE || j->dw > MAX_SIDE || j->dh > MAX_SIDE) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d to %d x %d pixels: the sides are limited to %d", j->sw,
                       j->sh, j->dw, j->dh, MAX_SIDE);
    }
    MB_TRY(linear_axis_create(&j->x, j->sw, j->dw, j->rule, false, err));
    MB_TRY(linear_axis_create(&j->y, j->sh, j->dh, j->rule, true, err));
    if (!mb_mul_size(&n, (size_t)j->dw, (size_t)j->channels * 2) || !mb_mul_size(&all, n, (size_t)mb_pool_size(pool)) ||
        (j->cache = mb_alloc_array(all, sizeof *j->cache)) == NULL) {
        MB_TRY(mb_fail_memory(err, (size_t)j->dw * 32, "the rows of a resize"));
    }
    mb_parallel_for(pool, (size_t)j->dh, ROWS_PER_CHUNK, choose_rows(), j);
done:
    mb_free(j->cache);
    linear_axis_dispose(&j->x);
    linear_axis_dispose(&j->y);
    return status;
}

/* ---- entries */

static mb_status resize_u8(mb_picture *out, const mb_picture *src, mb_resize_spec size, rule r, mb_pool *pool,
                           mb_error *err)
{
    *out = (mb_picture){0};
    if (size.width == src->width && size.height == src->height && r == RULE_CV_U8) {
        return mb_picture_copy(out, src, err); /* the truncating rule is the identity too, but shows it by itself */
    }
    mb_status status = mb_picture_create(out, size.width, size.height, src->channels, err);
    if (status != MB_OK) {
        return status;
    }
    job j = {.rule = r, .src_u = src->v, .dst_u = out->v, .channels = src->channels};
    j.sw = src->width;
    j.sh = src->height;
    j.dw = size.width;
    j.dh = size.height;
    status = run(&j, pool, err);
    if (status != MB_OK) {
        mb_picture_dispose(out);
    }
    return status;
}

mb_status mb_resize_cv_u8(mb_picture *out, const mb_picture *src, int width, int height, mb_pool *pool, mb_error *err)
{
    return resize_u8(out, src, (mb_resize_spec){.width = width, .height = height}, RULE_CV_U8, pool, err);
}

mb_status mb_resize_cv_trunc(mb_picture *out, const mb_picture *src, int width, int height, mb_pool *pool,
                             mb_error *err)
{
    return resize_u8(out, src, (mb_resize_spec){.width = width, .height = height}, RULE_CV_TRUNC, pool, err);
}

mb_status mb_resize_cv_f32(const mb_floats *dst, const mb_floats *src, mb_pool *pool, mb_error *err)
{
    if (dst->channels != src->channels || dst->channels < 1 || dst->channels > 4 || dst->width < 1 || dst->height < 1 ||
        src->width < 1 || src->height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d x %d to %d x %d x %d values: not possible", src->width,
                       src->height, src->channels, dst->width, dst->height, dst->channels);
    }
    job j = {.rule = RULE_CV_F32, .src_f = src->v, .dst_f = dst->v, .channels = src->channels};
    j.sw = src->width;
    j.sh = src->height;
    j.dw = dst->width;
    j.dh = dst->height;
    return run(&j, pool, err);
}

mb_status mb_resize_align_corners(mb_plane *out, const float *src, int src_width, int src_height, int width, int height,
                                  mb_pool *pool, mb_error *err)
{
    *out = (mb_plane){0};
    if (src_width < 1 || src_height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of a plane of %d x %d values: not possible", src_width, src_height);
    }
    mb_status status = mb_plane_create(out, width, height, err);
    if (status != MB_OK) {
        return status;
    }
    job j = {.rule = RULE_CORNERS, .src_f = src, .dst_f = out->v, .channels = 1};
    j.sw = src_width;
    j.sh = src_height;
    j.dw = width;
    j.dh = height;
    status = run(&j, pool, err);
    if (status != MB_OK) {
        mb_plane_dispose(out);
    }
    return status;
}
