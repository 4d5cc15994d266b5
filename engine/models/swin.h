/* Swin Transformer v1 (Liu et al. 2021), a backbone of BiRefNet. docs/models/birefnet.md, "Swin v1". */
#ifndef MB_MODELS_SWIN_H
#define MB_MODELS_SWIN_H

#include "models/backbone.h"

extern const mb_backbone_model mb_backbone_swin;

#endif
