/* What becomes of alpha: components dropped, inverted, foreground colours, background, crop. 8 bits and 16 bits take
 * the same steps; with 16 bits alpha exists in f32 too (l->fine), and colours are f32 until the last step. */
#include "pipeline/compose_stage.h"

#include "core/alloc.h"
#include "image/compose/backdrop.h"
#include "image/compose/compose.h"
#include "image/convert.h"
#include "image/compose/layers.h"
#include "image/connected_components.h"
#include "image/feather.h"
#include "matting/foreground.h"

#include <string.h>

#define VISIBLE 13 /* of 255: what a crop keeps */

int mb_compose_stage_depth(const mb_options *o, const mb_image *photo)
{
    return o->depth != 0 ? o->depth : photo->depth == MB_DEPTH_U8 ? 8 : 16;
}

static double largest_of(double a, double b)
{
    return a > b ? a : b;
}

/* Of the background's blur, in pixels. */
static double blur_sigma(const mb_options *o, int width, int height)
{
    const double sigma = o->background_blur > 0 ? o->background_blur : 0.02 * (width > height ? width : height);
    return sigma > 0.3 ? sigma : 0.3;
}

/* What lies behind the subject while it is made, itself among it. */
static double behind_bytes(const mb_options *o, int width, int height)
{
    const double pixels = (double)width * (double)height;
    if (o->background == MB_BACKGROUND_PICTURE) { /* the picture in RGB, its middle, that enlarged across */
        const mb_image *p = o->background_picture;
        const double theirs = p != NULL ? (double)p->width * (double)p->height : 0;
        return 3 * (2 * theirs + (p != NULL ? (double)width * (double)p->height : 0) + pixels);
    }
    return o->background == MB_BACKGROUND_BLUR
               ? 3 * pixels + mb_backdrop_blur_memory(width, height, blur_sigma(o, width, height))
               : 0;
}

/* The steps run one after the other, so the largest counts, not the sum. */
double mb_compose_stage_bytes(const mb_options *o, int depth, int width, int height)
{
    const bool fine = depth == 16;
    const double pixels = (double)width * (double)height, result = fine ? 8 : 4;
    double most = o->min_area > 1 || o->largest ? 8 * pixels : 0;
    most = largest_of(most, o->feather > 0.0 ? (fine ? 4 : 8) * pixels : 0);
    if (!o->want_cutout) { /* alpha at 16 bits, and again where it is cropped */
        return largest_of(most, ((fine ? 2 : 0) + (o->crop ? (fine ? 2 : 1) : 0)) * pixels);
    }
    const double colours = (fine ? 16 : 3) * pixels, behind = o->background != MB_BACKGROUND_NONE ? 3 * pixels : 0;
    most = largest_of(most, mb_foreground_memory(o->foreground, width, height, fine));
    most = largest_of(most, colours + behind_bytes(o, width, height));
    most = largest_of(most, colours + behind + result * pixels);
    return largest_of(most, (o->crop ? 2 * result : result) * pixels + (fine ? 2 * pixels : 0));
}

/* Blurs alpha at its full depth. Its 8 bits are rounded, not truncated: no rule of LayerStyle applies here. */
static mb_status feather(const mb_task *task, const mb_compose_stage *s, mb_error *err)
{
    mb_image_f32 plane = {0}, *alpha = s->alpha_f32->v != NULL ? s->alpha_f32 : &plane;
    const size_t n = (size_t)s->alpha->width * (size_t)s->alpha->height;
    mb_status status = MB_OK;
    if (alpha == &plane) {
        MB_TRY(mb_image_f32_from_u8(&plane, s->alpha, err));
    }
    MB_TRY(mb_feather(task, alpha, s->options->feather, err));
    for (size_t i = 0; i < n; i++) {
        s->alpha->v[i] = (uint8_t)(255.0f * alpha->v[i] + 0.5f);
    }
done:
    mb_image_f32_dispose(&plane);
    return status;
}

/* Components first, then feathered, then inverted: min_area and largest speak of the subject. The f32 alpha follows the
 * 8-bit one. */
mb_status mb_compose_stage_shape(const mb_task *task, const mb_compose_stage *s, int *dropped, mb_error *err)
{
    const mb_options *o = s->options;
    const mb_component_rule rule = {o->min_area, o->largest != 0};
    mb_status status = MB_OK;
    *dropped = 0;
    if (rule.largest || rule.min_area > 1) {
        status = mb_keep_components(task, s->alpha, s->alpha_f32->v != NULL ? s->alpha_f32 : NULL, &rule, dropped, err);
    }
    if (status == MB_OK && o->feather > 0.0) {
        status = feather(task, s, err);
    }
    if (status == MB_OK && o->invert) {
        mb_compose_invert(s->alpha);
        size_t n = s->alpha_f32->v != NULL ? (size_t)s->alpha_f32->width * (size_t)s->alpha_f32->height : 0;
        for (size_t i = 0; i < n; i++) {
            s->alpha_f32->v[i] = 1.0f - s->alpha_f32->v[i];
        }
    }
    return status;
}

