/* Recipes: a table of how each resizes on the way in and back, and the two functions that follow it. */
#include "image/resample/recipe.h"

#include "core/sigmoid.h"
#include "image/convert.h"
#include "image/resample/resize.h"

#include <stdbool.h>

#define GRAIN 65536

typedef enum resize_kind { RESIZE_CV_TRUNC, RESIZE_CV_U8, RESIZE_PILLOW, RESIZE_ALIGNED } resize_kind;

typedef struct row {
    const char *description;
    resize_kind in, back;
    mb_filter filter_in, filter_back; /* where the resize is Pillow's */
    float brightness;
    bool by_maximum; /* in: divided by the picture's largest value; back: stretched to the full range */
} row;

static const row rows[] = {
    [MB_RECIPE_AUTO] = {"what fits the model: layerstyle for v1, modelcard for v2", RESIZE_PILLOW, RESIZE_PILLOW, 0, 0,
                        0, false},
    [MB_RECIPE_LAYERSTYLE] = {"the node BiRefNetUltra: bilinear in f32, truncated; brightness 1.01", RESIZE_CV_TRUNC,
                              RESIZE_ALIGNED, 0, 0, 1.01f, false},
    [MB_RECIPE_LAYERSTYLE_V2] = {"the node BiRefNetUltraV2: Pillow bilinear both ways; brightness 1.08", RESIZE_PILLOW,
                                 RESIZE_PILLOW, MB_FILTER_BILINEAR, MB_FILTER_BILINEAR, 1.08f, false},
    [MB_RECIPE_MODELCARD] = {"the model card: Pillow bilinear in, bicubic back", RESIZE_PILLOW, RESIZE_PILLOW,
                             MB_FILTER_BILINEAR, MB_FILTER_BICUBIC, 1.0f, false},
    [MB_RECIPE_OFFICIAL] = {"the official inference script: OpenCV bilinear in, aligned bilinear back", RESIZE_CV_U8,
                            RESIZE_ALIGNED, 0, 0, 1.0f, false},
    [MB_RECIPE_REMBG] = {"rembg: Lanczos both ways, mask stretched to its full range", RESIZE_PILLOW, RESIZE_PILLOW,
                         MB_FILTER_LANCZOS, MB_FILTER_LANCZOS, 1.0f, true},
};

static const row *find(int recipe)
{
    return recipe >= 0 && recipe < (int)(sizeof rows / sizeof *rows) ? &rows[recipe] : NULL;
}

const char *mb_recipe_description(int recipe)
{
    const row *r = find(recipe);
    return r != NULL ? r->description : NULL;
}

static mb_status check_recipe(int recipe, mb_error *err)
{
    return recipe != MB_RECIPE_AUTO && find(recipe) != NULL
               ? MB_OK
               : mb_fail(err, MB_E_ARGUMENT, "unknown recipe number %d", recipe);
}

/* ---- in */

typedef struct normalise_job {
    float table[3][256];
    const uint8_t *src;
    float *dst;
} normalise_job;

/* Pixels [begin, end) through the tables of their channels. */
static void normalise_pixels(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const normalise_job *j = arg;
    for (size_t i = begin; i < end; i++) {
        const uint8_t *p = j->src + 3 * i;
        float *q = j->dst + 3 * i;
        q[0] = j->table[0][p[0]];
        q[1] = j->table[1][p[1]];
        q[2] = j->table[2][p[2]];
    }
}

/* (v/255 - mean)/std, every step rounded to f32. */
static void unit_table(float table[3][256], const mb_recipe_input *to)
{
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            float centred = mb_from8((uint8_t)v) - to->mean[c];
            table[c][v] = centred / to->std[c];
        }
    }
}

/* rembg computes in f64, on v / max(v), and rounds at the end. Its means are decimal numbers, ours their f32: the last
 * bit of the result may differ. */
static void maximum_table(normalise_job *j, const mb_recipe_input *to, size_t n)
{
    uint8_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = j->src[i] > largest ? j->src[i] : largest;
    }
    const double by = largest > 0 ? (double)largest : 1e-6;
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            j->table[c][v] = (float)(((double)v / by - (double)to->mean[c]) / (double)to->std[c]);
        }
    }
}

