/* VGG-16 (Simonyan and Zisserman 2015), with batch norms or without, a backbone of BiRefNet. docs/models/birefnet.md,
 * "VGG-16". */
#ifndef MB_MODELS_VGG_H
#define MB_MODELS_VGG_H

#include "models/backbone.h"

extern const mb_backbone_model mb_backbone_vgg;

#endif
