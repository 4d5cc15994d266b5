/* DINOv3 (Simeoni et al. 2025), a backbone of BiRefNet: a plain ViT with class and register tokens, rotary positions and
 * LayerScale. docs/models/dino_v3.md. */
#ifndef MB_MODELS_DINO_V3_H
#define MB_MODELS_DINO_V3_H

#include "models/backbone.h"

extern const mb_backbone_model mb_backbone_dino_v3;

#endif
