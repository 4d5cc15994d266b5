/* One tag of EXIF: the orientation. */
#ifndef MB_IMAGE_CODEC_EXIF_H
#define MB_IMAGE_CODEC_EXIF_H

#include "image/codec/sniff.h"

/* 1 .. 8; 1 when the file has none, or a broken one. Walks the segments or chunks of JPEG, PNG and WebP. */
int mb_exif_orientation(mb_file_type type, const uint8_t *bytes, size_t n);

#endif
