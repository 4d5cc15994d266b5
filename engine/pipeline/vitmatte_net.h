/* VITMatte's network behind the pictures: image processor, plan for the padded size, crop (docs/models/vitmatte.md). */
#ifndef MB_PIPELINE_VITMATTE_NET_H
#define MB_PIPELINE_VITMATTE_NET_H

#include "graph/runner.h"
#include "image/raster.h"

typedef struct mb_vitmatte_net mb_vitmatte_net; /* one thread at a time */

/* weights (borrowed; must outlive the result) hold a VITMatte model, else MB_E_MISMATCH. */
MB_MUST_CHECK mb_status mb_vitmatte_net_create(mb_vitmatte_net **out, const mb_weights *weights,
                                               const mb_runner_options *options, mb_error *err);
void mb_vitmatte_net_free(mb_vitmatte_net *net);

/* alpha [H,W] in [0,1] for a photo (RGB) and a trimap (grey, any values) of the same size. The caller disposes alpha.
 */
MB_MUST_CHECK mb_status mb_vitmatte_net_run(mb_image_f32 *alpha, mb_vitmatte_net *net, const mb_image_u8 *photo,
                                            const mb_image_u8 *trimap, mb_progress_fn on_progress, void *user,
                                            mb_error *err);

/* Of the last run: "" or one line (mb_runner_warning). */
const char *mb_vitmatte_net_warning(const mb_vitmatte_net *net);

/* What a photo of this size takes. */
MB_MUST_CHECK mb_status mb_vitmatte_net_stats(mb_plan_stats *out, mb_vitmatte_net *net, int width, int height,
                                              mb_error *err);

/* What the processor makes of the bytes of R, G, B and of the trimap. */
void mb_vitmatte_table(float table[4][256], const float mean[3], const float deviation[3]);
/* The image processor alone: v [h,w,4] channels last, h and w multiples of 32, padded right and bottom with zeros. */
void mb_vitmatte_process(float *v, int64_t h, int64_t w, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                         const float mean[3], const float deviation[3]);

#endif
