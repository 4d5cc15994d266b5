/* WebP through libwebp, lossless unless the spec has a quality. `exact` keeps the colours under transparent pixels, so
 * that scaling does not bleed. */
#include "image/codec/save.h"

#if MB_HAVE_WEBP

#include "core/alloc.h"
#include "image/convert.h"

#include <string.h>

#include <webp/encode.h>

/* Imports RGB or RGBA rows; 8 bits. */
static mb_status encode(void **out, size_t *n, const mb_image *rgb, const mb_save_spec *spec, mb_error *err)
{
    mb_status status = MB_OK;
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter memory;
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
    *out = mb_alloc(memory.size);
    if (*out == NULL) {
        MB_TRY(mb_fail_memory(err, memory.size, "a WebP file"));
    }
    memcpy(*out, memory.mem, memory.size);
    *n = memory.size;
done:
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
    mb_save_spec standard;
    mb_save_spec_init(&standard);
    MB_TRY(encode(out, n, &rgb, spec != NULL ? spec : &standard, err));
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
