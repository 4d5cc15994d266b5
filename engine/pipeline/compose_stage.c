/* What becomes of alpha: components dropped, inverted, foreground colours, background, crop. 8 bits and 16 bits take
 * the same steps; with 16 bits alpha exists in f32 too (l->fine), and colours are f32 until the last step. */
#include "pipeline/compose_stage.h"

#include "core/alloc.h"
#include "image/compose/backdrop.h"
#include "image/compose/compose.h"
#include "image/convert.h"
#include "image/compose/layers.h"
#include "image/connected_components.h"
#include "matting/foreground.h"

#include <string.h>

#define VISIBLE 13 /* of 255: what a crop keeps */

int mb_compose_stage_depth(const mb_options *o, const mb_image *photo)
{
    return o->depth != 0 ? o->depth : photo->depth == MB_DEPTH_U8 ? 8 : 16;
}

/* An estimate from measurements: the steps run one after the other, so the largest counts, not the sum. */
size_t mb_compose_stage_bytes(const mb_options *o, int depth, size_t pixels)
{
    size_t bytes = depth == 16 ? 4 + 4 : 0; /* fine alpha, wider cut-out */
    size_t parts = o->min_area > 1 || o->largest ? 8 : 0;
    size_t colours = 0;
    if (o->want_cutout) {
        colours = o->foreground == MB_FOREGROUND_NONE ? 3 : 52; /* measured: docs/performance-log.md */
        colours += depth == 16 ? 16 : 0;
        colours += o->background == MB_BACKGROUND_PICTURE ? 9 : o->background == MB_BACKGROUND_BLUR ? 4 : 0;
    }
    bytes += parts > colours ? parts : colours;
    return mb_mul_size(&bytes, bytes, pixels) ? bytes : SIZE_MAX;
}

/* Components first, then inverted: min_area and largest speak of the subject. The f32 alpha follows the 8-bit one. */
mb_status mb_compose_stage_shape(const mb_compose_stage *l, int *dropped, mb_error *err)
{
    const mb_options *o = l->options;
    const mb_component_rule rule = {o->min_area, o->largest != 0};
    mb_status status = MB_OK;
    *dropped = 0;
    if (rule.largest || rule.min_area > 1) {
        status = mb_keep_components(l->alpha, l->fine->v != NULL ? l->fine : NULL, &rule, dropped, err);
    }
    if (status == MB_OK && o->invert) {
        mb_compose_invert(l->alpha);
        size_t n = l->fine->v != NULL ? (size_t)l->fine->width * (size_t)l->fine->height : 0;
        for (size_t i = 0; i < n; i++) {
            l->fine->v[i] = 1.0f - l->fine->v[i];
        }
    }
    return status;
}

/* ---- the photo's own alpha */

mb_status mb_compose_stage_bound(const mb_compose_stage *l, mb_error *err)
{
    if (l->own == NULL) {
        return MB_OK;
    }
    const size_t width = (size_t)l->own->width, n = width * (size_t)l->own->height;
    for (size_t i = 0; i < n; i++) {
        l->alpha->v[i] = l->alpha->v[i] < l->own->v[i] ? l->alpha->v[i] : l->own->v[i];
    }
    float *row = l->fine->v != NULL ? mb_alloc_array(width, sizeof *row) : NULL;
    if (l->fine->v != NULL && row == NULL) {
        return mb_fail_memory(err, width * sizeof *row, "a row of alpha");
    }
    for (int y = 0; row != NULL && y < l->own->height; y++) {
        float *fine = l->fine->v + (size_t)y * width;
        mb_image_row_alpha(row, l->given, y);
        for (size_t x = 0; x < width; x++) {
            fine[x] = fine[x] < row[x] ? fine[x] : row[x];
        }
    }
    mb_free(row);
    return MB_OK;
}

