/* VITMatte on a network's road (net.h): image processor, plan for the padded size, crop (docs/models/vitmatte.md). */
#ifndef MB_PIPELINE_VITMATTE_NET_H
#define MB_PIPELINE_VITMATTE_NET_H

#include "image/raster.h"
#include "pipeline/net.h"

/* alpha [H,W] in [0,1] for a photo (RGB) and a trimap (grey, any values) of the same size. The caller disposes alpha.
 * network: of a VITMatte model. warning (of 256 bytes): "" or one line. */
MB_MUST_CHECK mb_status mb_vitmatte_net_run(const mb_task *task, mb_image_f32 *alpha, char *warning,
                                            mb_network *network, const mb_normalization *normalization,
                                            const mb_image_u8 *photo, const mb_image_u8 *trimap, mb_error *err);

/* What the processor makes of the bytes of R, G, B and of the trimap. */
void mb_vitmatte_table(float table[4][256], const float mean[3], const float std[3]);
/* The image processor alone: v [h,w,4] channels last, at least as large as the photo, padded right and bottom with
 * zeros. */
void mb_vitmatte_process(float *v, int64_t h, int64_t w, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                         const float mean[3], const float std[3]);

#endif
