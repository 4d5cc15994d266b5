/* ResNet with bottlenecks (He et al. 2016; stride in the 3x3 convolution), a backbone of BiRefNet.
 * docs/models/birefnet.md, "ResNet-50". */
#ifndef MB_MODELS_RESNET_H
#define MB_MODELS_RESNET_H

#include "models/backbone.h"

extern const mb_backbone_model mb_backbone_resnet;

#endif