/* ---- the photo's own alpha */

mb_status mb_compose_stage_bound(const mb_compose_stage *s, mb_error *err)
{
    if (s->own == NULL) {
        return MB_OK;
    }
    const size_t width = (size_t)s->own->width, n = width * (size_t)s->own->height;
    for (size_t i = 0; i < n; i++) {
        s->alpha->v[i] = s->alpha->v[i] < s->own->v[i] ? s->alpha->v[i] : s->own->v[i];
    }
    float *row = s->alpha_f32->v != NULL ? mb_alloc_array(width, sizeof *row) : NULL;
    if (s->alpha_f32->v != NULL && row == NULL) {
        return mb_fail_memory(err, width * sizeof *row, "a row of alpha");
    }
    for (int y = 0; row != NULL && y < s->own->height; y++) {
        float *fine = s->alpha_f32->v + (size_t)y * width;
        mb_image_row_alpha(row, s->user_photo, y);
        for (size_t x = 0; x < width; x++) {
            fine[x] = fine[x] < row[x] ? fine[x] : row[x];
        }
    }
    mb_free(row);
    return MB_OK;
}

/* The straight colours of the caller's photo, where its own alpha is the result's; exactly one of colours and deep. */
static mb_status keep_own_colours(const mb_compose_stage *s, mb_image_u8 *colours, float *deep, mb_error *err)
{
    if (s->own == NULL) {
        return MB_OK;
    }
    const bool all = s->options->foreground == MB_FOREGROUND_NONE; /* nothing was estimated */
    const size_t width = (size_t)s->own->width;
    float *row = mb_alloc_array(width, 5 * sizeof *row), *alpha = row != NULL ? row + 4 * width : NULL;
    if (row == NULL) {
        return mb_fail_memory(err, width * 5 * sizeof *row, "a row of colours");
    }
    for (int y = 0; y < s->own->height; y++) {
        const size_t at = (size_t)y * width;
        mb_image_row_rgb(row, s->user_photo, y, NULL);
        mb_image_row_alpha(alpha, s->user_photo, y);
        for (size_t x = 0; x < width; x++) {
            const float own = alpha[x]; /* at the photo's own depth: 16 bits may be above 0 where 8 are not */
            const bool decides =
                deep != NULL ? s->alpha_f32->v[at + x] >= own : s->alpha->v[at + x] == s->own->v[at + x];
            if (own >= 1.0f || !(all || own == 0.0f || decides)) {
                continue;
            }
            for (size_t c = 0; c < 3; c++) {
                const float v = own > 0.0f ? row[4 * x + c] : 0.0f;
                if (deep != NULL) {
                    deep[4 * (at + x) + c] = v;
                } else {
                    colours->v[3 * (at + x) + c] = mb_to8(v);
                }
            }
        }
    }
    mb_free(row);
    return MB_OK;
}

/* ---- colours */

typedef struct photo_job {
    const mb_image *user_photo; /* NULL, or of the photo's size and more than 8 bits */
    const mb_image_u8 *photo;
    const float *alpha; /* NULL: the photo's colours everywhere */
    float *out;         /* [H,W,4]: estimates, where there is an alpha */
} photo_job;

/* The photo's own colours, at the depth of the caller's picture, where nothing had to be estimated. */
static void fill_photo_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const photo_job *j = arg;
    const size_t width = (size_t)j->photo->width;
    for (size_t y = begin; y < end; y++) {
        for (size_t x = 0; x < width; x++) {
            size_t at = y * width + x;
            if (j->alpha != NULL && j->alpha[at] < 1.0f) {
                continue;
            }
            for (size_t c = 0; c < 3; c++) {
                j->out[4 * at + c] = mb_from8(j->photo->v[3 * at + c]);
            }
        }
        if (j->user_photo != NULL) {
            mb_image_row_rgb(j->out + 4 * y * width, j->user_photo, (int)y,
                             j->alpha != NULL ? j->alpha + y * width : NULL);
        }
    }
}

/* Colours in f32, for 16-bit results. */
static mb_status colours_f32(const mb_task *task, mb_colours *out, const mb_compose_stage *s, mb_error *err)
{
    const mb_foreground_options f = {0};
    mb_foreground method = s->options->foreground;
    mb_status status = method == MB_FOREGROUND_ML ? mb_foreground_ml(task, out, NULL, s->photo, s->alpha_f32, &f, err)
                       : method == MB_FOREGROUND_BLURFUSION
                           ? mb_foreground_blurfusion(task, out, s->photo, s->alpha_f32, &f, err)
                           : mb_colours_create(out, s->photo->width, s->photo->height, err);
    if (status == MB_OK) {
        photo_job j = {s->user_photo->depth != MB_DEPTH_U8 ? s->user_photo : NULL, s->photo,
                       method != MB_FOREGROUND_NONE ? s->alpha_f32->v : NULL, out->v};
        status = mb_task_for(task, (size_t)s->photo->height, 16, fill_photo_rows, &j, err);
    }
    return status;
}