/* Photo [H,W,3] to the network's input [h,w,3]: resized by the recipe's rule, then normalised through a table of 256
 * values a channel. */
mb_status mb_recipe_prepare(const mb_task *task, const mb_recipe_input *to, const mb_image_u8 *photo, mb_error *err)
{
    mb_image_u8 small = {0};
    mb_status status;
    MB_TRY(check_recipe((int)to->recipe, err));
    if (photo->channels != 3 || to->width < 1 || to->height < 1) {
        MB_TRY(mb_fail(err, MB_E_ARGUMENT, "a photo of %d channels for a network of %d x %d: not possible",
                       photo->channels, to->width, to->height));
    }
    const row *r = find((int)to->recipe);
    if (r->in == RESIZE_CV_TRUNC) {
        MB_TRY(mb_resize_cv_trunc(task, &small, photo, to->width, to->height, err));
    } else if (r->in == RESIZE_CV_U8) {
        MB_TRY(mb_resize_cv_u8(task, &small, photo, to->width, to->height, err));
    } else {
        MB_TRY(mb_resize_pillow(task, &small, photo, to->width, to->height, r->filter_in, err));
    }
    const size_t n = (size_t)to->width * (size_t)to->height;
    normalise_job job = {.src = small.v, .dst = to->input};
    if (r->by_maximum) {
        maximum_table(&job, to, 3 * n);
    } else {
        unit_table(job.table, to);
    }
    MB_TRY(mb_task_for(task, n, GRAIN, normalise_pixels, &job, err));
done:
    mb_image_u8_dispose(&small);
    return status;
}

/* ---- back */

typedef struct sigmoid_job {
    const float *src;
    float *dst;
} sigmoid_job;

/* Values [begin, end) of the logits. */
static void sigmoid_values(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const sigmoid_job *j = arg;
    for (size_t i = begin; i < end; i++) {
        j->dst[i] = mb_sigmoid_exact(j->src[i]);
    }
}

/* (p - min)/(max - min); a constant map stays as it is. */
static void stretch(mb_image_f32 *p)
{
    const size_t n = (size_t)p->width * (size_t)p->height;
    float low = p->v[0], high = p->v[0];
    for (size_t i = 1; i < n; i++) {
        low = p->v[i] < low ? p->v[i] : low;
        high = p->v[i] > high ? p->v[i] : high;
    }
    const float range = high - low;
    if (range > 0.0f) {
        for (size_t i = 0; i < n; i++) {
            p->v[i] = (p->v[i] - low) / range;
        }
    }
}

/* Enlarged in f32 with aligned corners, then truncated to 8 bits: the original order of steps. */
static mb_status finish_aligned(const mb_task *task, mb_image_u8 *mask, mb_image_f32 *mask_f32,
                                const mb_image_f32 *small, const mb_recipe_output *from, mb_error *err)
{
    mb_image_f32 large = {0};
    mb_status status;
    const float brightness = find((int)from->recipe)->brightness;
    MB_TRY(mb_resize_align_corners(task, &large, small->v, small->width, small->height, from->photo_width,
                                   from->photo_height, err));
    MB_TRY(mb_image_u8_from_f32(mask, &large, err));
    if (mask_f32 != NULL) {
        const size_t n = (size_t)large.width * (size_t)large.height;
        for (size_t i = 0; i < n; i++) {
            float v = large.v[i] * brightness;
            large.v[i] = v < 1.0f ? v : 1.0f;
        }
        *mask_f32 = large;
        large = (mb_image_f32){0};
    }
done:
    mb_image_f32_dispose(&large);
    return status;
}

