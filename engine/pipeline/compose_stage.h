/* From alpha to the pictures of the result: components dropped, inverted, foreground colours, background, crop. */
#ifndef MB_PIPELINE_COMPOSE_STAGE_H
#define MB_PIPELINE_COMPOSE_STAGE_H

#include "core/task.h"
#include "image/raster.h"

/* The pictures of a run on their way into its result. */
typedef struct mb_compose_stage {
    const mb_options *options;
    int depth;                  /* 8 or 16 */
    const mb_image *user_photo; /* the photo as the caller has it: its 16 bits */
    const mb_image_u8 *photo;
    const mb_image_u8 *own; /* the photo's own alpha, which the result's may not exceed; NULL: opaque */
    mb_image_u8 *alpha;
    mb_image_f32 *alpha_f32; /* alpha at more than 8 bits; v NULL: it has none */
} mb_compose_stage;

/* 8 or 16 for results of this photo. */
int mb_compose_stage_depth(const mb_options *o, const mb_image *photo);
/* Bytes besides photo, mask, trimap and alpha that the steps below hold at once, the cut-out among them. */
double mb_compose_stage_bytes(const mb_options *o, int depth, int width, int height);

/* Alpha's own steps, in place: min_area, largest, feather, invert. *dropped: components that went. */
MB_MUST_CHECK mb_status mb_compose_stage_shape(const mb_task *task, const mb_compose_stage *s, int *dropped,
                                               mb_error *err);
/* Alpha becomes at most the photo's own, in place. */
MB_MUST_CHECK mb_status mb_compose_stage_bound(const mb_compose_stage *s, mb_error *err);
/* The cut-out of the whole photo. Where the photo's own alpha decided, its colours are those of the caller's photo, and
 * 0 where nothing is visible. */
MB_MUST_CHECK mb_status mb_compose_stage_cutout(const mb_task *task, mb_image *out, const mb_compose_stage *s,
                                                mb_error *err);
/* Alpha at the depth of the results. */
MB_MUST_CHECK mb_status mb_compose_stage_alpha(mb_image *out, const mb_compose_stage *s, mb_error *err);
/* Crops the pictures of the result to the subject; r->crop_... say to what. False, and nothing is done, if alpha has
 * nothing above 5 %. */
MB_MUST_CHECK mb_status mb_compose_stage_crop(bool *done, mb_result *r, const mb_compose_stage *s, mb_error *err);

#endif
