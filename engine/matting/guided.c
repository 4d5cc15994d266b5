/* The guided filter's front: checks, LayerStyle's radius, and the fast variant (coefficients at a smaller size, He and
 * Sun 2015). docs/models/refine.md section 5. */
#include "matting/guided.h"

#include "core/alloc.h"
#include "matting/guided_core.h"
#include "options/options.h"

/* LayerStyle's formula; odd, as its window is. */
int mb_guided_layerstyle_radius(int erode, int dilate)
{
    int r = (erode + dilate) / 6 + 2;
    return r % 2 == 0 ? r + 1 : r;
}

/* Bilinear sampling of one axis: half-pixel centres, clamped edges, no antialiasing. */
typedef struct tap {
    int a, b;
    float t; /* weight of b */
} tap;

/* Position i of n_dst, seen in n_src samples. */
static tap tap_of(int i, int n_dst, int n_src)
{
    double c = ((double)i + 0.5) * ((double)n_src / (double)n_dst) - 0.5;
    double f = floor(c);
    int a = (int)f, b = a + 1;
    float t = (float)(c - f);
    a = a < 0 ? 0 : a;
    b = b < n_src ? b : n_src - 1;
    return (tap){a < n_src ? a : n_src - 1, b, t};
}

typedef struct shrink_job {
    const mb_image_view *src;
    float *dst; /* [h][w][channels] */
    int width, height, channels;
} shrink_job;

/* Rows [begin, end) of the small copy: bilinear samples of the source. */
static void shrink_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const shrink_job *j = arg;
    size_t c = (size_t)j->channels, sc = (size_t)j->src->channels, sw = (size_t)j->src->width;
    for (size_t y = begin; y < end; y++) {
        tap v = tap_of((int)y, j->height, j->src->height);
        for (int x = 0; x < j->width; x++) {
            tap h = tap_of(x, j->width, j->src->width);
            for (size_t k = 0; k < c; k++) {
                size_t up = (size_t)v.a * sw, down = (size_t)v.b * sw;
                float a = mb_image_view_at(j->src, (up + (size_t)h.a) * sc + k);
                float b = mb_image_view_at(j->src, (up + (size_t)h.b) * sc + k);
                float p = mb_image_view_at(j->src, (down + (size_t)h.a) * sc + k);
                float q = mb_image_view_at(j->src, (down + (size_t)h.b) * sc + k);
                float top = a + (b - a) * h.t, bottom = p + (q - p) * h.t;
                j->dst[(y * (size_t)j->width + (size_t)x) * c + k] = top + (bottom - top) * v.t;
            }
        }
    }
}

/* *owned: the memory of *out, which the caller frees. */
static mb_status shrink(const mb_task *task, mb_image_view *out, float **owned, const mb_image_view *src,
                        const mb_image_view *size, mb_error *err)
{
    size_t pixels, bytes;
    int channels = src->channels == 1 ? 1 : 3;
    if (!mb_mul_size(&pixels, (size_t)size->width, (size_t)size->height) ||
        !mb_mul_size(&bytes, pixels, (size_t)channels * sizeof(float))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", size->width, size->height);
    }
    *owned = mb_alloc_aligned(bytes);
    if (*owned == NULL) {
        return mb_fail_memory(err, bytes, "the guided filter's small picture");
    }
    shrink_job j = {src, *owned, size->width, size->height, channels};
    mb_status status = mb_task_for(task, (size_t)size->height, 16, shrink_rows, &j, err);
    *out = (mb_image_view){size->width, size->height, channels, NULL, *owned};
    return status;
}

typedef struct apply_job {
    const mb_image_view *guide, *small; /* small: size of `means` */
    const float *means;
    float *result;
} apply_job;