/* The straight colours of the caller's photo, where its own alpha is the result's; exactly one of colours and wide. */
static mb_status keep_own_colours(const mb_compose_stage *l, mb_image_u8 *colours, float *wide, mb_error *err)
{
    if (l->own == NULL) {
        return MB_OK;
    }
    const bool all = l->options->foreground == MB_FOREGROUND_NONE; /* nothing was estimated */
    const size_t width = (size_t)l->own->width;
    float *row = mb_alloc_array(width, 4 * sizeof *row);
    if (row == NULL) {
        return mb_fail_memory(err, width * 4 * sizeof *row, "a row of colours");
    }
    for (int y = 0; y < l->own->height; y++) {
        const size_t at = (size_t)y * width;
        mb_image_row_rgb(row, l->given, y, NULL);
        for (size_t x = 0; x < width; x++) {
            const uint8_t own = l->own->v[at + x];
            if (own == 255 || !(all || own == 0 || l->alpha->v[at + x] == own)) {
                continue;
            }
            for (size_t c = 0; c < 3; c++) {
                const float v = own > 0 ? row[4 * x + c] : 0.0f;
                if (wide != NULL) {
                    wide[4 * (at + x) + c] = v;
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

typedef struct wide_job {
    const mb_image *given; /* NULL, or of the photo's size and more than 8 bits */
    const mb_image_u8 *photo;
    const float *alpha; /* NULL: the photo's colours everywhere */
    float *out;         /* [H,W,4]: estimates, where there is an alpha */
} wide_job;

/* The photo's own colours, at the depth the caller gave them, where nothing had to be estimated. */
static void widen_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const wide_job *j = arg;
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
        if (j->given != NULL) {
            mb_image_row_rgb(j->out + 4 * y * width, j->given, (int)y, j->alpha != NULL ? j->alpha + y * width : NULL);
        }
    }
}

/* Colours in f32, for 16-bit results. */
static mb_status wide_colours(mb_colours *out, const mb_compose_stage *l, mb_error *err)
{
    mb_foreground_options f = {.pool = l->pool, .cancel = mb_watch_cancel(l->watch)};
    mb_foreground method = l->options->foreground;
    mb_status status = method == MB_FOREGROUND_ML ? mb_foreground_ml(out, NULL, l->photo, l->fine, &f, err)
                       : method == MB_FOREGROUND_BLURFUSION
                           ? mb_foreground_blurfusion(out, l->photo, l->fine, &f, err)
                           : mb_colours_create(out, l->photo->width, l->photo->height, err);
    if (status == MB_OK) {
        wide_job j = {l->given->depth != MB_DEPTH_U8 ? l->given : NULL, l->photo,
                      method != MB_FOREGROUND_NONE ? l->fine->v : NULL, out->v};
        mb_parallel_for(l->pool, (size_t)l->photo->height, 16, widen_rows, &j);
    }
    return status;
}

/* ---- background */

/* What lies behind the subject, of the photo's size; {0} for no background, or a plain colour. */
static mb_status make_behind(mb_image_u8 *out, const mb_compose_stage *l, mb_error *err)
{
    const mb_options *o = l->options;
    mb_image_u8 picture = {0};
    mb_status status = MB_OK;
    if (o->background == MB_BACKGROUND_PICTURE) {
        MB_TRY(mb_image_u8_from_image(&picture, NULL, o->background_picture, err));
        MB_TRY(mb_backdrop_cover(out, &picture, l->photo->width, l->photo->height, l->pool, err));
    } else if (o->background == MB_BACKGROUND_BLUR) {
        int side = l->photo->width > l->photo->height ? l->photo->width : l->photo->height;
        double sigma = o->background_blur > 0 ? o->background_blur : 0.02 * side;
        MB_TRY(mb_backdrop_blur(out, l->photo, l->alpha, sigma > 0.3 ? sigma : 0.3, l->pool, err));
    }
done:
    mb_image_u8_dispose(&picture);
    return status;
}

/* Foreground colours (the photo's or estimated), the background if there is one, and both laid over each other by
 * alpha. With 16 bits the colours are f32 [H,W,4], so that the photo's own 16 bits come through. */
mb_status mb_compose_stage_cutout(mb_image *out, const mb_compose_stage *l, mb_error *err)
{
    const mb_options *o = l->options;
    mb_colours wide = {0};
    mb_image_u8 colours = {0}, behind = {0};
    mb_status status = MB_OK;
    if (l->depth == 16) {
        MB_TRY(wide_colours(&wide, l, err));
    } else {
        mb_foreground_options f = {.pool = l->pool, .cancel = mb_watch_cancel(l->watch)};
        MB_TRY(mb_foreground_estimate(&colours, o->foreground, l->photo, l->alpha, &f, err));
    }
    MB_TRY(keep_own_colours(l, &colours, wide.v, err));
    MB_TRY(make_behind(&behind, l, err));
    mb_layers layers = {.colours = l->depth == 16 ? l->photo : &colours,
                        .wide = wide.v,
                        .alpha = l->alpha,
                        .fine = l->depth == 16 ? l->fine : NULL,
                        .behind = o->background != MB_BACKGROUND_NONE,
                        .picture = behind.v != NULL ? &behind : NULL,
                        .linear = o->linear != 0,
                        .premultiplied = o->premultiplied != 0,
                        .clean = o->clean_transparent != 0,
                        .depth = l->depth == 16 ? MB_DEPTH_U16 : MB_DEPTH_U8};
    memcpy(layers.colour, o->background_colour, sizeof layers.colour);
    MB_TRY(mb_layers_flatten(out, &layers, l->pool, err));
done:
    mb_colours_dispose(&wide);
    mb_image_u8_dispose(&colours);
    mb_image_u8_dispose(&behind);
    return status;
}

/* Moves the 8-bit alpha, or rounds the f32 one to 16 bits. */
mb_status mb_compose_stage_alpha(mb_image *out, const mb_compose_stage *l, mb_error *err)
{
    mb_status status = MB_OK;
    if (l->depth == 16) {
        MB_TRY(mb_image_create(out, l->alpha->width, l->alpha->height, MB_PIXELS_GRAY, MB_DEPTH_U16, err));
        MB_TRY(mb_image_f32_to_image(out, l->fine, err));
    } else {
        mb_image_take(out, l->alpha);
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
mb_status mb_compose_stage_crop(bool *done_, mb_result *r, const mb_compose_stage *l, mb_error *err)
{
    mb_status status = MB_OK;
    mb_box box = mb_compose_box(l->alpha, VISIBLE, l->options->crop_margin);
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
