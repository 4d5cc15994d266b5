/* Pixel conversions without rasters: see convert.h. */
#include "image/convert.h"

#include <string.h>

void mb_to8_array(uint8_t *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = mb_to8(src[i]);
    }
}

void mb_from8_array(float *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[i] = mb_from8(src[i]);
    }
}

/* All 256 results; a table costs less than a photo of products. */
void mb_brighten_table(uint8_t table[256], float factor)
{
    for (int i = 0; i < 256; i++) {
        float x = factor * (float)i;
        x = x > 0.0f ? x : 0.0f;
        table[i] = (uint8_t)(x < 255.0f ? x : 255.0f);
    }
}

void mb_brighten8(uint8_t *v, size_t n, float factor)
{
    uint8_t table[256];
    mb_brighten_table(table, factor);
    for (size_t i = 0; i < n; i++) {
        v[i] = table[v[i]];
    }
}

static size_t area(int width, int height)
{
    return (size_t)width * (size_t)height; /* both come from a picture that exists: no overflow */
}

/* Grey from the first three channels; alpha is dropped. */
mb_status mb_image_u8_luma(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 1, err);
    if (status != MB_OK) {
        return status;
    }
    size_t n = area(src->width, src->height), c = (size_t)src->channels;
    if (c == 1) {
        memcpy(out->v, src->v, n);
        return MB_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = src->v + i * c;
        out->v[i] = mb_luma8(p[0], p[1], p[2]);
    }
    return MB_OK;
}

/* Also the copy of a photo that is RGB already. */
mb_status mb_image_u8_rgb(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 3, err);
    if (status != MB_OK) {
        return status;
    }
    size_t n = area(src->width, src->height), step = (size_t)src->channels;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = src->v + i * step;
        for (size_t k = 0; k < 3; k++) {
            out->v[3 * i + k] = p[step == 1 ? 0 : k];
        }
    }
    return MB_OK;
}

mb_status mb_image_u8_copy(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, src->channels, err);
    if (status == MB_OK) {
        memcpy(out->v, src->v, area(src->width, src->height) * (size_t)src->channels);
    }
    return status;
}

/* v / 255 in f32, each rounded once. */
mb_status mb_image_f32_from_u8(mb_image_f32 *out, const mb_image_u8 *gray, mb_error *err)
{
    *out = (mb_image_f32){0};
    if (gray->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "the mask has %d channels, expected 1", gray->channels);
    }
    mb_status status = mb_image_f32_create(out, gray->width, gray->height, err);
    if (status == MB_OK) {
        mb_from8_array(out->v, gray->v, area(gray->width, gray->height));
    }
    return status;
}

/* Truncated, like everywhere in this chain. */
mb_status mb_image_u8_from_f32(mb_image_u8 *out, const mb_image_f32 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 1, err);
    if (status == MB_OK) {
        mb_to8_array(out->v, src->v, area(src->width, src->height));
    }
    return status;
}
