/* --icc srgb, and backgrounds in the photo's colours. */
#include "batch.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

static int same_profile(const mb_metadata *a, const mb_metadata *b)
{
    return a->icc_bytes == b->icc_bytes && (a->icc_bytes == 0 || memcmp(a->icc, b->icc, a->icc_bytes) == 0);
}

/* The background as the photo's profile has it: named colours are sRGB's, a picture has a profile of its own or sRGB.
 */
mb_status fit_background(job *j, const batch *b, mb_pipeline *pipeline, mb_error *err)
{
    static const mb_metadata srgb;
    const mb_options *o = b->options;
    const mb_image *picture = o->background == MB_BACKGROUND_PICTURE ? o->background_picture : NULL;
    const mb_metadata *own = picture != NULL ? &b->a->background_metadata : &srgb;
    unsigned char colour[4];
    mb_status status = MB_OK;
    if ((picture == NULL && o->background != MB_BACKGROUND_COLOUR) || b->a->icc == ICC_DROP) {
        return MB_OK;
    }
    memcpy(colour, o->background_colour, sizeof colour);
    if (same_profile(own, &j->metadata)) {
        mb_pipeline_set_background(pipeline, colour, picture);
        return MB_OK;
    }
    if (picture != NULL) {
        status = mb_image_create(&j->background, picture->width, picture->height, MB_PIXELS_RGB, picture->depth, err);
        if (status == MB_OK) {
            status = mb_image_convert(&j->background, picture, err);
        }
    }
    const mb_image one = {.data = colour, .width = 1, .height = 1, .pixels = MB_PIXELS_RGBA};
    if (status == MB_OK) {
        mb_error why = {0};
        status = mb_image_convert_profile(picture != NULL ? &j->background : &one, own, &j->metadata, &why);
        if (status == MB_E_UNSUPPORTED || status == MB_E_FORMAT) { /* its numbers as they are */
            add_warning(j, "the background was not converted to the photo's colour profile");
            memcpy(colour, o->background_colour, sizeof colour);
            mb_pipeline_set_background(pipeline, colour, picture);
            return MB_OK;
        }
        if (status != MB_OK) {
            *err = why;
        }
    }
    if (status == MB_OK) {
        mb_pipeline_set_background(pipeline, colour, picture != NULL ? &j->background : NULL);
    }
    return status;
}

/* v * a / top, rounded. */
static void multiply(mb_image *m)
{
    const size_t n = (size_t)m->width * (size_t)m->height;
    for (size_t i = 0; i < n; i++) {
        if (m->depth == MB_DEPTH_U16) {
            uint16_t *v = (uint16_t *)m->data + 4 * i;
            for (int c = 0; c < 3; c++) {
                v[c] = (uint16_t)(((uint64_t)v[c] * v[3] + 32767) / 65535);
            }
        } else {
            uint8_t *v = (uint8_t *)m->data + 4 * i;
            for (int c = 0; c < 3; c++) {
                v[c] = (uint8_t)(((unsigned)v[c] * v[3] + 127) / 255);
            }
        }
    }
}

mb_status finish_colours(job *j, const batch *b, mb_error *err)
{
    mb_image *cutout = &j->result->cutout;
    if (b->a->icc != ICC_SRGB || cutout->data == NULL) {
        return MB_OK;
    }
    if (j->metadata.icc != NULL) {
        mb_status status = mb_image_convert_profile(cutout, &j->metadata, NULL, err);
        if (status != MB_OK) {
            return status;
        }
        j->kept.icc = NULL;
    }
    if (b->a->options.premultiplied &&
        cutout->pixels == MB_PIXELS_RGBA) { /* the library was asked for straight colours */
        multiply(cutout);
    }
    return MB_OK;
}
