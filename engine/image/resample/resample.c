/* Tables of resizes: Pillow's taps, and the positions and weights of the bilinear rules. Formulas:
 * docs/models/birefnet.md, "Pillow resize" and "Pre- and post-processing". */
#include "image/resample/resample.h"

#include "core/alloc.h"

#include <math.h>

#define PI 3.14159265358979323846

/* ---- filters: f(t) for |t| within the support */

static double box(double t)
{
    return t >= -0.5 && t <= 0.5 ? 1.0 : 0.0;
}

static double triangle(double t)
{
    t = fabs(t);
    return t < 1.0 ? 1.0 - t : 0.0;
}

/* Keys' cubic with a = -0.5. */
static double cubic(double t)
{
    const double a = -0.5;
    t = fabs(t);
    if (t < 1.0) {
        return ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    }
    return t < 2.0 ? (((t - 5.0) * t + 8.0) * t - 4.0) * a : 0.0;
}

static double sinc(double t)
{
    return t == 0.0 ? 1.0 : sin(t * PI) / (t * PI);
}

static double lanczos3(double t)
{
    return t >= -3.0 && t < 3.0 ? sinc(t) * sinc(t / 3.0) : 0.0;
}

typedef struct filter_row {
    double (*value)(double);
    double support;
} filter_row;

static const filter_row filters[MB_FILTER_COUNT] = {
    [MB_FILTER_NEAREST] = {NULL, 0.0},  [MB_FILTER_BOX] = {box, 0.5},          [MB_FILTER_BILINEAR] = {triangle, 1.0},
    [MB_FILTER_BICUBIC] = {cubic, 2.0}, [MB_FILTER_LANCZOS] = {lanczos3, 3.0},
};

/* ---- axes */

void mb_axis_dispose(mb_axis *a)
{
    mb_free(a->first);
    mb_free(a->other);
    mb_free(a->k);
    mb_free(a->l);
    *a = (mb_axis){0};
}

static int32_t to_fixed(double w)
{
    return (int32_t)(w * (double)(1 << MB_RESAMPLE_BITS) + (w < 0.0 ? -0.5 : 0.5));
}

/* Pillow's weights: the filter at the distance of each input pixel from the centre, widened where the axis shrinks,
 * normalised to 1, in fixed point. */
static void axis_fill(mb_axis *a, const filter_row *f, double *w)
{
    const double scale = (double)a->in / (double)a->out;
    const double stretch = scale > 1.0 ? scale : 1.0;
    const double support = f->support * stretch, inverse = 1.0 / stretch;
    for (int x = 0; x < a->out; x++) {
        double centre = ((double)x + 0.5) * scale, sum = 0.0;
        int from = (int)(centre - support + 0.5), to = (int)(centre + support + 0.5);
        from = from > 0 ? from : 0;
        to = to < a->in ? to : a->in;
        for (int j = from; j < to; j++) {
            w[j - from] = f->value(((double)j - centre + 0.5) * inverse);
            sum += w[j - from];
        }
        a->first[x] = from;
        a->other[x] = to - from;
        int32_t *k = a->k + (size_t)x * (size_t)a->most;
        for (int j = 0; j < to - from; j++) {
            k[j] = to_fixed(sum != 0.0 ? w[j] / sum : w[j]);
        }
    }
}

/* For every output position its first input, how many, and their weights in fixed point; `most` is the room of one. */
mb_status mb_axis_taps(mb_axis *a, int in, int n, mb_filter filter, mb_error *err)
{
    mb_status status = MB_OK;
    const filter_row *f = &filters[filter];
    double stretch = in > n ? (double)in / (double)n : 1.0;
    *a = (mb_axis){.in = in, .out = n, .most = (int)ceil(f->support * stretch) * 2 + 1};
    size_t n_k;
    double *w = mb_alloc_array((size_t)a->most, sizeof *w);
    a->first = mb_alloc_array((size_t)n, sizeof *a->first);
    a->other = mb_alloc_array((size_t)n, sizeof *a->other);
    a->k = mb_mul_size(&n_k, (size_t)n, (size_t)a->most) ? mb_alloc_array(n_k, sizeof *a->k) : NULL;
    if (w == NULL || a->first == NULL || a->other == NULL || a->k == NULL) {
        MB_TRY(mb_fail_memory(err, (size_t)n * (size_t)a->most * sizeof *a->k, "the taps of a resize"));
    }
    axis_fill(a, f, w);
done:
    mb_free(w);
    if (status != MB_OK) {
        mb_axis_dispose(a);
    }
    return status;
}

/* c = (o + 0.5) in/out - 0.5; i = floor(c), l = c - i, clamped at both ends. In f64, as OpenCV's f32 path. */
static void half_pixel(mb_axis *t, int in, int out)
{
    const double scale = (double)in / (double)out;
    for (int o = 0; o < out; o++) {
        double c = ((double)o + 0.5) * scale - 0.5, whole = floor(c);
        int i = (int)whole;
        bool outside = i < 0 || i >= in - 1;
        t->first[o] = i < 0 ? 0 : i < in - 1 ? i : in - 1;
        t->other[o] = outside ? t->first[o] : i + 1;
        t->l[o] = outside ? 0.0f : (float)(c - whole);
    }
}

