/* Picture files to RGB pixels.
 *
 * The type is found in the contents. Width, height and depth are read from the header by our own code and checked
 * against the limits before a decoder sees a byte; decoders take their memory from a budget. The result is what
 * Pillow's ImageOps.exif_transpose and convert('RGB') give: alpha is dropped (not blended), palettes and CMYK are
 * converted, 16 bits keep their upper byte. Whoever asks for the metadata, too, gets grey and CMYK converted to sRGB by
 * their profile: without it their numbers would mean other colours. One deliberate difference: Pillow turns every value above 255 of a 16-bit
 * grey picture into white; here it keeps the upper byte like 16-bit colour does. */
#ifndef MB_IMAGE_CODEC_LOAD_H
#define MB_IMAGE_CODEC_LOAD_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

typedef struct mb_load_limits {
    int max_side;
    double max_megapixels;
    size_t max_bytes;      /* of the file */
    size_t max_memory;     /* of the pixels as they are held; 0: what the machine has */
    bool keep_depth;       /* files of 16 bits: info->u16 as well */
    bool keep_alpha;       /* files with transparency: info->alpha_plane as well */
    mb_metadata *metadata; /* NULL, or begun and filled */
    bool accept_partial;   /* a file that ends early gives the rows that are there and a warning, not an error */
    bool plain_colours;    /* grey and CMYK by their numbers alone, as without metadata, whatever their profile says */
    int frame;             /* TIFF, HEIC, JPEG XL: 1 .. is that page or frame, 0 the first, or the one the file names */
    int max_frames;        /* more are not counted */
} mb_load_limits;

/* 65,535 pixels, 500 megapixels, 1 GiB, no partial pictures. */
void mb_load_limits_init(mb_load_limits *limits);

typedef struct mb_load_info {
    char format[16];   /* "jpeg", "png" ... */
    int width, height; /* as stored */
    int channels;      /* as stored; a palette counts as 1 */
    int bits;          /* per sample, as stored */
    int orientation;   /* EXIF, 1 .. 8: has been applied */
    bool alpha;        /* there was transparency */
    bool frames_ignored;
    bool partial;
    double duration_ms; /* of a frame that was asked for; 0: none is known */
    char warning[160];  /* "" or what the user should know */
    uint16_t *u16;      /* [H,W,3] 16-bit samples beside the picture's 8, upright; NULL unless asked for and there. The
                          caller frees it (mb_free_aligned) */
    mb_image_u8 alpha_plane; /* [H,W], upright; {0} unless asked for and not opaque throughout */
    uint16_t *u16_alpha;     /* [H,W] beside `u16`, where there is an alpha_plane */
} mb_load_info;

/* Frees what info owns and leaves the rest. */
void mb_load_info_dispose(mb_load_info *info);

/* info and limits may be NULL. `name` stands for the file in messages; NULL: "picture". Errors: MB_E_FORMAT (damaged,
 * ends early, or no picture), MB_E_UNSUPPORTED (known, but not in this build), MB_E_ARGUMENT (over a limit),
 * MB_E_MEMORY, MB_E_CANCELLED (the task is polled between rows). */
MB_MUST_CHECK mb_status mb_load_memory(const mb_task *task, mb_image_u8 *out, mb_load_info *info, const void *bytes,
                                       size_t n, const char *name, const mb_load_limits *limits, mb_error *err);
/* The same from a file or "-" (standard input). MB_E_IO when it is missing or cannot be read. */
MB_MUST_CHECK mb_status mb_load_file(const mb_task *task, mb_image_u8 *out, mb_load_info *info, const char *path,
                                     const mb_load_limits *limits, mb_error *err);

/* out = src turned by EXIF orientation 1 .. 8. */
MB_MUST_CHECK mb_status mb_image_u8_orient(mb_image_u8 *out, const mb_image_u8 *src, int orientation, mb_error *err);
/* The size of a picture of packed pixels of `pixel_bytes` bytes each. */
typedef struct mb_pixel_block {
    int width, height, pixel_bytes;
} mb_pixel_block;
/* The same for pixels of any number of bytes: dst and src both hold `size` pixels. */
void mb_orient_pixels(uint8_t *dst, const uint8_t *src, mb_pixel_block size, int orientation);

/* "JPEG (libjpeg-turbo 2.1.5), PNG (libpng 1.6.39), ..." for the version line. */
void mb_load_formats(char *text, size_t n);
/* "Little CMS 2.14", or "carried, not converted". */
const char *mb_profile_library(void);

#endif
