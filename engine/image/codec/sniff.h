/* What a file is, by its contents alone, and what its header says about the picture, before any decoder sees it. */
#ifndef MB_IMAGE_CODEC_SNIFF_H
#define MB_IMAGE_CODEC_SNIFF_H

#include "core/status.h"

#include <stdbool.h>

typedef enum mb_file_type {
    MB_FILE_UNKNOWN = 0,
    MB_FILE_JPEG,
    MB_FILE_PNG,
    MB_FILE_WEBP,
    MB_FILE_GIF,
    MB_FILE_BMP,
    MB_FILE_TGA,
    MB_FILE_PSD,
    MB_FILE_HDR,
    MB_FILE_PNM,
    /* by libraries that a build may lack, the last two by none: known all the same, so that the message can say so */
    MB_FILE_TIFF,
    MB_FILE_HEIC,
    MB_FILE_AVIF,
    MB_FILE_JXL,
    MB_FILE_JP2,
    MB_FILE_ICO,
    MB_FILE_TYPE_COUNT
} mb_file_type;

typedef struct mb_sniffed {
    mb_file_type type;
    bool raw;              /* the raw file of a camera in a TIFF's clothes; then the type is unknown */
    int64_t width, height; /* 0 when the header is cut off or the type is not readable here */
    int channels, bits;    /* as stored: palettes count as 1 channel */
    bool alpha;            /* an alpha channel, a colour key, or a palette with transparency */
    bool animated;         /* more than one frame, where that is cheap to know */
} mb_sniffed;

/* Never fails: an unknown file has type MB_FILE_UNKNOWN. Reads nothing beyond `n`. */
mb_sniffed mb_sniff(const uint8_t *bytes, size_t n);

const char *mb_file_type_name(mb_file_type type); /* "JPEG", "PNG" ... */
/* What an unknown file looks like: "a text file", "a ZIP archive" ...; NULL when nothing can be said. */
const char *mb_sniff_guess(const uint8_t *bytes, size_t n);

#endif