/* The 8-bit path: c is rounded to f32 before it is split, the scale is a reciprocal of a quotient, and rows keep their
 * l where they are clamped (both rows are the same there, but each product is rounded on its own). */
static void half_pixel_u8(mb_axis *t, int in, int out, bool vertical)
{
    const double scale = 1.0 / ((double)out / (double)in);
    for (int o = 0; o < out; o++) {
        float c = (float)(((double)o + 0.5) * scale - 0.5), whole = floorf(c);
        int i = (int)whole;
        bool outside = i < 0 || i >= in - 1;
        t->first[o] = i < 0 ? 0 : i < in - 1 ? i : in - 1;
        t->other[o] = outside ? t->first[o] : i + 1;
        t->l[o] = outside && !vertical ? 0.0f : c - whole;
        t->k[o] = (int32_t)lrintf(t->l[o] * 2048.0f);
    }
}

/* r = (in-1)/(out-1), p = r o, i = trunc(p), l = p - i: all in f32, as PyTorch does. */
static void corners(mb_axis *t, int in, int out)
{
    const float r = out > 1 ? (float)(in - 1) / (float)(out - 1) : 0.0f;
    for (int o = 0; o < out; o++) {
        float p = r * (float)o;
        int i = (int)p;
        i = i < in - 1 ? i : in - 1;
        t->first[o] = i;
        t->other[o] = i < in - 1 ? i + 1 : i;
        t->l[o] = p - (float)i;
    }
}

/* Two neighbours and the weight of the second for each output position, by the rule of one of three libraries. */
mb_status mb_axis_linear(mb_axis *t, int in, int n, mb_resample_rule rule, bool vertical, mb_error *err)
{
    *t = (mb_axis){.in = in, .out = n};
    t->first = mb_alloc_array((size_t)n, sizeof *t->first);
    t->other = mb_alloc_array((size_t)n, sizeof *t->other);
    t->l = mb_alloc_array((size_t)n, sizeof *t->l);
    t->k = rule == MB_RESAMPLE_CV_U8 ? mb_alloc_array((size_t)n, sizeof *t->k) : NULL;
    if (t->first == NULL || t->other == NULL || t->l == NULL || (rule == MB_RESAMPLE_CV_U8 && t->k == NULL)) {
        mb_axis_dispose(t);
        return mb_fail_memory(err, (size_t)n * 12, "the taps of a resize");
    }
    if (rule == MB_RESAMPLE_CORNERS) {
        corners(t, in, n);
    } else if (rule == MB_RESAMPLE_CV_U8) {
        half_pixel_u8(t, in, n, vertical);
    } else {
        half_pixel(t, in, n);
    }
    return MB_OK;
}

/* ---- both axes */

void mb_resample_dispose(mb_resample *r)
{
    mb_axis_dispose(&r->x);
    mb_axis_dispose(&r->y);
    *r = (mb_resample){0};
}

bool mb_resample_vertical_first(mb_resample_sizes s)
{
    int64_t dw = (int64_t)s.width - s.out_width, dh = (int64_t)s.height - s.out_height;
    return dh > 0 && dh > 2 * dw;
}

/* Checked sizes, then the tables of both axes. */
mb_status mb_resample_create(mb_resample *r, mb_resample_rule rule, mb_resample_sizes s, mb_filter filter,
                             mb_error *err)
{
    mb_status status = MB_OK;
    const bool across = s.width != s.out_width, down = s.height != s.out_height;
    *r = (mb_resample){.rule = rule};
    if (s.width < 1 || s.height < 1 || s.out_width < 1 || s.out_height < 1 || s.width > MB_RESAMPLE_SIDE ||
        s.height > MB_RESAMPLE_SIDE || s.out_width > MB_RESAMPLE_SIDE || s.out_height > MB_RESAMPLE_SIDE) {
        return mb_fail(err, MB_E_ARGUMENT, "resize of %d x %d to %d x %d pixels: not possible", s.width, s.height,
                       s.out_width, s.out_height);
    }
    if (!across && !down && (rule == MB_RESAMPLE_TAPS || rule == MB_RESAMPLE_CV_U8)) {
        r->rule = MB_RESAMPLE_NONE;
    }
    if (r->rule == MB_RESAMPLE_TAPS) { /* an axis whose size stays has no tables */
        r->vertical_first = mb_resample_vertical_first(s);
        if (across) {
            MB_TRY(mb_axis_taps(&r->x, s.width, s.out_width, filter, err));
        }
        if (down) {
            MB_TRY(mb_axis_taps(&r->y, s.height, s.out_height, filter, err));
        }
    } else if (r->rule != MB_RESAMPLE_NONE) {
        MB_TRY(mb_axis_linear(&r->x, s.width, s.out_width, rule, false, err));
        MB_TRY(mb_axis_linear(&r->y, s.height, s.out_height, rule, true, err));
    }
    r->x.in = s.width;
    r->x.out = s.out_width;
    r->y.in = s.height;
    r->y.out = s.out_height;
done:
    if (status != MB_OK) {
        mb_resample_dispose(r);
    }
    return status;
}
