/* Separable rescaling with a table of taps per axis: a triangle of half-width 1 where the picture grows, the exact
 * area (a box with fractional ends) where it shrinks. f32 rows between the passes; vertical pass first, since a photo
 * usually shrinks and then only width * out_height values are kept. For the library's own working copies, where no
 * other program's pixels have to be matched. The exact area avoids both aliasing and the wider blur of a triangle. */
#include "image/resample/reduce.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <math.h>
#include <string.h>

#define ROWS_PER_CHUNK 8

typedef struct axis_taps {
    int count;     /* taps of every output */
    int *first;    /* [out] */
    float *weight; /* [out][count], zero beyond the last */
} axis_taps;

static void dispose_taps(axis_taps *t)
{
    mb_free(t->first);
    mb_free(t->weight);
}

/* For each output position the first input and its weights: area overlap where the axis shrinks, two linear weights
 * where it grows. Weights of a position sum to 1; taps that fall outside have weight 0 and are not read. */
static mb_status make_taps(axis_taps *t, int in, int out, mb_error *err)
{
    double step = (double)in / out;
    t->count = step > 1 ? (int)ceil(step) + 1 : 2;
    t->first = mb_alloc_array((size_t)out, sizeof *t->first);
    t->weight = mb_calloc((size_t)out, (size_t)t->count * sizeof *t->weight);
    if (!t->first || !t->weight) {
        return mb_fail_memory(err, (size_t)out * (size_t)(t->count + 1) * 4, "rescaling");
    }
    for (int o = 0; o < out; o++) {
        float *w = t->weight + (size_t)o * (size_t)t->count;
        if (step > 1) {
            /* [a, b): what the output pixel covers of the input, in pixels. */
            double a = o * step, b = fmin((o + 1) * step, in);
            t->first[o] = (int)a;
            for (int k = 0; k < t->count; k++) {
                double lo = fmax(a, (int)a + k), hi = fmin(b, (int)a + k + 1);
                w[k] = hi > lo ? (float)((hi - lo) / (b - a)) : 0;
            }
        } else {
            double c = fmin(fmax((o + 0.5) * step - 0.5, 0), in - 1);
            t->first[o] = (int)c;
            w[1] = (float)(c - (int)c);
            w[0] = 1 - w[1];
        }
    }
    return MB_OK;
}

/* Output rows of a rescaling, and one f32 row of the input's width a worker. */
typedef struct rescale_job {
    mb_image_u8 *out;
    const mb_image_u8 *in;
    axis_taps x, y;
    float *rows;
    size_t stride; /* of rows: the input's width, and zeros for the taps that fall outside */
} rescale_job;

/* One output row of the vertical pass: weighted sum of `count` input rows. */
MB_CLONES static void mix_rows(float *row, const mb_image_u8 *in, const axis_taps *t, int o)
{
    size_t n = (size_t)in->width * (size_t)in->channels;
    memset(row, 0, n * sizeof *row);
    for (int k = 0; k < t->count; k++) {
        float w = t->weight[(size_t)o * (size_t)t->count + (size_t)k];
        if (w == 0) {
            continue;
        }
        const uint8_t *v = in->v + (size_t)(t->first[o] + k) * n;
        for (size_t i = 0; i < n; i++) {
            row[i] += w * v[i];
        }
    }
}

/* The horizontal pass of one row of a fixed number of channels: [in width, channels] in f32 to bytes, rounded to nearest.
 * Taps beyond the row meet zeros there. */
static inline void mix_pixels(uint8_t *out, const float *row, const axis_taps *t, int width, const int channels)
{
    for (int o = 0; o < width; o++) {
        const float *w = t->weight + (size_t)o * (size_t)t->count, *from = row + (size_t)(t->first[o] * channels);
        float sum[4] = {0.5f, 0.5f, 0.5f, 0.5f}; /* rounds to nearest when it is cut */
        for (int k = 0; k < t->count; k++, from += channels) {
            for (int c = 0; c < channels; c++) {
                sum[c] += w[k] * from[c];
            }
        }
        for (int c = 0; c < channels; c++) {
            *out++ = (uint8_t)(sum[c] < 255.0f ? sum[c] : 255.0f);
        }
    }
}

static void mix_columns(uint8_t *out, const float *row, const axis_taps *t, int width, int channels)
{
    switch (channels) {
    case 1:
        mix_pixels(out, row, t, width, 1);
        break;
    case 2:
        mix_pixels(out, row, t, width, 2);
        break;
    case 3:
        mix_pixels(out, row, t, width, 3);
        break;
    default:
        mix_pixels(out, row, t, width, 4);
    }
}

/* Rows [begin, end) of the result. */
static void rescale_rows(void *arg, size_t begin, size_t end, int worker)
{
    const rescale_job *j = arg;
    size_t out_row = (size_t)j->out->width * (size_t)j->in->channels;
    float *row = j->rows + (size_t)worker * j->stride;
    for (size_t o = begin; o < end; o++) {
        mix_rows(row, j->in, &j->y, (int)o);
        mix_columns(j->out->v + o * out_row, row, &j->x, j->out->width, j->in->channels);
    }
}

/* Both axes. Rows are independent, so they go to the threads as they are. */
mb_status mb_image_u8_rescale(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *in, int width, int height,
                              mb_error *err)
{
    mb_status status = MB_OK;
    rescale_job j = {.out = out, .in = in};
    *out = (mb_image_u8){0};
    MB_TRY(mb_image_u8_create(out, width, height, in->channels, err));
    if (width == in->width && height == in->height) {
        memcpy(out->v, in->v, (size_t)width * (size_t)height * (size_t)in->channels);
        return MB_OK;
    }
    MB_TRY(make_taps(&j.x, in->width, width, err));
    MB_TRY(make_taps(&j.y, in->height, height, err));
    const size_t workers = (size_t)mb_task_workers(task);
    j.stride = ((size_t)in->width + (size_t)j.x.count) * (size_t)in->channels;
    j.rows = mb_calloc(workers, j.stride * sizeof *j.rows);
    if (j.rows == NULL) {
        status = mb_fail_memory(err, workers * j.stride * sizeof *j.rows, "rescaling");
        goto done;
    }
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, rescale_rows, &j, err));
done:
    dispose_taps(&j.x);
    dispose_taps(&j.y);
    mb_free(j.rows);
    if (status != MB_OK) {
        mb_image_u8_dispose(out);
    }
    return status;
}

/* Scales so that the longer side has at most `side` pixels; never enlarges. Each side keeps at least one pixel. */
mb_status mb_image_u8_reduce(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *in, int side, mb_error *err)
{
    int longer = in->width > in->height ? in->width : in->height;
    double scale = longer > side ? (double)side / longer : 1;
    int width = (int)fmax(round(in->width * scale), 1), height = (int)fmax(round(in->height * scale), 1);
    return mb_image_u8_rescale(task, out, in, width, height, err);
}
