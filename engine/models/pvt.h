/* Pyramid Vision Transformer v2 (Wang et al. 2022), a backbone of BiRefNet. docs/models/birefnet.md, "PVTv2". */
#ifndef MB_MODELS_PVT_H
#define MB_MODELS_PVT_H

#include "models/backbone.h"

extern const mb_backbone_model mb_backbone_pvt;

#endif
