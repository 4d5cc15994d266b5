/* From the public structs of pictures to those of the codecs, and back: what image_file.c and frames_file.c share. */
#ifndef MB_PIPELINE_IMAGE_OPTIONS_H
#define MB_PIPELINE_IMAGE_OPTIONS_H

#include "image/codec/load.h"
#include "image/codec/save.h"

/* `full` becomes the options (may be NULL) with their defaults, and must live as long as the task. */
MB_MUST_CHECK mb_status mb_read_load_options(mb_task *task, mb_load_limits *limits, mb_load_options *full,
                                             const mb_load_options *options, mb_error *err);
/* Into the caller's struct, which may be shorter than ours. out: NULL if it does not want to know. */
MB_MUST_CHECK mb_status mb_return_source(mb_image_source *out, const mb_load_info *info, mb_error *err);
/* A decoded picture at the depth it was asked for, with its alpha if that was. */
MB_MUST_CHECK mb_status mb_take_loaded(mb_image *out, mb_image_u8 *p, mb_load_info *info, mb_error *err);
/* Checks, and to the encoder's struct; *threads: as the caller asked for. */
MB_MUST_CHECK mb_status mb_read_save_options(mb_save_spec *spec, int *threads, const mb_save_options *options,
                                             mb_error *err);
/* Threads for a picture that is worth starting them; NULL: none. */
MB_MUST_CHECK mb_status mb_make_save_pool(mb_pool **out, const mb_image *image, int threads, mb_error *err);

#endif
