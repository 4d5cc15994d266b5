/* Bilinear resizing without antialiasing: OpenCV's INTER_LINEAR in f32 and in 8 bits, and PyTorch's align_corners.
 * Formulas: docs/models/birefnet.md, "Pre- and post-processing".
 *
 * Each output row needs two source rows, so a chunk of output rows interpolates source rows horizontally into a cache
 * of two and combines them: memory is 2 rows a worker whatever the picture's size. OpenCV's f32 rule is fmaf(b - a, l,
 * a); on a processor without FMA the C library computes the same value, slowly. */
#include "image/resample/resize.h"

#include "core/alloc.h"
#include "core/cpu.h"
#include "image/convert.h"
#include "image/resample/resample.h"

#include <string.h>

#define ROWS_PER_CHUNK 16
#define INLINE         static inline __attribute__((always_inline))

typedef struct job {
    mb_resample_rule rule;
    const float *src_f;
    const uint8_t *src_u;
    float *dst_f;
    uint8_t *dst_u;
    int sw, sh, dw, dh, channels;
    mb_axis x, y;
    float *cache; /* [workers, 2, dw*channels]; the 8-bit rule keeps int32 there */
} job;

/* ---- rows */

INLINE void across_cv(float *dst, const float *row, const job *j, int channels)
{
    for (int x = 0; x < j->dw; x++) {
        const float *a = row + j->x.first[x] * channels, *b = row + j->x.other[x] * channels;
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
        const uint8_t *a = row + j->x.first[x] * channels, *b = row + j->x.other[x] * channels;
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
        const uint8_t *a = row + j->x.first[x] * channels, *b = row + j->x.other[x] * channels;
        int32_t wb = j->x.k[x], wa = 2048 - wb;
        for (int c = 0; c < channels; c++) {
            dst[x * channels + c] = wa * a[c] + wb * b[c];
        }
    }
}

INLINE void across_corners(float *dst, const float *row, const job *j)
{
    for (int x = 0; x < j->dw; x++) {
        float l = j->x.l[x];
        dst[x] = (1.0f - l) * row[j->x.first[x]] + l * row[j->x.other[x]];
    }
}

/* Row y of the source, resized horizontally, in the arithmetic of the rule. */
INLINE void across(float *cache, const job *j, int y, const float *unit)
{
    const size_t row = (size_t)y * (size_t)j->sw * (size_t)j->channels;
    switch (j->rule) {
    case MB_RESAMPLE_CV_F32:
        across_cv(cache, j->src_f + row, j, j->channels);
        break;
    case MB_RESAMPLE_CV_TRUNC:
        across_trunc(cache, j->src_u + row, j, unit, j->channels);
        break;
    case MB_RESAMPLE_CV_U8:
        across_u8((int32_t *)(void *)cache, j->src_u + row, j, j->channels);
        break;
    case MB_RESAMPLE_CORNERS:
        across_corners(cache, j->src_f + row, j);
        break;
    case MB_RESAMPLE_NONE:
    case MB_RESAMPLE_TAPS:
        break; /* others do these */
    }
}

/* OpenCV's fixed point: two rounded products, then two bits of rounding. */
INLINE void down_u8(uint8_t *dst, const float *above, const float *below, int32_t wb, size_t n)
{
    const int32_t *a = (const int32_t *)(const void *)above, *b = (const int32_t *)(const void *)below;
    const int32_t wa = 2048 - wb;
    for (size_t i = 0; i < n; i++) {
        dst[i] = (uint8_t)(((wa * (a[i] >> 4) >> 16) + (wb * (b[i] >> 4) >> 16) + 2) >> 2);
    }
}

/* Row y of the result from two rows that are resized horizontally: `above`, `below`. */
INLINE void down(const job *j, int y, const float *above, const float *below)
{
    const size_t n = (size_t)j->dw * (size_t)j->channels, at = (size_t)y * n;
    const float l = j->y.l[y];
    switch (j->rule) {
    case MB_RESAMPLE_CV_F32:
        for (size_t i = 0; i < n; i++) {
            j->dst_f[at + i] = __builtin_fmaf(below[i] - above[i], l, above[i]);
        }
        break;
    case MB_RESAMPLE_CV_TRUNC:
        for (size_t i = 0; i < n; i++) {
            float v = 255.0f * __builtin_fmaf(below[i] - above[i], l, above[i]);
            j->dst_u[at + i] = (uint8_t)(v < 255.0f ? v : 255.0f); /* never negative */
        }
        break;
    case MB_RESAMPLE_CV_U8:
        down_u8(j->dst_u + at, above, below, j->y.k[y], n);
        break;
    case MB_RESAMPLE_CORNERS:
        for (size_t i = 0; i < n; i++) {
            j->dst_f[at + i] = (1.0f - l) * above[i] + l * below[i];
        }
        break;
    case MB_RESAMPLE_NONE:
    case MB_RESAMPLE_TAPS:
        break;
    }
}

