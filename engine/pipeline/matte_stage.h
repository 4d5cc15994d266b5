/* From a mask (or trimap) to the final alpha, and from alpha to the cut-out: the refinement as the pipeline sees it. */
#ifndef MB_PIPELINE_MATTE_STAGE_H
#define MB_PIPELINE_MATTE_STAGE_H

#include "image/raster.h"
#include "pipeline/objects.h"
#include "pipeline/progress.h"
#include "pipeline/vitmatte_net.h"

typedef struct mb_matte_stage {
    mb_pool *pool;            /* borrowed */
    const mb_model *matting;  /* may be NULL */
    mb_vitmatte_net *network; /* of `matting` */
} mb_matte_stage;

/* {0} may be disposed. matting may be NULL. */
MB_MUST_CHECK mb_status mb_matte_stage_init(mb_matte_stage *e, mb_context *context, const mb_backend *backend,
                                            const mb_model *matting, mb_pool *pool, mb_error *err);
void mb_matte_stage_dispose(mb_matte_stage *e);

/* Can these options be run with what this edge has? */
MB_MUST_CHECK mb_status mb_matte_stage_check(const mb_matte_stage *e, const mb_options *o, mb_error *err);
/* Do these options ask for any refinement at all? */
bool mb_matte_stage_needed(const mb_options *o);
/* Bytes that a refinement itself holds while it works, besides photo, mask and a network. */
size_t mb_matte_stage_scratch(const mb_options *o, int width, int height);
/* What the matting network for a photo of this size takes; all 0 without one. */
MB_MUST_CHECK mb_status mb_matte_stage_plan(mb_plan_info *out, mb_matte_stage *e, const mb_options *o, int width,
                                            int height, mb_error *err);

typedef struct mb_matte_stage_job {
    const mb_image_u8 *photo;      /* RGB */
    mb_image_u8 *mask;             /* grey; NULL when a trimap is given */
    mb_image_u8 *trimap;           /* given, or {0}: made where the method needs one */
    mb_image_u8 *alpha;            /* out, grey */
    const mb_image_f32 *fine_mask; /* the mask at more than 8 bits, or NULL */
    mb_image_f32 *fine;            /* out, alpha at more than 8 bits; NULL: not wanted */
    char *warning;
    size_t warning_bytes;
    size_t available; /* bytes that the method may take; 0: not known */
    mb_watch *watch;
} mb_matte_stage_job;
MB_MUST_CHECK mb_status mb_matte_stage_run(mb_matte_stage *e, mb_matte_stage_job *job, const mb_options *o,
                                           mb_error *err);

/* Adds one to the warnings of a result. */
void mb_add_warning(char *warning, size_t warning_bytes, const char *text);

/* A mask of the caller, any order and depth, as a grey picture; fine (may be NULL): at more than 8 bits, {0} where the
 * caller's has no more. */
MB_MUST_CHECK mb_status mb_gray_from_image(mb_image_u8 *out, mb_image_f32 *fine, const mb_image *src, mb_error *err);

#endif
