/* The ViT backbone of VITMatte (plain ViT with window and global attention, decomposed relative positions and residual
 * bottlenecks: Li et al. 2022, "Exploring plain vision transformer backbones for object detection"). */
#ifndef MB_MODELS_VIT_H
#define MB_MODELS_VIT_H

#include "graph/build.h"

#define MB_VIT_MOST_BLOCKS 64

typedef struct mb_vit_config {
    int depth, heads, window;
    bool windowed[MB_VIT_MOST_BLOCKS]; /* per block; else global attention */
} mb_vit_config;

/* x [N,4,H,W] -> [N,C,H/16,W/16]. s: the scope "backbone". */
mb_value mb_vit(mb_scope s, mb_value x, const mb_vit_config *config);

#endif