/* Rows [begin, end) of the result: coefficients [h,w,4] enlarged bilinearly, times the guide of the full size. */
static void apply_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const apply_job *j = arg;
    size_t w = (size_t)j->guide->width, sw = (size_t)j->small->width, channels = (size_t)j->guide->channels;
    for (size_t y = begin; y < end; y++) {
        tap v = tap_of((int)y, j->guide->height, j->small->height);
        const float *up = j->means + (size_t)v.a * sw * 4, *down = j->means + (size_t)v.b * sw * 4;
        for (size_t x = 0; x < w; x++) {
            tap h = tap_of((int)x, j->guide->width, j->small->width);
            float m[4];
            for (size_t k = 0; k < 4; k++) {
                float a = up[(size_t)h.a * 4 + k], b = up[(size_t)h.b * 4 + k];
                float p = down[(size_t)h.a * 4 + k], q = down[(size_t)h.b * 4 + k];
                float top = a + (b - a) * h.t, bottom = p + (q - p) * h.t;
                m[k] = top + (bottom - top) * v.t;
            }
            float sum = m[3];
            for (size_t k = 0; k < 3; k++) {
                sum += m[k] * mb_image_view_at(j->guide, (y * w + x) * channels + (channels == 1 ? 0 : k));
            }
            j->result[y * w + x] = sum;
        }
    }
}

/* Coefficients at a smaller size, applied at the full one. */
static mb_status fast(const mb_task *task, mb_image_f32 *out, const mb_guided_job *full, double scale, mb_error *err)
{
    mb_image_view size = {.width = (int)(scale * full->guide.width), .height = (int)(scale * full->guide.height)};
    size.width = size.width > 1 ? size.width : 1;
    size.height = size.height > 1 ? size.height : 1;
    float *guide = NULL, *source = NULL, *means = NULL;
    mb_guided_job job = *full;
    const mb_task filter = mb_task_part(task, 0.2, 0.5);
    mb_status status = MB_OK;
    MB_TRY(shrink(task, &job.guide, &guide, &full->guide, &size, err));
    MB_TRY(shrink(task, &job.source, &source, &full->source, &size, err));
    size_t bytes = (size_t)size.width * (size_t)size.height * 4 * sizeof(float); /* shrink() checked nearly this */
    means = mb_alloc_aligned(bytes);
    if (means == NULL) {
        status = mb_fail_memory(err, bytes, "the guided filter's coefficients");
        goto done;
    }
    job.result = NULL;
    job.means = means;
    MB_TRY(mb_guided_stream(&filter, &job, err));
    apply_job apply = {&full->guide, &size, means, out->v};
    MB_TRY(mb_task_for(task, (size_t)out->height, 16, apply_rows, &apply, err));
done:
    mb_free_aligned(guide);
    mb_free_aligned(source);
    mb_free_aligned(means);
    return status;
}

/* Ranges and sizes; NaN is refused too. */
static mb_status check(const mb_image_view *guide, const mb_image_view *source, const mb_guided_options *o,
                       mb_error *err)
{
    mb_status status = MB_OK;
    /* 0 of the option is an automatic radius, which the caller has worked out: here it is out of range. */
    MB_TRY(mb_option_check(MB_OPTION_guided_radius, o->radius != 0 ? o->radius : -1, err));
    MB_TRY(mb_option_check(MB_OPTION_guided_eps, o->eps, err));
    MB_TRY(mb_option_check(MB_OPTION_guided_scale, o->scale, err));
    if (guide->width != source->width || guide->height != source->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the mask is %d x %d, the photo %d x %d\nboth must have one size",
                       source->width, source->height, guide->width, guide->height);
    }
done:
    return status;
}

/* Checks, then the exact or the fast variant into one plane. */
mb_status mb_guided_filter(const mb_task *task, mb_image_f32 *out, const mb_image_view *guide,
                           const mb_image_view *source, const mb_guided_options *o, mb_error *err)
{
    *out = (mb_image_f32){0};
    mb_status status = check(guide, source, o, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_image_f32_create(out, guide->width, guide->height, err);
    if (status != MB_OK) {
        return status;
    }
    /* A grey guide as three equal channels with 3 eps: a_k = c / (3 v + 3 eps) each, together c / (v + eps). */
    mb_guided_job job = {*guide, *source, o->radius, guide->channels == 1 ? 3.0 * o->eps : o->eps, out->v, NULL};
    status = o->scale < 1.0 ? fast(task, out, &job, o->scale, err) : mb_guided_stream(task, &job, err);
    if (status != MB_OK) {
        mb_image_f32_dispose(out);
    }
    return status;
}
