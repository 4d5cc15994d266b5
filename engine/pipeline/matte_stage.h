/* From a mask (or trimap) to the final alpha: engine/matting's method, with the matting network between its halves
 * where the method needs one. */
#ifndef MB_PIPELINE_MATTE_STAGE_H
#define MB_PIPELINE_MATTE_STAGE_H

#include "matting/matte.h"
#include "pipeline/net.h"

typedef struct mb_matte_stage {
    mb_network *network; /* of the matting model; NULL: there is none */
    mb_normalization normalization;
} mb_matte_stage;

/* {0} may be disposed. matting may be NULL. */
MB_MUST_CHECK mb_status mb_matte_stage_init(mb_matte_stage *stage, mb_context *context, const mb_backend *backend,
                                            const mb_model *matting, mb_pool *pool, mb_error *err);
void mb_matte_stage_dispose(mb_matte_stage *stage);

/* MB_E_ARGUMENT where these options need a matting model and there is none. */
MB_MUST_CHECK mb_status mb_matte_stage_check(const mb_matte_stage *stage, const mb_options *o, mb_error *err);
/* Do these options ask for any refinement at all? */
bool mb_matte_stage_needed(const mb_options *o);
/* Bytes that a refinement holds at a time beside photo, mask, results and a network. */
double mb_matte_stage_scratch(const mb_options *o, int width, int height, bool want_f32);
/* What the matting network takes for a photo of this size; all 0 without one. */
MB_MUST_CHECK mb_status mb_matte_stage_stats(mb_plan_stats *out, mb_matte_stage *stage, const mb_options *o, int width,
                                             int height, mb_error *err);

/* Fills the job's results. task: of the stage that this is (progress.h). warning: those of the result, to which this
 * run's are added. */
MB_MUST_CHECK mb_status mb_matte_stage_run(const mb_task *task, mb_matte_stage *stage, mb_matte_job *job,
                                           char warning[256], mb_error *err);

/* Adds one to the warnings of a result. */
void mb_add_warning(char warning[256], const char *text);

/* A mask of the caller, any order and depth, as a grey picture; mask_f32 (may be NULL): at more than 8 bits, {0} where
 * the caller's has no more. */
MB_MUST_CHECK mb_status mb_gray_from_image(mb_image_u8 *out, mb_image_f32 *mask_f32, const mb_image *src,
                                           mb_error *err);

#endif