/* ---- background */

/* What lies behind the subject, of the photo's size; {0} for no background, or a plain colour. */
static mb_status make_behind(const mb_task *task, mb_image_u8 *out, const mb_compose_stage *s, mb_error *err)
{
    const mb_options *o = s->options;
    mb_image_u8 picture = {0};
    mb_status status = MB_OK;
    if (o->background == MB_BACKGROUND_PICTURE) {
        MB_TRY(mb_image_u8_from_image(&picture, NULL, o->background_picture, err));
        MB_TRY(mb_backdrop_cover(task, out, &picture, s->photo->width, s->photo->height, err));
    } else if (o->background == MB_BACKGROUND_BLUR) {
        const double sigma = blur_sigma(o, s->photo->width, s->photo->height);
        MB_TRY(mb_backdrop_blur(task, out, s->photo, s->alpha, sigma, err));
    }
done:
    mb_image_u8_dispose(&picture);
    return status;
}

/* Foreground colours (the photo's or estimated), the background if there is one, and both laid over each other by
 * alpha. With 16 bits the colours are f32 [H,W,4], so that the photo's own 16 bits come through. */
mb_status mb_compose_stage_cutout(const mb_task *task, mb_image *out, const mb_compose_stage *s, mb_error *err)
{
    const mb_options *o = s->options;
    mb_colours deep = {0}; /* for 16-bit results */
    mb_image_u8 colours = {0}, behind = {0};
    mb_status status = MB_OK;
    if (s->depth == 16) {
        MB_TRY(colours_f32(task, &deep, s, err));
    } else {
        const mb_foreground_options f = {0};
        MB_TRY(mb_foreground_estimate(task, &colours, o->foreground, s->photo, s->alpha, &f, err));
    }
    MB_TRY(keep_own_colours(s, &colours, deep.v, err));
    MB_TRY(make_behind(task, &behind, s, err));
    mb_layers layers = {.colours = s->depth == 16 ? s->photo : &colours,
                        .colours_f32 = deep.v,
                        .alpha = s->alpha,
                        .alpha_f32 = s->depth == 16 ? s->alpha_f32 : NULL,
                        .behind = o->background != MB_BACKGROUND_NONE,
                        .picture = behind.v != NULL ? &behind : NULL,
                        .linear = o->linear != 0,
                        .premultiplied = o->premultiplied != 0,
                        .clean = o->clean_transparent != 0,
                        .depth = s->depth == 16 ? MB_DEPTH_U16 : MB_DEPTH_U8};
    memcpy(layers.colour, o->background_colour, sizeof layers.colour);
    MB_TRY(mb_layers_flatten(task, out, &layers, err));
done:
    mb_colours_dispose(&deep);
    mb_image_u8_dispose(&colours);
    mb_image_u8_dispose(&behind);
    return status;
}

/* Moves the 8-bit alpha, or rounds the f32 one to 16 bits. */
mb_status mb_compose_stage_alpha(mb_image *out, const mb_compose_stage *s, mb_error *err)
{
    mb_status status = MB_OK;
    if (s->depth == 16) {
        MB_TRY(mb_image_create(out, s->alpha->width, s->alpha->height, MB_PIXELS_GRAY, MB_DEPTH_U16, err));
        MB_TRY(mb_image_f32_to_image(out, s->alpha_f32, err));
    } else {
        mb_image_take(out, s->alpha);
    }
done:
    return status;
}

/* ---- crop */

/* Replaces a picture by the part in the box. An empty one stays empty. */
static mb_status crop(mb_image *image, mb_box box, mb_error *err)
{
    mb_image part = {0};
    if (image->data == NULL) {
        return MB_OK;
    }
    mb_status status = mb_compose_crop(&part, image, box, err);
    if (status == MB_OK) {
        mb_image_dispose(image);
        *image = part;
    }
    return status;
}

/* One box for all pictures of the result, so that they still lie on each other. */
mb_status mb_compose_stage_crop(bool *done_, mb_result *r, const mb_compose_stage *s, mb_error *err)
{
    mb_status status = MB_OK;
    mb_box box = mb_compose_box(s->alpha, VISIBLE, s->options->crop_margin);
    *done_ = box.width > 0;
    if (box.width == 0) {
        return MB_OK;
    }
    MB_TRY(crop(&r->mask, box, err));
    MB_TRY(crop(&r->trimap, box, err));
    MB_TRY(crop(&r->alpha, box, err));
    MB_TRY(crop(&r->cutout, box, err));
    r->crop_x = box.x;
    r->crop_y = box.y;
    r->crop_width = box.width;
    r->crop_height = box.height;
done:
    return status;
}
