/* From DINOv3's maps, all of one size, to those that BiRefNet's decoder expects. Provisional upstream: version 2 of
 * BiRefNet may do without it (docs/models/dino_v3.md), so it is kept apart from the ViT. */
#ifndef MB_MODELS_DINO_V3_NECK_H
#define MB_MODELS_DINO_V3_NECK_H

#include "graph/build.h"

/* x[i] [N,2C,H/16,W/16] -> [N,C_i,H/4/2^i,W/4/2^i]; the squeezed context likewise, to H/32. decoder: the scope
 * "decoder"; picture [N,3,H,W]. */
void mb_dino_v3_neck(mb_value x[3], mb_value *squeezed, mb_scope decoder, mb_value picture);

#endif
