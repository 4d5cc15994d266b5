/* The published ways from a photo to the network's input and from its logits to a mask, each exact to the byte where
 * the network's own rounding allows. docs/models/birefnet.md, "Pre- and post-processing". */
#include "pipeline/mask.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "image/resize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

mb_recipe mb_recipe_for(const mb_model *model, mb_recipe wish)
{
    if (wish != MB_RECIPE_AUTO) {
        return wish;
    }
    /* v1 files (no fifth input block) belong to the older node and were made for its recipe. */
    const char *block = mb_model_meta(model, "arch.ipt_blk5");
    return block != NULL && strcmp(block, "0") == 0 ? MB_RECIPE_LAYERSTYLE : MB_RECIPE_MODELCARD;
}

/* ---- in */

static mb_status resize_in(mb_picture *out, const mb_picture *photo, const mb_mask_spec *spec, mb_pool *pool,
                           mb_error *err)
{
    switch (spec->recipe) {
    case MB_RECIPE_LAYERSTYLE:
        return mb_resize_cv_trunc(out, photo, spec->width, spec->height, pool, err);
    case MB_RECIPE_OFFICIAL:
        return mb_resize_cv_u8(out, photo, spec->width, spec->height, pool, err);
    case MB_RECIPE_REMBG:
        return mb_resize_pillow(out, photo, spec->width, spec->height, MB_FILTER_LANCZOS, pool, err);
    case MB_RECIPE_AUTO:
    case MB_RECIPE_LAYERSTYLE_V2:
    case MB_RECIPE_MODELCARD:
        break;
    }
    return mb_resize_pillow(out, photo, spec->width, spec->height, MB_FILTER_BILINEAR, pool, err);
}

/* Three numbers of the metadata, e.g. "0.485 0.456 0.406" (spaces or commas); the ImageNet values when absent. */
static void read_triple(float out[3], const mb_model *model, const char *key, const float standard[3])
{
    const char *text = mb_model_meta(model, key);
    memcpy(out, standard, 3 * sizeof *out);
    float v[3];
    if (text != NULL && sscanf(text, "%f%*[ ,]%f%*[ ,]%f", &v[0], &v[1], &v[2]) == 3) {
        memcpy(out, v, sizeof v);
    }
}

/* (v/255 - mean) / deviation, each step rounded to f32: 256 values a channel. */
static void fill_input(const mb_view *in, const mb_picture *p, const mb_model *model)
{
    static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f}, imagenet_deviation[3] = {0.229f, 0.224f, 0.225f};
    float mean[3], deviation[3], table[3][256];
    read_triple(mean, model, "input.mean", imagenet_mean);
    read_triple(deviation, model, "input.std", imagenet_deviation);
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            table[c][v] = ((float)v / 255.0f - mean[c]) / deviation[c];
        }
    }
    size_t pixels = (size_t)p->width * (size_t)p->height;
    float *dst = in->data;
    const uint8_t *src = p->v;
    for (size_t i = 0; i < pixels; i++, src += 3, dst += in->pitch) {
        for (int c = 0; c < 3; c++) {
            dst[c] = table[c][src[c]];
        }
    }
}

/* ---- back */

static mb_status probabilities(mb_plane *out, const mb_view *logits, mb_error *err)
{
    mb_status status = mb_plane_create(out, (int)logits->dims[3], (int)logits->dims[2], err);
    if (status != MB_OK) {
        return status;
    }
    size_t pixels = (size_t)out->width * (size_t)out->height;
    const float *src = logits->data;
    for (size_t i = 0; i < pixels; i++, src += logits->pitch) {
        float p = 1.0f / (1.0f + expf(-*src));
        out->v[i] = p == p ? p : 0.0f; /* weights with NaN must not make pictures with NaN */
    }
    return MB_OK;
}

static void stretch(mb_plane *p)
{
    size_t pixels = (size_t)p->width * (size_t)p->height;
    float low = p->v[0], high = p->v[0];
    for (size_t i = 1; i < pixels; i++) {
        low = p->v[i] < low ? p->v[i] : low;
        high = p->v[i] > high ? p->v[i] : high;
    }
    for (size_t i = 0; high > low && i < pixels; i++) {
        p->v[i] = (p->v[i] - low) / (high - low);
    }
}

/* 8 bits first, then to the photo's size: model card, LayerStyle V2, rembg. */
static mb_status back_in_8_bits(mb_picture *mask, const mb_plane *p, const mb_picture *photo, mb_filter filter,
                                mb_pool *pool, mb_error *err)
{
    mb_picture small = {0};
    mb_status status = mb_picture_from_plane(&small, p, err);
    if (status == MB_OK) {
        status = mb_resize_pillow(mask, &small, photo->width, photo->height, filter, pool, err);
    }
    mb_picture_dispose(&small);
    return status;
}

/* f32 to the photo's size, then 8 bits: the official script, LayerStyle. */
static mb_status back_in_f32(mb_picture *mask, const mb_plane *p, const mb_picture *photo, mb_pool *pool, mb_error *err)
{
    mb_plane large = {0};
    mb_status status =
        mb_resize_align_corners(&large, p->v, p->width, p->height, photo->width, photo->height, pool, err);
    if (status == MB_OK) {
        status = mb_picture_from_plane(mask, &large, err);
    }
    mb_plane_dispose(&large);
    return status;
}

static mb_status read_mask(mb_picture *mask, const mb_view *logits, const mb_picture *photo, mb_recipe recipe,
                           mb_pool *pool, mb_error *err)
{
    mb_plane p = {0};
    mb_status status = probabilities(&p, logits, err);
    if (status == MB_OK && recipe == MB_RECIPE_REMBG) {
        stretch(&p);
    }
    if (status == MB_OK && (recipe == MB_RECIPE_LAYERSTYLE || recipe == MB_RECIPE_OFFICIAL)) {
        status = back_in_f32(mask, &p, photo, pool, err);
    } else if (status == MB_OK) {
        mb_filter filter = recipe == MB_RECIPE_REMBG           ? MB_FILTER_LANCZOS
                           : recipe == MB_RECIPE_LAYERSTYLE_V2 ? MB_FILTER_BILINEAR
                                                               : MB_FILTER_BICUBIC;
        status = back_in_8_bits(mask, &p, photo, filter, pool, err);
    }
    if (status == MB_OK && (recipe == MB_RECIPE_LAYERSTYLE || recipe == MB_RECIPE_LAYERSTYLE_V2)) {
        mb_brighten8(mask->v, (size_t)mask->width * (size_t)mask->height,
                     recipe == MB_RECIPE_LAYERSTYLE ? 1.01f : 1.08f);
    }
    mb_plane_dispose(&p);
    return status;
}

mb_status mb_mask_make(mb_picture *mask, mb_network *network, const mb_picture *photo, const mb_mask_spec *spec,
                       mb_error *err)
{
    mb_status status = MB_OK;
    mb_picture resized = {0};
    *mask = (mb_picture){0};
    MB_TRY(mb_network_prepare(network, 1, spec->height, spec->width, NULL, 0, err));
    MB_TRY(resize_in(&resized, photo, spec, network->pool, err));
    mb_view in = mb_network_input_view(network);
    fill_input(&in, &resized, network->model);
    MB_TRY(mb_network_run_plan(network, spec->first, spec->share, err));
    mb_view logits = mb_network_output_view(network);
    MB_TRY(read_mask(mask, &logits, photo, spec->recipe, network->pool, err));
done:
    mb_picture_dispose(&resized);
    return status;
}
