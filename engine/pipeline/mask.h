/* BiRefNet on a network's road (net.h): from a photo to its mask by a recipe: the photo at the network's size, the
 * network, its logits back to a mask of the photo's size. image/resample/recipe.h has the arithmetic. */
#ifndef MB_PIPELINE_MASK_H
#define MB_PIPELINE_MASK_H

#include "image/raster.h"
#include "pipeline/net.h"
#include "segment/confidence.h"

/* AUTO resolved for a model: never MB_RECIPE_AUTO. */
mb_recipe mb_recipe_for(const mb_model *model, mb_recipe wish);

typedef struct mb_mask_spec {
    mb_recipe recipe;       /* not AUTO */
    int width, height;      /* of the network's input */
    bool flip;              /* run on the mirror image too */
    mb_image_f32 *mask_f32; /* out: the mask before it is rounded to 8 bits; NULL: not wanted */
} mb_mask_spec;

/* A mask in the making. On a device the work is queued by begin, so that other work of the caller and other masks
 * overlap with it; else all of it happens in finish. */
typedef struct mb_mask_job {
    mb_network *network;
    const mb_image_u8 *photo;
    mb_mask_spec spec;
    mb_net_pass pass;         /* slot > 0: queued */
    mb_confidence confidence; /* filled by mb_segment_mask */
    char warning[256];
} mb_mask_job;
/* photo: RGB; must stay until finish or release. task: of the stage that the network is (progress.h), here and in
 * finish. */
MB_MUST_CHECK mb_status mb_mask_begin(const mb_task *task, mb_mask_job *job, mb_network *network,
                                      const mb_image_u8 *photo, const mb_mask_spec *spec, mb_error *err);
/* mask: grey, of the photo's size. */
MB_MUST_CHECK mb_status mb_mask_finish(const mb_task *task, mb_image_u8 *mask, mb_mask_job *job, mb_error *err);
void mb_mask_release(mb_mask_job *job); /* instead of, or after, finish; a {0} one is fine */

#endif
