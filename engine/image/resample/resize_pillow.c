/* Pillow's 8-bit resize, bit for bit (docs/models/birefnet.md, "Pillow resize").
 *
 * Separable. Per output position x of an axis: scale = in/out, fs = max(scale, 1), centre (x + 0.5) scale, taps within
 * support * fs of it, weights f((j - centre + 0.5)/fs) normalised to sum 1 in f64, then 22-bit fixed point rounded half
 * away from zero. A pass gives clip8((2^21 + sum k v) >> 22). |k| sums stay below 1.5 * 2^22, so 32 bits hold the sum.
 *
 * The horizontal pass keeps one pixel (up to four channels) in one 4-lane vector, the vertical one runs along the row;
 * both are written with vector types, so the same source serves every processor and the AVX2 copy is only wider. */
#include "image/resample/resize.h"

#include "core/alloc.h"
#include "core/cpu.h"
#include "image/convert.h"
#include "image/resample/resample.h"

#include <string.h>

#define HALF (1 << (MB_RESAMPLE_BITS - 1))

/* ---- passes */

typedef struct pass {
    const mb_axis *taps; /* of the axis that the pass resizes */
    const uint8_t *src;
    uint8_t *dst;
    int src_width, dst_width, channels; /* in pixels */
} pass;

typedef int32_t lanes4 __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));
typedef int32_t lanes8 __attribute__((vector_size(32)));
typedef uint8_t bytes8 __attribute__((vector_size(8)));

#define INLINE static inline __attribute__((always_inline))

