/* Animated WebP and PNG (APNG), frame by frame: what is kept of a frame is its compressed data. */
#ifndef MB_IMAGE_CODEC_SAVE_ANIMATION_H
#define MB_IMAGE_CODEC_SAVE_ANIMATION_H

#include "image/codec/save.h"

typedef struct mb_animation_file mb_animation_file;

/* spec: as for single pictures; WEBP or PNG (AUTO). Its metadata are copied, its texts borrowed. loops: 0 .. 65535, 0
 * for ever. */
MB_MUST_CHECK mb_status mb_animation_file_create(mb_animation_file **out, int loops, const mb_save_spec *spec,
                                                 mb_error *err);
/* Frames are of one size, order and depth. Durations are rounded so that their sums stay right. */
MB_MUST_CHECK mb_status mb_animation_file_add(const mb_task *task, mb_animation_file *a, const mb_image *frame,
                                              double duration_ms, mb_error *err);
/* The whole file, freed by mb_free. Nothing can be added after it. */
MB_MUST_CHECK mb_status mb_animation_file_end(void **out, size_t *n, mb_animation_file *a, mb_error *err);
void mb_animation_file_free(mb_animation_file *a);

#endif