/* Rounded to 8 bits first, then enlarged: the original order of steps. */
static mb_status finish_pillow(const mb_task *task, mb_image_u8 *mask, const mb_image_f32 *small,
                               const mb_recipe_output *from, mb_error *err)
{
    mb_image_u8 bytes = {0};
    mb_status status;
    MB_TRY(mb_image_u8_from_f32(&bytes, small, err));
    MB_TRY(mb_resize_pillow(task, mask, &bytes, from->photo_width, from->photo_height,
                            find((int)from->recipe)->filter_back, err));
done:
    mb_image_u8_dispose(&bytes);
    return status;
}

/* Logits [h,w] to the mask [H,W]: sigmoid, stretched to 0 .. 1 if the recipe does that, enlarged, brightened. */
mb_status mb_recipe_finish(const mb_task *task, mb_image_u8 *mask, mb_image_f32 *mask_f32, const mb_recipe_output *from,
                           mb_error *err)
{
    mb_image_f32 small = {0};
    mb_status status;
    *mask = (mb_image_u8){0};
    if (mask_f32 != NULL) {
        *mask_f32 = (mb_image_f32){0};
    }
    MB_TRY(check_recipe((int)from->recipe, err));
    const row *r = find((int)from->recipe);
    MB_TRY(mb_image_f32_create(&small, from->width, from->height, err));
    sigmoid_job job = {from->logits, small.v};
    MB_TRY(mb_task_for(task, (size_t)from->width * (size_t)from->height, GRAIN, sigmoid_values, &job, err));
    if (r->by_maximum) {
        stretch(&small);
    }
    if (r->back == RESIZE_ALIGNED) {
        MB_TRY(finish_aligned(task, mask, mask_f32, &small, from, err));
    } else {
        MB_TRY(finish_pillow(task, mask, &small, from, err));
    }
    if (r->brightness != 1.0f) {
        mb_brighten8(mask->v, (size_t)mask->width * (size_t)mask->height, r->brightness);
    }
    if (mask_f32 != NULL && mask_f32->v == NULL) {
        MB_TRY(mb_image_f32_from_u8(mask_f32, mask, err));
    }
done:
    mb_image_f32_dispose(&small);
    if (status != MB_OK) {
        mb_image_u8_dispose(mask);
        if (mask_f32 != NULL) {
            mb_image_f32_dispose(mask_f32);
        }
    }
    return status;
}

/* ---- as numbers */

/* The same rule by the name that resample.h has for it. */
static mb_resample_rule rule_of(resize_kind kind)
{
    static const mb_resample_rule rules[] = {[RESIZE_CV_TRUNC] = MB_RESAMPLE_CV_TRUNC,
                                             [RESIZE_CV_U8] = MB_RESAMPLE_CV_U8,
                                             [RESIZE_PILLOW] = MB_RESAMPLE_TAPS,
                                             [RESIZE_ALIGNED] = MB_RESAMPLE_CORNERS};
    return rules[kind];
}

void mb_recipe_numbers_dispose(mb_recipe_numbers *n)
{
    mb_resample_dispose(&n->in);
    mb_resample_dispose(&n->back);
    *n = (mb_recipe_numbers){0};
}

/* The same recipe as tables and taps, for a device that does the two steps itself. */
mb_status mb_recipe_numbers_create(mb_recipe_numbers *out, const mb_recipe_input *to, int photo_width, int photo_height,
                                   mb_error *err)
{
    mb_status status;
    *out = (mb_recipe_numbers){0};
    MB_TRY(check_recipe((int)to->recipe, err));
    const row *r = find((int)to->recipe);
    MB_TRY(mb_resample_create(&out->in, rule_of(r->in),
                              (mb_resample_sizes){photo_width, photo_height, to->width, to->height}, r->filter_in,
                              err));
    MB_TRY(mb_resample_create(&out->back, rule_of(r->back),
                              (mb_resample_sizes){to->width, to->height, photo_width, photo_height}, r->filter_back,
                              err));
    unit_table(out->table, to);
    out->by_maximum = r->by_maximum;
    out->brightens = r->brightness != 1.0f;
    mb_brighten_table(out->brightness, r->brightness);
done:
    if (status != MB_OK) {
        mb_recipe_numbers_dispose(out);
    }
    return status;
}
