/* WebP through libwebp, lossless unless the spec has a quality. `exact` keeps the colours under transparent pixels, so
 * that scaling does not bleed. */
#include "image/codec/save.h"

#if MB_HAVE_WEBP

#include "core/alloc.h"
#include "image/convert.h"

#include <string.h>

#include <webp/encode.h>
#if MB_HAVE_WEBPMUX
#include "image/codec/webp_mux.h"
#endif

#if MB_HAVE_WEBPMUX
/* An EXIF block that says the resolution and nothing else: WebP has no other place for it. */
static size_t resolution_exif(uint8_t v[80], double dpi_x, double dpi_y)
{
    static const uint8_t head[] = {'I',  'I', '*', 0, 8,    0, 0, 0, 3,  0, /* three entries: */
                                   0x1A, 1,   5,   0, 1,    0, 0, 0, 50, 0, 0, 0, 0x1B, 1, 5, 0, 1, 0, 0, 0,
                                   58,   0,   0,   0, 0x28, 1, 3, 0, 1,  0, 0, 0, 2,    0, 0, 0, 0, 0, 0, 0};
    memcpy(v, head, sizeof head);
    const uint32_t values[4] = {(uint32_t)(dpi_x * 1000 + 0.5), 1000, (uint32_t)(dpi_y * 1000 + 0.5), 1000};
    for (size_t i = 0; i < 16; i++) {
        v[50 + i] = (uint8_t)(values[i / 4] >> 8 * (i % 4));
    }
    return 66;
}

mb_status mb_webp_wrap(WebPMux *mux, WebPData *whole, const mb_metadata *m, mb_error *err)
{
    static const mb_metadata none;
    uint8_t small[80];
    m = m != NULL ? m : &none;
    WebPData exif = {m->exif, m->exif_bytes}, icc = {m->icc, m->icc_bytes};
    if (m->exif == NULL && m->dpi_x > 0 && m->dpi_y > 0 && m->dpi_x < 4e6 && m->dpi_y < 4e6) {
        exif = (WebPData){small, resolution_exif(small, m->dpi_x, m->dpi_y)};
    }
    bool sound = mux != NULL;
    sound = sound && (icc.bytes == NULL || WebPMuxSetChunk(mux, "ICCP", &icc, 0) == WEBP_MUX_OK);
    sound = sound && (exif.bytes == NULL || WebPMuxSetChunk(mux, "EXIF", &exif, 0) == WEBP_MUX_OK);
    sound = sound && WebPMuxAssemble(mux, whole) == WEBP_MUX_OK;
    return sound ? MB_OK : mb_fail_memory(err, icc.size + exif.size, "a WebP file's metadata");
}

/* The encoded picture with its metadata around it; *file stays as it is where there is none. */
static mb_status wrap(WebPData *file, const mb_metadata *m, mb_error *err)
{
    WebPData whole;
    if (m->exif == NULL && m->icc == NULL && !(m->dpi_x > 0 && m->dpi_y > 0 && m->dpi_x < 4e6 && m->dpi_y < 4e6)) {
        return MB_OK;
    }
    WebPMux *mux = WebPMuxCreate(file, 0);
    mb_status status = mb_webp_wrap(mux, &whole, m, err);
    WebPMuxDelete(mux);
    if (status == MB_OK) {
        *file = whole;
    }
    return status;
}
#endif

/* Imports RGB or RGBA rows; 8 bits. */
static mb_status encode(void **out, size_t *n, const mb_image *rgb, const mb_save_spec *spec, mb_error *err)
{
    mb_status status = MB_OK;
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter memory;
    WebPData file = {NULL, 0};
    WebPMemoryWriterInit(&memory);
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture) ||
        !(spec->quality > 0 || WebPConfigLosslessPreset(&config, spec->level))) {
        return mb_fail(err, MB_E_UNSUPPORTED, "WebP: the installed library does not match the header of this build");
    }
    const bool alpha = rgb->pixels == MB_PIXELS_RGBA;
    config.exact = 1;
    picture.use_argb = spec->quality == 0;
    if (spec->quality > 0) { /* alpha stays without loss */
        config.quality = (float)spec->quality;
        config.use_sharp_yuv = 1;
    }
    picture.width = rgb->width;
    picture.height = rgb->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &memory;
    const int stride = rgb->width * (alpha ? 4 : 3);
    int ok =
        alpha ? WebPPictureImportRGBA(&picture, rgb->data, stride) : WebPPictureImportRGB(&picture, rgb->data, stride);
    if (!ok || !WebPEncode(&config, &picture)) {
        MB_TRY(mb_fail(err, picture.error_code == VP8_ENC_ERROR_BAD_DIMENSION ? MB_E_ARGUMENT : MB_E_MEMORY,
                       picture.error_code == VP8_ENC_ERROR_BAD_DIMENSION
                           ? "WebP pictures are limited to 16,383 pixels a side\nwrite a PNG"
                           : "WebP: not enough memory to encode"));
    }
    file = (WebPData){memory.mem, memory.size};
#if MB_HAVE_WEBPMUX
    if (spec->metadata != NULL) {
        MB_TRY(wrap(&file, spec->metadata, err));
    }
#endif
    *out = mb_alloc(file.size);
    if (*out == NULL) {
        MB_TRY(mb_fail_memory(err, file.size, "a WebP file"));
    }
    memcpy(*out, file.bytes, file.size);
    *n = file.size;
done:
    if (file.bytes != memory.mem) {
        WebPDataClear(&file);
    }
    WebPPictureFree(&picture);
    WebPMemoryWriterClear(&memory);
    return status;
}

/* 8 bits, RGB or RGBA in this order: grey and BGR are converted first. */
mb_status mb_webp_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec, mb_error *err)
{
    *out = NULL;
    *n = 0;
    mb_image rgb = {0};
    mb_status status;
    MB_TRY(mb_image_check(image, err));
    bool alpha = image->pixels == MB_PIXELS_RGBA || image->pixels == MB_PIXELS_BGRA;
    MB_TRY(
        mb_image_create(&rgb, image->width, image->height, alpha ? MB_PIXELS_RGBA : MB_PIXELS_RGB, MB_DEPTH_U8, err));
    MB_TRY(mb_image_convert(&rgb, image, err));
    mb_save_spec mine;
    mb_metadata plain = {.size = sizeof plain};
    mb_save_spec_init(&mine);
    mine = spec != NULL ? *spec : mine;
    if (mine.metadata != NULL && image->pixels == MB_PIXELS_GRAY) { /* no colours that a profile would describe */
        plain = *mine.metadata;
        plain.icc = NULL;
        mine.metadata = &plain;
    }
    MB_TRY(encode(out, n, &rgb, &mine, err));
done:
    mb_image_dispose(&rgb);
    return status;
}

#else

mb_status mb_webp_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec, mb_error *err)
{
    (void)image;
    (void)spec;
    *out = NULL;
    *n = 0;
    return mb_fail(err, MB_E_UNSUPPORTED, "WebP is not in this build\ninstall libwebp-dev and rebuild, or write a PNG");
}

#endif