/* From fixed point to a byte; the half was added before. Lanczos and bicubic weights overshoot, hence both bounds. */
INLINE uint8_t clip8(int32_t sum)
{
    sum >>= MB_RESAMPLE_BITS; /* arithmetic, as everywhere we build */
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One output pixel of three or four channels. Four bytes are read per tap; `last` says that the last tap is the row's
 * last pixel, of which only the channels may be read (the row may end the picture). */
INLINE lanes4 gather_pixel(const uint8_t *p, const int32_t *k, int n, int channels, bool last)
{
    lanes4 sum = {HALF, HALF, HALF, HALF};
    bytes4 b;
    int safe = last ? n - 1 : n;
    for (int j = 0; j < safe; j++) {
        memcpy(&b, p + j * channels, 4);
        sum += __builtin_convertvector(b, lanes4) * k[j];
    }
    if (last) {
        b = (bytes4){0, 0, 0, 0};
        memcpy(&b, p + safe * channels, (size_t)channels);
        sum += __builtin_convertvector(b, lanes4) * k[safe];
    }
    return sum;
}

/* One row: every output pixel is a weighted sum of neighbours, in fixed point, rounded to 8 bits. */
INLINE void horizontal_row(const pass *p, uint8_t *dst, const uint8_t *src, int channels)
{
    const mb_axis *a = p->taps;
    for (int x = 0; x < a->out; x++) {
        const int32_t *k = a->k + (size_t)x * (size_t)a->most;
        const uint8_t *s = src + (size_t)a->first[x] * (size_t)channels;
        int n = a->other[x];
        if (channels == 1) {
            int32_t sum = HALF;
            for (int j = 0; j < n; j++) {
                sum += k[j] * s[j];
            }
            dst[x] = clip8(sum);
            continue;
        }
        lanes4 sum = gather_pixel(s, k, n, channels, a->first[x] + n == a->in);
        for (int c = 0; c < channels; c++) {
            dst[x * channels + c] = clip8(sum[c]);
        }
    }
}

/* Rows [begin, end) of the horizontal pass. */
INLINE void horizontal_body(const pass *p, size_t begin, size_t end)
{
    for (size_t y = begin; y < end; y++) {
        uint8_t *dst = p->dst + y * (size_t)p->dst_width * (size_t)p->channels;
        const uint8_t *src = p->src + y * (size_t)p->src_width * (size_t)p->channels;
        if (p->channels == 1) { /* a constant number of channels lets the compiler unroll */
            horizontal_row(p, dst, src, 1);
        } else if (p->channels == 3) {
            horizontal_row(p, dst, src, 3);
        } else {
            horizontal_row(p, dst, src, 4);
        }
    }
}

/* 32 neighbouring bytes of one output row at a time: four accumulators that stay in registers. */
INLINE void vertical_block(uint8_t *dst, const uint8_t *src, size_t row, const int32_t *k, int n)
{
    lanes8 sum[4];
    for (int i = 0; i < 4; i++) {
        sum[i] = (lanes8){HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF};
    }
    for (int j = 0; j < n; j++) {
        const uint8_t *s = src + (size_t)j * row;
        for (int i = 0; i < 4; i++) {
            bytes8 b;
            memcpy(&b, s + 8 * i, 8);
            sum[i] += __builtin_convertvector(b, lanes8) * k[j];
        }
    }
    for (int i = 0; i < 4; i++) {
        for (int c = 0; c < 8; c++) {
            dst[8 * i + c] = clip8(sum[i][c]);
        }
    }
}

/* Rows [begin, end): weighted sums of whole rows, 32 bytes at a time. */
INLINE void vertical_body(const pass *p, size_t begin, size_t end)
{
    const mb_axis *a = p->taps;
    const size_t row = (size_t)p->src_width * (size_t)p->channels;
    for (size_t y = begin; y < end; y++) {
        const int32_t *k = a->k + y * (size_t)a->most;
        const uint8_t *src = p->src + (size_t)a->first[y] * row;
        uint8_t *dst = p->dst + y * row;
        size_t x = 0;
        /* Channels do not matter here: every byte of a row has the same weights. */
        for (; x + 32 <= row; x += 32) {
            vertical_block(dst + x, src + x, row, k, a->other[y]);
        }
        for (; x < row; x++) {
            int32_t sum = HALF;
            for (int j = 0; j < a->other[y]; j++) {
                sum += k[j] * src[(size_t)j * row + x];
            }
            dst[x] = clip8(sum);
        }
    }
}

static void horizontal_generic(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    horizontal_body(arg, begin, end);
}

static void vertical_generic(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    vertical_body(arg, begin, end);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void horizontal_avx2(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    horizontal_body(arg, begin, end);
}

__attribute__((target("avx2"))) static void vertical_avx2(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    vertical_body(arg, begin, end);
}

/* The copy that this processor runs; MATTEBOX_ISA may hold it back. */
static mb_range_fn choose(mb_range_fn generic, mb_range_fn avx2)
{
    mb_isa isa;
    return mb_cpu_choose_isa(&isa, NULL) == MB_OK && isa >= MB_ISA_AVX2 ? avx2 : generic;
}
#define CHOOSE(name) choose(name##_generic, name##_avx2)
#else
#define CHOOSE(name) name##_generic
#endif

/* One axis: `size` is its new length. */
static mb_status run_pass(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int size, bool vertical,
                          mb_filter filter, mb_error *err)
{
    mb_status status;
    mb_axis a = {0};
    MB_TRY(mb_axis_taps(&a, vertical ? src->height : src->width, size, filter, err));
    MB_TRY(mb_image_u8_create(out, vertical ? src->width : size, vertical ? size : src->height, src->channels, err));
    pass p = {&a, src->v, out->v, src->width, out->width, src->channels};
    MB_TRY(mb_task_for(task, (size_t)out->height, 16, vertical ? CHOOSE(vertical) : CHOOSE(horizontal), &p, err));
done:
    mb_axis_dispose(&a);
    return status;
}

/* ---- nearest: the source position is accumulated in f64, as Pillow does; a product would move ties */

/* For each output position the input it copies. */
static mb_status nearest_index(int **out, int in, int n, mb_error *err)
{
    int *index = *out = mb_alloc_array((size_t)n, sizeof *index);
    if (index == NULL) {
        return mb_fail_memory(err, (size_t)n * sizeof *index, "a resize");
    }
    double scale = (double)in / (double)n, position = scale * 0.5;
    for (int x = 0; x < n; x++, position += scale) {
        int at = (int)position;
        index[x] = at < in ? at : in - 1;
    }
    return MB_OK;
}

/* Pixels are copied, never mixed. */
static mb_status nearest(mb_image_u8 *out, const mb_image_u8 *src, int width, int height, mb_error *err)
{
    mb_status status;
    int *xs = NULL, *ys = NULL;
    const size_t c = (size_t)src->channels;
    MB_TRY(nearest_index(&xs, src->width, width, err));
    MB_TRY(nearest_index(&ys, src->height, height, err));
    MB_TRY(mb_image_u8_create(out, width, height, src->channels, err));
    for (int y = 0; y < height; y++) {
        const uint8_t *s = src->v + (size_t)ys[y] * (size_t)src->width * c;
        uint8_t *d = out->v + (size_t)y * (size_t)width * c;
        for (int x = 0; x < width; x++, d += c) {
            memcpy(d, s + (size_t)xs[x] * c, c);
        }
    }
done:
    mb_free(xs);
    mb_free(ys);
    return status;
}

/* Older versions of Pillow always begin with the horizontal pass. */
static bool vertical_first(const mb_image_u8 *src, const mb_resize_spec *s)
{
    return s->order == MB_PASSES_PILLOW_13 &&
           mb_resample_vertical_first((mb_resample_sizes){src->width, src->height, s->width, s->height});
}

/* Both passes in the order of the Pillow version, or one where a side keeps its length. */
mb_status mb_resize_pillow_as(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, const mb_resize_spec *s,
                              mb_error *err)
{
    *out = (mb_image_u8){0};
    if (s->width < 1 || s->height < 1 || (unsigned)s->filter >= MB_FILTER_COUNT) {
        return mb_fail(err, MB_E_ARGUMENT, "resize to %d x %d pixels with filter %d: not possible", s->width, s->height,
                       (int)s->filter);
    }
    if (s->width > MB_RESAMPLE_SIDE || s->height > MB_RESAMPLE_SIDE || src->width > MB_RESAMPLE_SIDE ||
        src->height > MB_RESAMPLE_SIDE) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d to %d x %d pixels: the sides are limited to %d",
                       src->width, src->height, s->width, s->height, MB_RESAMPLE_SIDE);
    }
    const bool across = s->width != src->width, down = s->height != src->height;
    if (!across && !down) {
        return mb_image_u8_copy(out, src, err);
    }
    if (s->filter == MB_FILTER_NEAREST) {
        return nearest(out, src, s->width, s->height, err);
    }
    if (!across || !down) {
        return run_pass(task, out, src, down ? s->height : s->width, down, s->filter, err);
    }
    mb_status status;
    mb_image_u8 between = {0};
    bool vertical = vertical_first(src, s);
    MB_TRY(run_pass(task, &between, src, vertical ? s->height : s->width, vertical, s->filter, err));
    MB_TRY(run_pass(task, out, &between, vertical ? s->width : s->height, !vertical, s->filter, err));
done:
    mb_image_u8_dispose(&between);
    return status;
}

/* In the order of passes of Pillow 13. */
mb_status mb_resize_pillow(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *src, int width, int height,
                           mb_filter filter, mb_error *err)
{
    mb_resize_spec spec = {width, height, filter, MB_PASSES_PILLOW_13};
    return mb_resize_pillow_as(task, out, src, &spec, err);
}
