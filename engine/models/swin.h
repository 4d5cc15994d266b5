/* Swin Transformer v1 (Liu et al. 2021), the backbone of BiRefNet. docs/models/birefnet.md, "Swin v1". */
#ifndef MB_MODELS_SWIN_H
#define MB_MODELS_SWIN_H

#include "graph/build.h"

#define MB_SWIN_STAGES 4

typedef struct mb_swin_config {
    int depths[MB_SWIN_STAGES];
    int heads[MB_SWIN_STAGES];
    int window;
} mb_swin_config;

/* x [N,3,H,W] -> out[i] [N,E*2^i,H/4/2^i,W/4/2^i] (rounded up). tap: a prefix for the second names of the maps. */
void mb_swin(mb_value out[MB_SWIN_STAGES], mb_scope s, mb_value x, const mb_swin_config *config, const char *tap);

#endif
