/* Pixels to picture files: PNG always; WebP and JPEG where their libraries were found. */
#ifndef MB_IMAGE_CODEC_SAVE_H
#define MB_IMAGE_CODEC_SAVE_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

typedef struct mb_save_spec {
    mb_format format;     /* AUTO: by the path's extension, PNG without one */
    int level;            /* 0 .. 9, zlib's (PNG) or the effort (lossless WebP) */
    int quality;          /* 1 .. 100 of JPEG and WebP; 0: 92, and WebP without loss */
    const char *text_key; /* NULL, or a text chunk's key (Latin-1, 1 to 79 letters) and text */
    const char *text;
    const mb_metadata *metadata; /* NULL, or what the file shall say */
    bool replace;                /* an existing file is replaced, else an error */
} mb_save_spec;

void mb_save_spec_init(mb_save_spec *spec); /* AUTO, level 3, quality 0, no text, replace */

/* PNG of grey, RGB or RGBA; 16 bits for MB_DEPTH_U16, 8 bits otherwise (f32 by to8). BGR orders are turned, strides are
 * respected. Strips of rows are compressed side by side on the pool (NULL: the caller alone); the bytes do not depend
 * on the number of threads. *out is freed by mb_free. */
MB_MUST_CHECK mb_status mb_png_encode(const mb_task *task, void **out, size_t *n, const mb_image *image,
                                      const mb_save_spec *spec, mb_error *err);
/* 8 bits, transparent pixels keep their colours. MB_E_UNSUPPORTED in a build without libwebp. */
MB_MUST_CHECK mb_status mb_webp_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec,
                                       mb_error *err);

/* Baseline JPEG, 8 bits, grey or RGB in 4:4:4 from quality 90 on. MB_E_ARGUMENT for pictures with alpha,
 * MB_E_UNSUPPORTED in a build without libjpeg. */
MB_MUST_CHECK mb_status mb_jpeg_encode(void **out, size_t *n, const mb_image *image, const mb_save_spec *spec,
                                       mb_error *err);
/* In the spec's format; AUTO is PNG. */
MB_MUST_CHECK mb_status mb_image_u8_encode(const mb_task *task, void **out, size_t *n, const mb_image *image,
                                           const mb_save_spec *spec, mb_error *err);

/* AUTO by the path's extension: .webp, .jpg, .jpeg; anything else is PNG. Extensions of formats that are known but not
 * written here are refused: a file must be what its name says. Written completely or not at all. */
MB_MUST_CHECK mb_status mb_image_u8_save(const mb_task *task, const char *path, const mb_image *image,
                                         const mb_save_spec *spec, mb_error *err);
/* The check alone, for before the work. */
MB_MUST_CHECK mb_status mb_save_check_path(const char *path, mb_error *err);

#endif