/* Rows [begin, end). Two horizontal rows are kept: the next output row often needs one of them again. */
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
        int a = j->y.first[y], b = j->y.other[y];
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

/* The AVX2 copy of the same source gives the same values. */
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

/* Tables, a cache of two rows a worker, rows side by side. */
static mb_status run(const mb_task *task, job *j, mb_error *err)
{
    mb_status status;
    size_t n, all;
    if (j->sw > MB_RESAMPLE_SIDE || j->sh > MB_RESAMPLE_SIDE || j->dw > MB_RESAMPLE_SIDE || j->dh > MB_RESAMPLE_SIDE) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d to %d x %d pixels: the sides are limited to %d", j->sw,
                       j->sh, j->dw, j->dh, MB_RESAMPLE_SIDE);
    }
    MB_TRY(mb_axis_linear(&j->x, j->sw, j->dw, j->rule, false, err));
    MB_TRY(mb_axis_linear(&j->y, j->sh, j->dh, j->rule, true, err));
    if (!mb_mul_size(&n, (size_t)j->dw, (size_t)j->channels * 2) ||
        !mb_mul_size(&all, n, (size_t)mb_task_workers(task)) ||
        (j->cache = mb_alloc_array(all, sizeof *j->cache)) == NULL) {
        MB_TRY(mb_fail_memory(err, (size_t)j->dw * 32, "the rows of a resize"));
    }
    MB_TRY(mb_task_for(task, (size_t)j->dh, ROWS_PER_CHUNK, choose_rows(), j, err));
done:
    mb_free(j->cache);
    mb_axis_dispose(&j->x);
    mb_axis_dispose(&j->y);
    return status;
}

/* ---- entries */

/* An 8-bit picture by one of the two rules of OpenCV. */
static mb_status resize_u8(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, mb_resize_spec size,
                           mb_resample_rule r, mb_error *err)
{
    *out = (mb_image_u8){0};
    if (size.width == src->width && size.height == src->height && r == MB_RESAMPLE_CV_U8) {
        return mb_image_u8_copy(out, src, err); /* the truncating rule is the identity too, but shows it by itself */
    }
    mb_status status = mb_image_u8_create(out, size.width, size.height, src->channels, err);
    if (status != MB_OK) {
        return status;
    }
    job j = {.rule = r, .src_u = src->v, .dst_u = out->v, .channels = src->channels};
    j.sw = src->width;
    j.sh = src->height;
    j.dw = size.width;
    j.dh = size.height;
    status = run(task, &j, err);
    if (status != MB_OK) {
        mb_image_u8_dispose(out);
    }
    return status;
}

mb_status mb_resize_cv_u8(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width, int height,
                          mb_error *err)
{
    return resize_u8(task, out, src, (mb_resize_spec){.width = width, .height = height}, MB_RESAMPLE_CV_U8, err);
}

mb_status mb_resize_cv_trunc(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width, int height,
                             mb_error *err)
{
    return resize_u8(task, out, src, (mb_resize_spec){.width = width, .height = height}, MB_RESAMPLE_CV_TRUNC, err);
}

/* Between two pieces of memory of the caller. */
mb_status mb_resize_cv_f32(const mb_task *task, const mb_floats *dst, const mb_floats *src, mb_error *err)
{
    if (dst->channels != src->channels || dst->channels < 1 || dst->channels > 4 || dst->width < 1 || dst->height < 1 ||
        src->width < 1 || src->height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d x %d to %d x %d x %d values: not possible", src->width,
                       src->height, src->channels, dst->width, dst->height, dst->channels);
    }
    job j = {.rule = MB_RESAMPLE_CV_F32, .src_f = src->v, .dst_f = dst->v, .channels = src->channels};
    j.sw = src->width;
    j.sh = src->height;
    j.dw = dst->width;
    j.dh = dst->height;
    return run(task, &j, err);
}

/* One plane of f32. */
mb_status mb_resize_align_corners(const mb_task *task, mb_image_f32 *out, const float *src, int src_width,
                                  int src_height, int width, int height, mb_error *err)
{
    *out = (mb_image_f32){0};
    if (src_width < 1 || src_height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of a plane of %d x %d values: not possible", src_width, src_height);
    }
    mb_status status = mb_image_f32_create(out, width, height, err);
    if (status != MB_OK) {
        return status;
    }
    job j = {.rule = MB_RESAMPLE_CORNERS, .src_f = src, .dst_f = out->v, .channels = 1};
    j.sw = src_width;
    j.sh = src_height;
    j.dw = width;
    j.dh = height;
    status = run(task, &j, err);
    if (status != MB_OK) {
        mb_image_f32_dispose(out);
    }
    return status;
}
